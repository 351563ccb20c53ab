"""Which pilots take a job: said when a unit is handed over, and again for the jobs that a job makes while it runs."""

from __future__ import annotations

from typing import Any

from fireworks import FWAction
from jobflow import Job

from ....runtime.resource_kind import DEFAULT_KIND, load_resource_kind, resource_kind_of, resource_kinds
from .marks import with_kind


def take_by_kind(category: str, kind: str) -> dict[str, Any]:
    """Say in FireWorks' words who takes a job, and before which others.

    Parameters
    ----------
    category : str
        Category of any kind of job on the cluster.
    kind : str
        Name of its resource kind.

    Returns
    -------
    dict
        Entries of the job's specification.
    """
    return {"_category": with_kind(category, kind), "_priority": load_resource_kind(kind).priority}


def sort_generated_jobs(action: FWAction) -> None:
    """Send the jobs that a job made to the pilots of their own kinds: they come with the settings of that job.

    Parameters
    ----------
    action : FWAction
        What became of a job; its detours and additions are changed.
    """
    for workflow in [*action.detours, *action.additions]:
        for firework in workflow.fws:
            for job in [task["job"] for task in firework.tasks if isinstance(task.get("job"), Job)]:
                # Only in superion's own units do jobs say who takes them.
                category = job.config.manager_config.get("_category")
                # One of a kind that is not registered here goes where its maker went.
                if category is not None and getattr(job.maker, "resource_kind", DEFAULT_KIND) in resource_kinds():
                    entries = take_by_kind(category, resource_kind_of(job))
                    # What this job makes in its turn comes with its settings.
                    job.config.manager_config |= entries
                    firework.spec |= entries
