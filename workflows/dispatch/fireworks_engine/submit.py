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

from ....runtime.resource_kind import DEFAULT_KIND, resource_kind_of
from ..queue_engine import UnitTicket
from .kinds import take_by_kind
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
            **take_by_kind(category_of(cluster, DEFAULT_KIND), kind),
            # A job whose parent failed fails at once for its missing input, unless it can do without: so failures run
            # down to the last job as they do on one machine, where FireWorks by itself would wait for ever.
            "_allow_fizzled_parents": True,
        }
    flow.update_metadata({"engine": ENGINE_NAME}, dynamic=True)
    mark: dict[str, Any] = asdict(ticket)
    mark["campaign_ids"] = [mark.pop("campaign_id")]
    name = f"{ticket.stage} of {ticket.label}"
    # What units share lies in the store by now: it is of another workflow.
    return flow_to_workflow(flow, store, allow_external_references=True, name=name, metadata={"superion": mark})


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
