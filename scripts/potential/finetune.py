"""`superion potential finetune`: continue the training of a model file on labelled frames."""

from __future__ import annotations

from pathlib import Path
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
)
from .options import NameOption, RunNameOption

FLOW = "finetune-potential"
"""Name of the flow that it runs."""


def finetune(
    context: typer.Context,
    model: Annotated[
        str, typer.Option("--model", metavar="FILE|NAME", help="MACE model file to start from, or one trained here.")
    ],
    frames: Annotated[
        list[str] | None,
        typer.Argument(metavar="FRAMES", help="Labelled frames: an extxyz file with energies, forces and stresses."),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay", metavar="FILE", help="Labelled frames of the model's own training, so that it forgets nothing."
        ),
    ] = None,
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
    """Train a MACE model further on labelled frames; it keeps its architecture.

    It runs the flow `finetune-potential`; `superion flow show finetune-potential` lists all settings.
    """
    launch(
        context,
        FLOW,
        frames or [],
        preset=preset,
        options={
            "model": _as_potential(model),
            "replay": None if replay is None else str(replay.expanduser().resolve()),
            "name": name,
            "device": device,
        },
        settings=settings or [],
        label=name,
        force=force,
        request=LaunchRequest(run_name, workers, store, dry_run, as_json, name_option="--run-name"),
    )


def _as_potential(model: str) -> str:
    """Take a file for the MACE model that it is; leave names, and what names its kind, as they are."""
    file = Path(model).expanduser()
    return f"mace:{file.resolve()}" if file.is_file() else model
