"""`superion db`: the store itself: made, checked, indexed, brought to the newest layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import say, write_json
from .options import JsonOption, StoreOption

app = typer.Typer(help="The result store: make it, check it, index it, bring it to the newest layouts.")


@app.command("init")
def init(store: StoreOption = None) -> None:
    """Make the store and its indexes where they are missing."""
    from ..database.campaigns import CampaignCollections

    with CampaignCollections.open(store) as collections:
        say(f"the store {collections.jobs.docs_store.name} is ready")


@app.command("index")
def index(store: StoreOption = None) -> None:
    """Make the indexes of the usual queries that are missing."""
    from ..database.campaigns import CampaignCollections
    from ..database.usual_queries import ensure_usual_indexes

    with CampaignCollections.open(store, create=False) as collections:
        n_indexes = ensure_usual_indexes(collections.candidates)
        say(f"{n_indexes} indexes serve the usual queries of {collections.candidates.count()} candidates")


@app.command("check")
def check(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Read every candidate and campaign, and name those that cannot be read; exit status 1 if there are any."""
    from ..database.campaigns import CampaignCollections
    from ..database.check import check_store

    with CampaignCollections.open(store, create=False) as collections:
        report = check_store(collections)
    if as_json:
        write_json(report)
    else:
        for problem in report.problems:
            say(f"problem: {problem}")
        say(
            f"{report.n_campaigns} campaigns, {report.n_candidates} candidates, {report.n_jobs} documents of jobs: "
            f"{len(report.problems) or 'no'} problems"
        )
    if report.problems:
        raise typer.Exit(1)


@app.command("flush")
def flush(
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="FOLDER", help="Where results wait; the usual places if not given."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put results into the store that wait on the disk because its server did not answer.

    Every process that connects does so, too; what living processes hold is theirs.
    """
    from ..database.flush import FlushReport, flush_spool
    from ..database.spool import spool_folders, waiting
    from .opened_store import opened_store

    places = [folder] if folder is not None else spool_folders()
    n_before = len(waiting(places))
    # Opening the store takes what is in the usual places already.
    with opened_store(store) as opened:
        found = flush_spool(opened, places)
    n_taken = n_before - found.n_waiting - len(found.problems)
    report = FlushReport(**found.model_dump() | {"n_files": max(found.n_files, n_taken)})
    if as_json:
        write_json(report)
    else:
        for problem in report.problems:
            say(f"problem: {problem}")
        say(f"{report.n_files} files of results are in the store, {report.n_waiting} wait on")
    if report.problems:
        raise typer.Exit(1)


@app.command("migrate")
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring documents that an older superion wrote to the layouts of this one; twice does no more than once."""
    from ..database.campaigns import CampaignCollections
    from ..database.migrations import migrate as migrate_store

    with CampaignCollections.open(store, create=False) as collections:
        counts = migrate_store(collections, dry_run=dry_run)
    if as_json:
        write_json(
            [
                {
                    "kind": count.kind,
                    "from_version": count.from_version,
                    "to_version": count.to_version,
                    "n_documents": count.n_documents,
                    "descriptions": count.descriptions,
                }
                for count in counts
            ]
        )
        return
    if not counts:
        say("all documents have the layouts of this superion: nothing to do")
    verb = "would be brought" if dry_run else "brought"
    for count in counts:
        steps = "; ".join(count.descriptions)
        say(f"{count.n_documents} {count.kind} {verb} from layout {count.from_version} to {count.to_version}: {steps}")
