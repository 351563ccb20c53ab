"""From a command to a running flow: checked, planned, started on this machine."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .console import messages_console, results_console, say, write_json

if TYPE_CHECKING:
    import typer

    from .plan import RunPlan

LONGEST_NAME = 200
"""Bytes of a run's name; a file system takes 255 in a folder's name."""


@dataclass(frozen=True)
class LaunchRequest:
    """How a flow is to be run.

    Parameters
    ----------
    name : str or None
        Name of the run; None for a generated one.
    workers : int or None
        Number of processes; None for one per core.
    store : str or None
        Store as the user named it; None for the project's own.
    dry_run : bool
        Whether to check and plan only.
    as_json : bool
        Whether to print JSON.
    name_option : str
        The option by which the command takes the name, for messages.
    """

    name: str | None
    workers: int | None
    store: str | None
    dry_run: bool
    as_json: bool
    name_option: str = "--name"


def launch(
    context: typer.Context,
    flow: str,
    inputs: Sequence[str],
    *,
    options: Mapping[str, Any],
    request: LaunchRequest,
    preset: str | None = None,
    settings: Sequence[str] = (),
    label: str | None = None,
    force: bool = False,
) -> None:
    """Check a flow as the user asks for it, print its plan and run it.

    Parameters
    ----------
    context : typer.Context
        The command that asks; its options are known.
    flow : str
        Registered name of the flow.
    inputs : sequence of str
        Inputs of the flow, and options that only the flow knows.
    options : mapping of str to object
        Values of short forms of settings; None values are left out.
    request : LaunchRequest
        How it is to be run.
    preset : str or None
        Settings to begin with.
    settings : sequence of str
        Assignments such as ``md.time_step_fs=1``.
    label : str or None
        Name of the material in documents.
    force : bool
        Whether a rejected potential may be used.
    """
    from ..flows.registry import describe_flow
    from .flow_words import split_words
    from .plan import make_plan

    described = describe_flow(flow)
    own_options = [option for parameter in context.command.params for option in parameter.opts]
    words, flow_options = split_words(inputs, described, own_options)
    plan = make_plan(
        described,
        *words,
        preset=preset,
        options=flow_options | dict(options),
        settings=settings,
        label=label,
        store=request.store,
        force=force,
    )
    check_place(request.name, request.store, request.name_option)
    if request.dry_run and request.as_json:
        write_json(plan.as_data())
        return
    plan.print(results_console() if request.dry_run else messages_console())
    if not request.dry_run:
        _execute(plan, name=request.name, workers=request.workers, store=request.store, as_json=request.as_json)


def check_place(name: str | None, store: str | None, name_option: str = "--name") -> None:
    """Refuse a name that no new run can have, and a store that cannot be opened; makes nothing.

    Parameters
    ----------
    name : str or None
        Name of the run; None for a generated one.
    store : str or None
        Store as the user named it; None for the project's own.
    name_option : str
        The option by which the name came, for messages.

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
                f"{name_option} wants a plain name without slashes, of at most {LONGEST_NAME} letters, not "
                f"'{name[:80]}'; choose another."
            )
        if (project.runs / name).exists():
            raise SettingsError(
                f"There is a run named {name} already; choose another {name_option}, or continue it with "
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
    say(f"run {run_folder.name}: Ctrl-C stops it cleanly, `superion resume {run_folder.name}` continues it")
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
