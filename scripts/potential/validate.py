"""`superion potential validate`: judge a trained potential against its teacher, for the crystals given."""

from __future__ import annotations

from typing import Annotated

import typer

from ..completion import potential_and_student_names
from ..launch import LaunchRequest, launch
from ..options import (
    DeviceOption,
    DryRunOption,
    JsonOption,
    PresetOption,
    SettingsOption,
    StoreOption,
    WorkersOption,
    parse_numbers,
)
from .options import InputsArgument, RunNameOption, TeacherOption, TemperaturesOption

FLOW = "validate-potential"
"""Name of the flow that it runs."""


def validate(
    context: typer.Context,
    inputs: InputsArgument = None,
    potential: Annotated[
        str | None,
        typer.Option(
            "--potential",
            metavar="NAME|mace:FILE",
            help="Potential to judge: the name of one trained here, or a model file.",
            autocompletion=potential_and_student_names,
        ),
    ] = None,
    teacher: TeacherOption = None,
    temperatures: TemperaturesOption = None,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    device: DeviceOption = None,
    run_name: RunNameOption = None,
    workers: WorkersOption = None,
    store: StoreOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judge a trained potential by its errors, its own molecular dynamics and its diffusivities.

    It runs the flow `validate-potential`; `superion flow show validate-potential` lists all settings. A potential that
    was rejected may be judged again.
    """
    launch(
        context,
        FLOW,
        inputs or [],
        preset=preset,
        options={
            "potential": potential,
            "teacher": teacher,
            "temperatures": parse_numbers(temperatures, option="--temperature", unit="K") if temperatures else None,
            "device": device,
        },
        settings=settings or [],
        force=True,
        request=LaunchRequest(run_name, workers, store, dry_run, as_json, name_option="--run-name"),
    )
