"""`superion run`: a flow, from its inputs to its answer, on this machine."""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import completion
from .console import messages_console, results_console, say, write_json
from .options import (
    ChargeOption,
    JsonOption,
    MobileIonOption,
    PotentialOption,
    StoreOption,
    parse_numbers,
)

if TYPE_CHECKING:
    from .plan import RunPlan


LONGEST_NAME = 200
"""Bytes of a run's name; a file system takes 255 in a folder's name."""


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
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset", metavar="NAME", help="Settings to begin with.", autocompletion=completion.preset_names
        ),
    ] = None,
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
    mobile_ion: MobileIonOption = None,
    ion_charge: ChargeOption = None,
    device: Annotated[str | None, typer.Option("--device", help="Device: auto, cpu, cuda, cuda:1, mps.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help="Precision: auto, float32 or float64.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Any other setting, such as md.time_step_fs=1; may be repeated."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option("--label", help="Name of the material in documents.")] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the run, for resume; made up if not given.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; one per core if not given.")
    ] = None,
    store: StoreOption = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Check structure, settings, potential, device, name and store, and print the plan; compute nothing.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a flow on its inputs.

    A run may be killed at any moment; `superion resume` goes on with it.
    """
    from ..flows.registry import describe_flow
    from .flow_words import split_words
    from .plan import make_plan

    described = describe_flow(flow)
    own_options = [option for parameter in context.command.params for option in parameter.opts]
    words, flow_options = split_words(inputs or [], described, own_options)
    plan = make_plan(
        described,
        *words,
        preset=preset,
        options=flow_options
        | {
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
        store=store,
    )
    check_place(name, store)
    if dry_run and as_json:
        write_json(plan.as_data())
        return
    plan.print(results_console() if dry_run else messages_console())
    if not dry_run:
        _execute(plan, name=name, workers=workers, store=store, as_json=as_json)


def check_place(name: str | None, store: str | None) -> None:
    """Refuse a name that no new run can have, and a store that cannot be opened; makes nothing.

    Parameters
    ----------
    name : str or None
        Name of the run; None for a generated one.
    store : str or None
        Store as the user named it; None for the project's own.

    Raises
    ------
    SettingsError
        If the name holds slashes, is none, or is that of another run.
    StoreError
        If the store cannot be opened.
    """
    from ..database.job_store import check_job_store
    from ..database.project import ProjectFolder, find_project
    from ..errors import SettingsError, StoreError

    try:
        project = find_project()
    except StoreError:
        project = ProjectFolder(Path.cwd())
    if name is not None:
        if not name.strip() or Path(name).name != name or len(name.encode()) > LONGEST_NAME:
            raise SettingsError(
                f"--name wants a plain name without slashes, of at most {LONGEST_NAME} letters, not '{name[:80]}'; "
                "choose another."
            )
        if (project.runs / name).exists():
            raise SettingsError(
                f"There is a run named {name} already; choose another --name, or continue it with "
                f"`superion resume {name}`."
            )
    check_job_store(store, project=project)


def _execute(plan: RunPlan, *, name: str | None, workers: int | None, store: str | None, as_json: bool) -> None:
    """Run the flow of a plan and print its answer."""
    from jobflow.core.reference import find_and_get_references

    from ..database.project import find_project
    from ..workflows.dispatch.local import run_flow_locally
    from .execution import watch_and_answer
    from .opened_store import opened_store
    from .run_request import RunRequest

    run_folder = find_project(create=True).runs / (name or _run_name(plan))
    flow = plan.make_flow()
    request = RunRequest(
        command=shlex.join(["superion", *sys.argv[1:]]),
        flow=plan.flow_name,
        inputs=[one.text for one in plan.inputs],
        label=plan.label,
        store=store,
        workers=workers,
        output_uuids=[reference.uuid for reference in find_and_get_references(flow.output)],
    )
    request.write(run_folder)
    say(f"run {run_folder.name}: Ctrl-C stops it cleanly, `superion resume {run_folder.name}` goes on with it")
    with opened_store(store, near=run_folder, create=True) as opened:
        watch_and_answer(
            lambda on_event: run_flow_locally(flow, opened, run_folder, workers, on_event),
            request,
            run_folder,
            as_json=as_json,
        )


def _run_name(plan: RunPlan) -> str:
    """Name a run after its material and the time."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in plan.label).strip("-") or plan.flow_name
    return f"{plain[:40]}-{datetime.now():%Y%m%d-%H%M%S}"
