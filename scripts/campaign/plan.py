"""`superion campaign plan`: what a campaign would do and cost, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import results_console, write_json
from ..options import JsonOption, StoreOption
from .check import CampaignFileArgument
from .submit import refuse_without_candidates

if TYPE_CHECKING:
    from rich.console import Console

    from ...database.campaigns import CampaignCollections
    from ...workflows.campaign.plan.documents import CampaignPlan

_SHOWN_REJECTIONS = 10


def plan(
    file: CampaignFileArgument,
    timing: Annotated[
        bool, typer.Option("--timing/--no-timing", help="Load the potential and time it, for the cost.")
    ] = True,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count candidates and work of a campaign, estimate its cost, and say what would be reused.

    What a submission would turn away is listed with its reason, and is no part of the work.
    """
    import os

    # One thread, as in a worker; it must be set before torch loads.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from ...workflows.campaign.file.load import load_ready_campaign_file
    from ...workflows.campaign.file.told_by_line import told_by_line
    from ...workflows.campaign.plan.make import plan_campaign
    from ...workflows.student_names import StudentNames

    collections = _existing_collections(store)
    folder = Path(file).resolve().parent
    jobs = None if collections is None else collections.jobs
    try:
        campaign = load_ready_campaign_file(file, StudentNames(near=folder, store=jobs))
        with told_by_line(file):
            planned = plan_campaign(campaign, folder, collections, with_timing=timing)
    finally:
        if collections is not None:
            collections.close()
    if as_json:
        write_json(planned)
    else:
        _print(planned, results_console())
    refuse_without_candidates(campaign.name, planned.n_usable, len(planned.rejected))


def _existing_collections(store: str | None) -> CampaignCollections | None:
    """Open the store where there is one; a plan makes none."""
    from ...database.campaigns import CampaignCollections
    from ...errors import StoreError

    try:
        return CampaignCollections.open(store, create=False)
    except StoreError:
        if store is not None and "://" in store:
            raise
        return None


def _print(planned: CampaignPlan, console: Console) -> None:
    """Print a plan for a reader."""
    from rich.table import Table

    def line(title: str, text: str) -> None:
        console.print(f"{title:<13} {text}", markup=False, soft_wrap=True)

    line("campaign", planned.name)
    for source in planned.sources:
        line("source", f"{source.kind}: {_source_text(source.n_read, source.n_duplicates, source.n_rejected)}")
    known = f", {planned.n_known} submitted before" if planned.n_known else ""
    line("candidates", f"{planned.n_candidates}{known}")
    if planned.n_without_mobile_ion:
        line("", f"{planned.n_without_mobile_ion} without the mobile ion, which are rejected")
    for item in planned.rejected[:_SHOWN_REJECTIONS]:
        line("rejected", f"{item.identifier}: {item.reason}")
    if len(planned.rejected) > _SHOWN_REJECTIONS:
        line("", f"… and {len(planned.rejected) - _SHOWN_REJECTIONS} more; --json lists all")
    line("disordered", _ordering_text(planned))
    for reason in planned.ordering.reasons:
        line("", reason)
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for title in ("stage", "structures", "known", "steps", "core-hours"):
        table.add_column(title, justify="left" if title == "stage" else "right")
    for stage in planned.stages:
        hours = "" if stage.core_hours is None else f"{stage.core_hours:.3g}"
        table.add_row(stage.stage, str(stage.n_units), str(stage.n_reused), f"{stage.n_steps:,}", hours)
        for work in planned.shared_works:
            if work.stage == stage.stage:
                hours = "" if work.core_hours is None else f"{work.core_hours:.3g}"
                table.add_row(f"  {work.kind}", str(work.n_works), str(work.n_reused), f"{work.n_steps:,}", hours)
    console.print(table)
    for timed in planned.timings:
        cell = f"{timed.potential}: {timed.formula}, {timed.n_atoms} atoms"
        line("timing", f"{cell}: {1e3 * timed.seconds_per_step:.3g} ms a step")
    if planned.core_hours is not None and planned.wall_hours is not None:
        line(
            "cost",
            f"about {planned.core_hours:.3g} core-hours, {planned.wall_hours:.3g} h with {planned.workers} workers, "
            "with all candidates in all stages, runs of full length and relaxations of a usual one",
        )
    for note in planned.notes:
        line("note", note)


def _source_text(n_read: int, n_duplicates: int, n_rejected: int) -> str:
    parts = [f"{n_read} structures"]
    if n_duplicates:
        parts.append(f"{n_duplicates} of them duplicates")
    if n_rejected:
        parts.append(f"{n_rejected} entries rejected")
    return ", ".join(parts)


def _ordering_text(planned: CampaignPlan) -> str:
    ordering = planned.ordering
    text = f"{ordering.n_disordered} candidates"
    if ordering.n_already_ordered:
        text += f", {ordering.n_already_ordered} ordered already"
    if ordering.seconds_per_candidate is not None:
        text += (
            f"; {ordering.n_sampled} tried: {ordering.seconds_per_candidate:.2g} s each, "
            f"{ordering.n_failed} of them rejected"
        )
    return text
