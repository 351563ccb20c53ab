"""`superion run`: a flow, from its inputs to its answer, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from . import completion
from .launch import LaunchRequest, launch
from .options import (
    ChargeOption,
    DeviceOption,
    DryRunOption,
    ForceOption,
    JsonOption,
    MobileIonOption,
    PotentialOption,
    PresetOption,
    SettingsOption,
    StoreOption,
    WorkersOption,
    parse_numbers,
)


def run(
    context: typer.Context,
    flow: Annotated[
        str,
        typer.Argument(
            help="Flow to run; `superion flow list` names them, `superion flow show FLOW` its inputs and options.",
            autocompletion=completion.flow_names,
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help="What the flow takes: a structure file (CIF, POSCAR, extxyz, …), a shipped example such as Li6PS5Cl, "
            "or the id of a document in the store; the preset's by default.",
            autocompletion=completion.structure_names,
        ),
    ] = None,
    preset: PresetOption = None,
    potential: PotentialOption = None,
    temperatures: Annotated[
        str | None, typer.Option("--temperatures", metavar="K,K,…", help="Temperatures in K, such as 800,1000,1200.")
    ] = None,
    replicas: Annotated[
        int | None, typer.Option("--replicas", metavar="N", help="Independent runs per temperature.")
    ] = None,
    duration_ps: Annotated[
        float | None, typer.Option("--duration-ps", metavar="PS", help="Greatest length of each run in ps.")
    ] = None,
    force: ForceOption = False,
    mobile_ion: MobileIonOption = None,
    ion_charge: ChargeOption = None,
    device: DeviceOption = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help="Precision: auto, float32 or float64.")] = None,
    settings: SettingsOption = None,
    label: Annotated[str | None, typer.Option("--label", help="Name of the material in documents.")] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the run, for resume; generated if omitted.")
    ] = None,
    workers: WorkersOption = None,
    store: StoreOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a flow on its inputs.

    A run may be killed at any moment; `superion resume` continues it.
    """
    launch(
        context,
        flow,
        inputs or [],
        preset=preset,
        options={
            "temperatures": parse_numbers(temperatures, option="--temperatures", unit="K") if temperatures else None,
            "replicas": replicas,
            "duration-ps": duration_ps,
            "mobile-ion": mobile_ion,
            "ion-charge": ion_charge,
            "potential": potential,
            "device": device,
            "dtype": dtype,
        },
        settings=settings or [],
        label=label,
        force=force,
        request=LaunchRequest(name=name, workers=workers, store=store, dry_run=dry_run, as_json=as_json),
    )
