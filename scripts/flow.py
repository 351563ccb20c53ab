"""`superion flow`: which flows there are, what they take, and what their settings are."""

from __future__ import annotations

import json
from dataclasses import asdict
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
        # Before flows had several inputs, a preset had one structure.
        single = [{"structure": one.inputs[0] if len(one.inputs) == 1 else None} for one in presets]
        rows = [one.model_dump() | old for one, old in zip(presets, single, strict=True)]
        write_json({"flows": flows, "presets": rows})
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
    """Show what a flow takes and ends with, and its settings by the names that --set takes."""
    from rich.markup import escape
    from rich.table import Table

    from ..errors import SettingsError
    from ..flows.presets import load_preset
    from ..flows.registry import describe_flow
    from ..flows.settings import list_settings

    described = describe_flow(name)
    maker = described.maker()
    if preset is not None:
        loaded = load_preset(preset)
        if loaded.flow != name:
            raise SettingsError(f"The preset '{preset}' is for the flow '{loaded.flow}', not for '{name}'.")
        maker = loaded.maker()
    infos = list_settings(maker)
    if as_json:
        declared = {
            "inputs": [asdict(one) for one in described.inputs],
            "options": [asdict(one) for one in described.options],
            "document": described.document,
        }
        write_json({"flow": name, "preset": preset, **declared, "settings": infos})
        return
    console = results_console()
    console.print(described.usage, markup=False)
    for one in described.inputs:
        console.print(f"  {one.shown}: {one.description}", markup=False)
    if described.document is not None:
        console.print(f"ends with a document of the kind '{described.document}'", markup=False)
    console.print()
    if described.options:
        table = Table("option", "setting", "meaning", show_edge=False, pad_edge=False, header_style="bold")
        for option in described.options:
            table.add_row(f"--{option.name}", escape(option.setting), escape(option.description))
        console.print(table)
        console.print()
    table = Table("setting", "value", "meaning", show_edge=False, pad_edge=False, header_style="bold")
    for info in infos:
        value = json.dumps(plain_data(info.value), ensure_ascii=False)
        table.add_row(escape(info.name), escape(value), escape(info.description))
    console.print(table)
