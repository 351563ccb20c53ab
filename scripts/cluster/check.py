"""`superion cluster check`: whether a cluster is ready, and how to mend what is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..completion import cluster_names
from ..console import results_console, say, write_json
from ..options import JsonOption, PotentialOption, StoreOption, parse_potential
from .options import EngineOption, ProjectOption

if TYPE_CHECKING:
    from ...potentials.specification import PotentialSpecification
    from ...workflows.clusters.check.run import CheckRequest
    from ...workflows.clusters.profile import ClusterProfile
    from ...workflows.dispatch.queue_engine import Finding
    from ...workflows.dispatch.settings import ClusterDispatch

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "skipped": "dim"}


def check(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Name of a profile (`superion cluster list`), or its file.",
            autocompletion=cluster_names,
        ),
    ] = None,
    campaign: Annotated[
        Path | None,
        typer.Option(
            "--campaign",
            metavar="FILE",
            help="A campaign file in place of NAME: its cluster, resources, engine and potentials.",
        ),
    ] = None,
    store: StoreOption = None,
    potential: PotentialOption = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="Only this kind of job, such as md; may be repeated."),
    ] = None,
    engine: EngineOption = None,
    project: ProjectOption = "superion",
    launchpad: Annotated[
        str | None, typer.Option("--launchpad", metavar="FILE", help="FireWorks' launchpad; the store's own server's.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for the tiny jobs.")
    ] = 300.0,
    as_json: JsonOption = False,
) -> None:
    """Try everything that a campaign needs: database, folders, queue, and a tiny job of each kind.

    With --engine or --campaign, the engine's own parts too. Exit status 1 if there is an error.
    """
    from ...database.settings import store_from_environment
    from ...workflows.clusters.check.run import CheckRequest
    from ...workflows.student_names import StudentNames

    names = StudentNames(location=store)
    potentials: tuple[PotentialSpecification, ...] = (names.resolve(parse_potential(potential)),) if potential else ()
    dispatch: ClusterDispatch | None
    if campaign is not None:
        dispatch, of_campaign = _of_campaign(campaign, name)
        profile, potentials = dispatch.profile(), potentials or of_campaign
    else:
        profile, dispatch = _of_name(name, engine, project, launchpad)
    request = CheckRequest(
        profile=profile,
        store=store or store_from_environment(),
        potentials=potentials,
        kinds=_kinds(kind),
        engine=dispatch.engine if dispatch else None,
        timeout_s=timeout_s,
    )
    findings = []
    for finding in _findings(request, dispatch):
        findings.append(finding)
        if not as_json:
            _show(finding)
    n_errors = sum(finding.state == "error" for finding in findings)
    shown = dispatch.cluster if dispatch else str(name)
    if as_json:
        write_json({"cluster": shown, "ready": not n_errors, "findings": [vars(finding) for finding in findings]})
    else:
        things = "one thing" if n_errors == 1 else f"{n_errors} things"
        waiting = [
            finding.subject for finding in findings if finding.state == "warning" and "still waits" in finding.message
        ]
        verdict = f"{shown} is ready."
        if waiting:
            verdict = f"{shown} may be ready: no worker was seen ({', '.join(waiting)})."
        if n_errors:
            verdict = f"{shown} is not ready: {things} to mend."
        results_console().print(verdict, markup=False)
    if n_errors:
        raise typer.Exit(1)


def _of_campaign(file: Path, name: str | None) -> tuple[ClusterDispatch, tuple[PotentialSpecification, ...]]:
    """Take cluster, engine and potentials from a campaign file."""
    from ...errors import SettingsError
    from ...workflows.campaign.file.load import load_campaign_file
    from ...workflows.dispatch.settings import ClusterDispatch

    if name is not None:
        raise SettingsError(f"The campaign file {file} names its cluster: leave {name} out, or --campaign.")
    campaign = load_campaign_file(file)
    if not isinstance(campaign.dispatch, ClusterDispatch):
        raise SettingsError(f"The campaign file {file} names no cluster in `dispatch`: there is nothing to check.")
    used = {one.specification.model_dump_json(): one.specification for one in campaign.used_potentials()}
    return campaign.dispatch, tuple(used.values())


def _of_name(
    name: str | None, engine: str | None, project: str, launchpad: str | None
) -> tuple[ClusterProfile, ClusterDispatch | None]:
    """Load a profile by name, and the engine's settings where one is named."""
    from ...errors import SettingsError
    from ...workflows.clusters.find import load_cluster
    from ...workflows.dispatch.settings import ClusterDispatch, dispatch_settings

    if name is None:
        raise SettingsError("Name a cluster, see `superion cluster list`, or a campaign file with --campaign.")
    if engine is None:
        return load_cluster(name), None
    further = {"project": project} if engine == "jobflow_remote" else {"launchpad": launchpad}
    dispatch = dispatch_settings({"engine": engine, "cluster": name, **further})
    if not isinstance(dispatch, ClusterDispatch):
        raise SettingsError(f"The engine {engine} needs no cluster: leave --engine out.")
    return dispatch.profile(), dispatch


def _kinds(named: list[str] | None) -> list[str]:
    from ...runtime.resource_kind import load_resource_kind, resource_kinds

    for name in named or ():
        load_resource_kind(name)
    return list(dict.fromkeys(named or resource_kinds()))


def _findings(request: CheckRequest, dispatch: ClusterDispatch | None) -> Iterator[Finding]:
    from ...workflows.clusters.check.run import check_cluster

    yield from check_cluster(request, say)
    if dispatch is not None and request.store is not None:
        yield from _engine_findings(request.store, dispatch)


def _engine_findings(store: str, dispatch: ClusterDispatch) -> Iterator[Finding]:
    from ...database.campaigns import CampaignCollections
    from ...errors import SuperionError
    from ...workflows.dispatch.queue_engine import Finding

    try:
        with CampaignCollections.open(store) as collections:
            engine = dispatch.open_engine(collections)
            try:
                yield from engine.check()
            finally:
                engine.close()
    except SuperionError as error:
        yield Finding(f"engine {dispatch.engine}", "error", str(error).rstrip("."))


def _show(finding: Finding) -> None:
    from rich.markup import escape

    colour = _COLOURS[finding.state]
    told = f"[{colour}]{finding.state:<8}[/] [bold]{escape(finding.subject)}[/]  {escape(finding.message)}"
    results_console().print(told, soft_wrap=True)
