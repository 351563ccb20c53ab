"""`superion cluster check`: whether a cluster is ready, and how to mend what is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..console import results_console, say, write_json
from ..options import JsonOption, PotentialOption, StoreOption
from .options import EngineOption, ProfileArgument, ProjectOption

if TYPE_CHECKING:
    from ...makers.resource_kind import ResourceKind
    from ...workflows.clusters.check.run import CheckRequest
    from ...workflows.dispatch.queue_engine import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "skipped": "dim"}


def check(
    name: ProfileArgument,
    store: StoreOption = None,
    potential: PotentialOption = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="Only this kind of job: relax, md or analysis; may be repeated."),
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

    With --engine, the engine's own parts too. Exit status 1 if there is an error.
    """
    from ...database.settings import store_from_environment
    from ...workflows.clusters.check.run import CheckRequest
    from ...workflows.clusters.find import load_cluster

    request = CheckRequest(
        profile=load_cluster(name),
        store=store or store_from_environment(),
        potential=potential,
        kinds=_kinds(kind),
        needs_store=engine == "fireworks",
        timeout_s=timeout_s,
    )
    settings = {"engine": engine, "cluster": name}
    settings |= {"project": project} if engine == "jobflow_remote" else {"launchpad": launchpad}
    findings = []
    for finding in _findings(request, settings if engine else None):
        findings.append(finding)
        if not as_json:
            _show(finding)
    n_errors = sum(finding.state == "error" for finding in findings)
    if as_json:
        write_json({"cluster": name, "ready": not n_errors, "findings": [vars(finding) for finding in findings]})
    else:
        things = "one thing" if n_errors == 1 else f"{n_errors} things"
        verdict = f"{name} is not ready: {things} to mend." if n_errors else f"{name} is ready."
        results_console().print(verdict, markup=False)
    if n_errors:
        raise typer.Exit(1)


def _kinds(named: list[str] | None) -> list[ResourceKind]:
    from ...errors import SettingsError
    from ...makers.resource_kind import RESOURCE_KINDS

    for word in named or ():
        if word not in RESOURCE_KINDS:
            raise SettingsError(f"There is no kind of job '{word}': there are {', '.join(RESOURCE_KINDS)}.")
    return cast("list[ResourceKind]", list(dict.fromkeys(named or RESOURCE_KINDS)))


def _findings(request: CheckRequest, engine: dict[str, str | None] | None) -> Iterator[Finding]:
    from ...workflows.clusters.check.run import check_cluster

    yield from check_cluster(request, say)
    if engine is not None:
        yield from _engine_findings(request.store, engine)


def _engine_findings(store: str | None, settings: dict[str, str | None]) -> Iterator[Finding]:
    from ...database.campaigns import CampaignCollections
    from ...errors import SuperionError
    from ...workflows.dispatch.queue_engine import Finding
    from ...workflows.dispatch.settings import dispatch_settings

    if store is None:
        return
    dispatch = dispatch_settings(settings)
    try:
        with CampaignCollections.open(store) as collections:
            engine = dispatch.open_engine(collections)
            try:
                yield from engine.check()
            finally:
                engine.close()
    except SuperionError as error:
        yield Finding(str(settings["engine"]), "error", str(error).rstrip("."))


def _show(finding: Finding) -> None:
    from rich.markup import escape

    colour = _COLOURS[finding.state]
    told = f"[{colour}]{finding.state:<8}[/] [bold]{escape(finding.subject)}[/]  {escape(finding.message)}"
    results_console().print(told, soft_wrap=True)
