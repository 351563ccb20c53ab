"""`superion potential distil`: a small, fast potential that learns from a teacher, for the crystals given."""

from __future__ import annotations

from typing import Annotated

import typer

from ..launch import LaunchRequest, launch
from ..options import (
    DeviceOption,
    DryRunOption,
    ForceOption,
    JsonOption,
    PresetOption,
    SettingsOption,
    StoreOption,
    WorkersOption,
    parse_numbers,
)
from .options import InputsArgument, NameOption, RunNameOption, TeacherOption, TemperaturesOption

FLOW = "distil-potential"
"""Name of the flow that it runs."""


def distil(
    context: typer.Context,
    inputs: InputsArgument = None,
    teacher: TeacherOption = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="SIZE", help="Architecture: tiny, small, medium, or a YAML file.")
    ] = None,
    temperatures: TemperaturesOption = None,
    name: NameOption = None,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    device: DeviceOption = None,
    run_name: RunNameOption = None,
    workers: WorkersOption = None,
    force: ForceOption = False,
    store: StoreOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a small potential for given crystals from a teacher, and judge it by its own molecular dynamics.

    It runs the flow `distil-potential`; `superion flow show distil-potential` lists all settings. The potential is then
    asked for by its name.
    """
    launch(
        context,
        FLOW,
        inputs or [],
        preset=preset,
        options={
            "teacher": teacher,
            "size": size,
            "temperatures": parse_numbers(temperatures, option="--temperature", unit="K") if temperatures else None,
            "name": name,
            "device": device,
        },
        settings=settings or [],
        label=name,
        force=force,
        request=LaunchRequest(run_name, workers, store, dry_run, as_json, name_option="--run-name"),
    )
