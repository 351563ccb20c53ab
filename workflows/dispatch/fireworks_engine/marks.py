"""What superion writes into FireWorks' documents, and how it is asked for."""

from __future__ import annotations

import os
import pwd
from typing import Any

CAMPAIGN_IDS = "metadata.superion.campaign_ids"
STAGE_KEY = "metadata.superion.stage_key"
PARKED = "metadata.superion.parked"
"""Fields of a workflow: all campaigns that want it; its key; and paused or cancelled where its jobs must not start."""

ENGINE_NAME = "fireworks"

ADDRESS_FILE = "store_address"
"""File with the address of the result store, which only its owner reads."""

_PREFIX = "superion"
_PARKED_SUFFIX = ".parked"


def category_of(cluster: str, kind: str) -> str:
    """Name the category of the jobs of one kind on one cluster.

    Pilots take only jobs of their own category. So jobs stay on the cluster that holds their checkpoints, continuations
    too, and nobody else's workers on the same launchpad take them: two users may name their profiles alike, and have
    work folders of their own.

    Parameters
    ----------
    cluster : str
        Name of the cluster's profile.
    kind : str
        Name of the kind.

    Returns
    -------
    str
        The category.

    Examples
    --------
    >>> category_of("slurm_gpu", "md").endswith(".slurm_gpu.md")
    True
    """
    return f"{_PREFIX}.{_user()}.{cluster}.{kind}"


def with_kind(category: str, kind: str) -> str:
    """Name the category of another kind of job on the same cluster.

    Parameters
    ----------
    category : str
        What `category_of` gives.
    kind : str
        Name of its resource kind.

    Returns
    -------
    str
        The category of that kind; one that is not ours stays as it is.

    Examples
    --------
    >>> with_kind("superion.me.slurm_gpu.analysis", "md"), with_kind("their_own", "md")
    ('superion.me.slurm_gpu.md', 'their_own')
    """
    cluster, _, _ = category.rpartition(".")
    return f"{cluster}.{kind}" if cluster.startswith(f"{_PREFIX}.") else category


def parked(category: str) -> str:
    """Name the category that no pilot takes, for jobs that are to wait.

    Parameters
    ----------
    category : str
        What `category_of` gives.

    Returns
    -------
    str
        Another category.
    """
    return category if category.endswith(_PARKED_SUFFIX) else category + _PARKED_SUFFIX


def unparked(category: str) -> str:
    """Undo `parked`.

    Parameters
    ----------
    category : str
        A category, parked or not.

    Returns
    -------
    str
        The category that pilots take.

    Examples
    --------
    >>> unparked(parked("superion.slurm_gpu.md"))
    'superion.slurm_gpu.md'
    """
    return category.removesuffix(_PARKED_SUFFIX)


def of_campaign(campaign_id: str) -> dict[str, Any]:
    """Ask for the workflows of a campaign.

    Parameters
    ----------
    campaign_id : str
        The campaign.

    Returns
    -------
    dict
        Criteria on FireWorks' workflows.
    """
    return {CAMPAIGN_IDS: campaign_id}


def _user() -> str:
    """Name the user of this process, who is that of its workers."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        # Containers may run under numbers that have no name.
        return str(os.getuid())
