"""From the jobs of a stage to its flow, with the names that a campaign finds it by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobflow import Flow, Job
from pymatgen.core import Structure

from ...database.documents import CandidateDoc
from ...makers.spot_check import SpotCheckMaker
from ...runtime.checkpoint_root import default_checkpoint_root
from .stage import Stage, StageContext, stage_key
from .stage_document import RejectionMaker, StageIdentity, stage_candidate


def identity_of(stage: Stage, structure: Structure, settings: Any, context: StageContext) -> StageIdentity:
    """Name the result of a stage.

    Parameters
    ----------
    stage : Stage
        The stage.
    structure : Structure
        Ordered structure that it starts from.
    settings : StageSettings
        Its settings.
    context : StageContext
        Potential, ion, names.

    Returns
    -------
    StageIdentity
        Name and key.
    """
    return StageIdentity(stage=stage.name, stage_key=stage_key(stage, structure, settings, context))


def candidate_of(structure: Structure, context: StageContext) -> CandidateDoc:
    """Wrap the structure that a stage starts from.

    Parameters
    ----------
    structure : Structure
        An ordered structure.
    context : StageContext
        Potential, ion, names.

    Returns
    -------
    CandidateDoc
        What the Makers take.
    """
    return stage_candidate(structure, context.mobile_ion, context.ion_charge, context.label, context.campaign_id)


def checkpoint_root_of(context: StageContext) -> str:
    """Fix the folder of trajectories and relaxations now, since jobs may run in folders of their own.

    Parameters
    ----------
    context : StageContext
        Potential, ion, names.

    Returns
    -------
    str
        Path of the folder.
    """
    return str(context.checkpoint_root or default_checkpoint_root())


def spot_check_of(context: StageContext) -> SpotCheckMaker | None:
    """Set up the comparison of a student with its teacher along the runs of a stage.

    Parameters
    ----------
    context : StageContext
        Potential, teacher, and how often it looks.

    Returns
    -------
    SpotCheckMaker or None
        None where the potential is no student, or no check is asked for.
    """
    if context.teacher is None or context.spot_check_ps is None:
        return None
    return SpotCheckMaker(teacher=context.teacher, potential=context.potential, interval_ps=context.spot_check_ps)


def assemble(identity: StageIdentity, jobs: Sequence[Flow | Job], last: Job, context: StageContext) -> Flow:
    """Make the flow of a stage.

    Parameters
    ----------
    identity : StageIdentity
        Which stage result it gives.
    jobs : sequence of Flow or Job
        Everything before the last job.
    last : Job
        The job whose output is the `StageDoc`.
    context : StageContext
        Its campaign is written into the metadata of all jobs.

    Returns
    -------
    Flow
        Named after the stage and the material.
    """
    flow = Flow([*jobs, last], output=last.output, name=f"{identity.stage} {context.label}".strip())
    flow.update_metadata(
        {"campaign_id": context.campaign_id, "stage": identity.stage, "stage_key": identity.stage_key},
        dynamic=True,
    )
    return flow


def rejected(identity: StageIdentity, candidate: CandidateDoc, reason: str, context: StageContext) -> Flow:
    """Make the flow of a stage for a structure that is known to be unfit before any work.

    Parameters
    ----------
    identity : StageIdentity
        Which stage result it gives.
    candidate : CandidateDoc
        The structure.
    reason : str
        Why it is unfit.
    context : StageContext
        Potential, ion, names.

    Returns
    -------
    Flow
        One job, whose output is a rejection.
    """
    return assemble(identity, [], RejectionMaker().make(identity, candidate, reason), context)
