"""`superion db`: the store itself: made, checked, indexed, copied, brought to the newest layouts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import say, write_json
from .options import JsonOption, StoreOption

if TYPE_CHECKING:
    from ..database.backup import BackupReport

app = typer.Typer(help="The result store: make it, check it, index it, copy it, bring it to the newest layouts.")


@app.command("init")
def init(store: StoreOption = None) -> None:
    """Make the store and its indexes where they are missing."""
    from ..database.campaigns import CampaignCollections
    from ..database.shown_address import shown_name

    with CampaignCollections.open(store) as collections:
        say(f"the store {shown_name(collections.jobs.docs_store)} is ready")


@app.command("index")
def index(store: StoreOption = None) -> None:
    """Make the indexes of the usual queries that are missing."""
    from ..database.campaigns import CampaignCollections
    from ..database.usual_queries import usual_indexes

    with CampaignCollections.open(store, create=False) as collections:
        n_missing = len(collections.missing_indexes)
        if n_missing:
            say(f"problem: {n_missing} indexes are missing, for this user may not make them")
        n_indexes = len(usual_indexes()) - n_missing
        say(f"{n_indexes} indexes serve the usual queries of {collections.candidates.count()} candidates")


@app.command("refresh")
def refresh(
    everything: Annotated[
        bool, typer.Option("--everything", help="Look at all rows, not only at those with results since the last time.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the rows of candidates up to date with the results of their jobs, where no runner does so.

    It looks only at what was stored since the last time, knows no rules of campaigns, and never overwrites what another
    process has changed meanwhile.
    """
    from ..database.campaigns import CampaignCollections
    from ..database.summary_builder import SummaryBuilder

    with CampaignCollections.open(store, create=False) as collections:
        n_written = SummaryBuilder(collections=collections, everything=everything).build()
        n_rows = collections.candidates.count()
    if as_json:
        write_json({"n_written": n_written, "n_candidates": n_rows})
        return
    say(f"wrote {n_written} of {n_rows} rows of candidates; the others were up to date")


@app.command("check")
def check(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Read every candidate and campaign, and try indexes, bulk data and writing; exit status 1 if anything is wrong."""
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


OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Write over what is there.")]


@app.command("backup")
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE_OR_FOLDER", help="File to write, or a folder for it.")],
    overwrite: OverwriteOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything that the store keeps into one file: documents, campaigns, candidates, bulk data.

    Trajectories stay where they are. Any superion can restore the file into any kind of store. Bulk data that is
    damaged is left out and named; the exit status is 1 then.
    """
    from ..database.backup import back_up
    from ..database.campaigns import CampaignCollections

    with CampaignCollections.open(store, create=False) as collections:
        report = back_up(collections, target, overwrite=overwrite)
    if as_json:
        write_json(report)
    else:
        for problem in report.missing:
            say(f"problem: {problem}")
        say(f"wrote {report.path} ({report.n_bytes / 1e6:.3g} MB): {_counted(report)}")
    if report.missing:
        raise typer.Exit(1)


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `superion db backup` wrote.")],
    overwrite: OverwriteOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup into a store, of the same kind as it came from or of another one.

    The file is checked whole before anything is written. The store must be empty, unless --overwrite lets documents
    replace those with the same key.
    """
    from ..database.backup import restore as restore_store
    from ..database.campaigns import CampaignCollections
    from ..database.shown_address import shown_name

    with CampaignCollections.open(store) as collections:
        report = restore_store(collections, file, overwrite=overwrite)
        name = shown_name(collections.jobs.docs_store)
    if as_json:
        write_json(report)
        return
    say(f"{name} holds {_counted(report)}")


def _counted(report: BackupReport) -> str:
    """Say what was moved."""
    counts = report.n_documents
    return (
        f"{counts.get('jobs', 0)} documents of jobs, {counts.get('campaigns', 0)} campaigns, "
        f"{counts.get('candidates', 0)} candidates, {report.n_bulk} contents of bulk data"
    )


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
    from ..errors import SettingsError
    from .opened_store import opened_store

    if folder is not None and not folder.is_dir():
        raise SettingsError(f"There is no folder {folder}: correct --folder, or leave it out for the usual places.")
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
        whom = f" for {', '.join(report.waiting_for)}" if report.waiting_for else ""
        say(f"{report.n_files} files of results are in the store, {report.n_waiting} wait on{whom}")
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
