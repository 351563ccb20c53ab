"""Whether a limit of a campaign file is reached, whoever computes the campaign."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from ...database.documents.campaign_record import CampaignRecord
from .file.limits import Limits


def reason_to_stop(
    record: CampaignRecord | None,
    limits: Limits,
    *,
    file_text: str,
    elapsed_s: float,
    core_seconds: float,
    folders: Iterable[Path],
) -> str | None:
    """Say why nothing new may begin: the user paused the campaign or changed its file, or a limit of it is reached.

    Parameters
    ----------
    record : CampaignRecord or None
        The campaign as it is stored now.
    limits : Limits
        Its limits.
    file_text : str
        Text of its file when this run began.
    elapsed_s : float
        Time since this run began, in s.
    core_seconds : float
        Time that all runs have used, in s of one core.
    folders : iterable of Path
        Folders whose disks must have room.

    Returns
    -------
    str or None
        One sentence; None where nothing is in the way.
    """
    if record is None or record.paused:
        return "it was paused"
    if record.file_text != file_text:
        return "the campaign file was changed, which counts for the next run"
    if any(shutil.disk_usage(folder).free < limits.minimum_free_disk_gb * 1e9 for folder in folders):
        return (
            f"less than limits.minimum_free_disk_gb = {limits.minimum_free_disk_gb:g} GB are free: free some space "
            "or lower that limit"
        )
    if limits.maximum_wall_time_h is not None and elapsed_s > 3600.0 * limits.maximum_wall_time_h:
        return f"limits.maximum_wall_time_h = {limits.maximum_wall_time_h:g} is over"
    if limits.maximum_core_hours is not None and core_seconds > 3600.0 * limits.maximum_core_hours:
        return f"limits.maximum_core_hours = {limits.maximum_core_hours:g} is used up"
    return None


def given_up_after(hours: float) -> str:
    """Say why a unit was stopped that took too long.

    Parameters
    ----------
    hours : float
        The limit of one unit, in h.

    Returns
    -------
    str
        One sentence that says how to go on.

    Examples
    --------
    >>> given_up_after(2.0)[:52]
    'it was stopped after limits.maximum_unit_hours = 2: '
    """
    return (
        f"it was stopped after limits.maximum_unit_hours = {hours:g}: raise that limit, or mend what takes so long, "
        "then try it again with `superion campaign retry --failed`"
    )
