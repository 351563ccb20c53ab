"""From a unit's flow to a workflow of FireWorks."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fireworks import LaunchPad, Workflow
from jobflow import Flow, JobStore
from jobflow.managers.fireworks import flow_to_workflow

from ....makers.resource_kind import load_resource_kind, resource_kind_of
from ..queue_engine import UnitTicket
from .marks import ENGINE_NAME, category_of


def unit_workflow(ticket: UnitTicket, flow: Flow, store: JobStore, cluster: str) -> Workflow:
    """Make the workflow of a unit.

    The store is written into it without credentials; workers have these from their environment.

    Parameters
    ----------
    ticket : UnitTicket
        What is written beside the jobs.
    flow : Flow
        The unit's jobs; their manager configuration is changed.
    store : JobStore
        Where outputs go.
    cluster : str
        Name of the cluster's profile.

    Returns
    -------
    Workflow
        Not yet on any launchpad.
    """
    for job, _ in flow.iterflow():
        kind = resource_kind_of(job)
        job.config.manager_config = {
            **job.config.manager_config,
            "_category": category_of(cluster, kind),
            "_priority": load_resource_kind(kind).priority,
            # A job whose parent failed fails at once for its missing input, unless it can do without: so failures run
            # down to the last job as they do on one machine, where FireWorks by itself would wait for ever.
            "_allow_fizzled_parents": True,
        }
        job.metadata = {**job.metadata, "engine": ENGINE_NAME}
    mark: dict[str, Any] = asdict(ticket)
    mark["campaign_ids"] = [mark.pop("campaign_id")]
    return flow_to_workflow(flow, store, name=f"{ticket.stage} of {ticket.label}", metadata={"superion": mark})


def add_workflows(launchpad: LaunchPad, workflows: Sequence[Workflow]) -> None:
    """Put workflows onto the launchpad, in a number of round trips that does not grow with theirs.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.
    workflows : sequence of Workflow
        What to add.
    """
    if not workflows:
        return
    # FireWorks draws a progress bar.
    with contextlib.redirect_stderr(io.StringIO()):
        launchpad.bulk_add_wfs(list(workflows))
