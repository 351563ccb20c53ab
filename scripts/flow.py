"""`superion flow`: which flows there are, and what their settings are."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from . import completion
from .console import plain_data, results_console, write_json
from .options import JsonOption

app = typer.Typer(help="List the flows, or show the settings of one.", no_args_is_help=True)


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List the registered flows and the presets that ship with superion."""
    from rich.markup import escape
    from rich.table import Table

    from ..flows.presets import list_presets
    from ..flows.registry import list_flows

    flows, presets = list_flows(), list_presets()
    if as_json:
        write_json({"flows": flows, "presets": presets})
        return
    console = results_console()
    table = Table("flow", "package", "maker", show_edge=False, pad_edge=False, header_style="bold")
    for flow in flows:
        table.add_row(escape(flow.name), escape(flow.package), escape(flow.target))
    console.print(table)
    console.print()
    table = Table("preset", "flow", "what for", show_edge=False, pad_edge=False, header_style="bold")
    for preset in presets:
        table.add_row(escape(preset.name), escape(preset.flow), escape(preset.description))
    console.print(table)


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="Name of a flow.", autocompletion=completion.flow_names)],
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset", metavar="NAME", help="With the settings of a preset.", autocompletion=completion.preset_names
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the settings of a flow, by the names that --set takes."""
    from rich.markup import escape
    from rich.table import Table

    from ..errors import SettingsError
    from ..flows.presets import load_preset
    from ..flows.registry import flow_maker
    from ..flows.settings import list_settings

    maker = flow_maker(name)()
    if preset is not None:
        loaded = load_preset(preset)
        if loaded.flow != name:
            raise SettingsError(f"The preset '{preset}' is for the flow '{loaded.flow}', not for '{name}'.")
        maker = loaded.maker()
    infos = list_settings(maker)
    if as_json:
        write_json({"flow": name, "preset": preset, "settings": infos})
        return
    table = Table("setting", "value", "meaning", show_edge=False, pad_edge=False, header_style="bold")
    for info in infos:
        value = json.dumps(plain_data(info.value), ensure_ascii=False)
        table.add_row(escape(info.name), escape(value), escape(info.description))
    results_console().print(table)
