"""What the units of a campaign share, counted for its plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....errors import SuperionError
from ...stages.shared_flow import SharedFlow
from ..prepared import PreparedCampaign
from ..student_groups import StudentGroup, planned_group
from .documents import PlannedSharedWork
from .timing import StepTime

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ....database.campaigns import CampaignCollections


def plan_shared_works(
    prepared: PreparedCampaign,
    structures: Sequence[Structure],
    collections: CampaignCollections | None,
    step_times: Sequence[StepTime | None],
) -> tuple[tuple[PlannedSharedWork, ...], list[str]]:
    """Count the shared work that structures need, each key once for all stages.

    Parameters
    ----------
    prepared : PreparedCampaign
        The campaign.
    structures : sequence of Structure
        Ordered structures, or stand-ins of them.
    collections : CampaignCollections or None
        The store, to see what is known; nothing is if None.
    step_times : sequence of StepTime or None
        For each stage, how long its potential takes; None where it was not timed.

    Returns
    -------
    planned : tuple of PlannedSharedWork
        One for each stage and kind; empty where nothing is shared.
    notes : list of str
        Why a stage could not say what it shares.
    """
    counted: set[str] = set()
    planned: list[PlannedSharedWork] = []
    notes: list[str] = []
    for index, (stage, _) in enumerate(prepared.stages):
        kinds: dict[str, dict[str, SharedFlow]] = {}
        for structure in structures:
            try:
                declared = prepared.shared_flows(index, structure, "plan", _group_of(prepared, index, structure))
            except SuperionError as error:
                notes.append(f"what the stage '{stage.name}' shares is not counted: {error}")
                break
            for flow in (one.flow for one in declared if one.flow.key not in counted):
                kinds.setdefault(flow.kind, {}).setdefault(flow.key, flow)
        for kind, flows in kinds.items():
            counted |= flows.keys()
            planned.append(_planned(stage.name, kind, flows, collections, step_times[index]))
    return tuple(planned), notes


def _group_of(prepared: PreparedCampaign, stage_index: int, structure: Structure) -> StudentGroup | None:
    """Say what the student of a stage would be trained for; None where it computes with none."""
    students = prepared.distillations[stage_index]
    return None if students is None else planned_group(students.per, structure, prepared.campaign_id)


def _planned(
    stage: str,
    kind: str,
    flows: dict[str, SharedFlow],
    collections: CampaignCollections | None,
    step_time: StepTime | None,
) -> PlannedSharedWork:
    known = set() if collections is None else set(collections.latest_stage_docs(flows, with_structures=False))
    work = [part for key, flow in flows.items() if key not in known for part in flow.estimated_steps]
    return PlannedSharedWork(
        stage=stage,
        kind=kind,
        n_works=len(flows),
        n_reused=len(known),
        n_steps=sum(n_steps for n_steps, _ in work),
        core_hours=0.0 if not work else None if step_time is None else step_time.total_seconds(work) / 3600.0,
    )
