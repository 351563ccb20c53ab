"""Where a campaign keeps on disk what is no result: its lock and heartbeat, and the folders of its units."""

from __future__ import annotations

from pathlib import Path

from ...database.project import ProjectFolder


def campaign_folder(project: ProjectFolder, campaign_id: str) -> Path:
    """Locate the folder of a campaign's lock, heartbeat and workers' log.

    Parameters
    ----------
    project : ProjectFolder
        The project.
    campaign_id : str
        The campaign.

    Returns
    -------
    Path
        The folder; it may not be there yet.
    """
    return project.folder / "campaigns" / campaign_id


def unit_folder(project: ProjectFolder, stage_key: str) -> Path:
    """Locate the run folder of one unit, shared by all campaigns of the project.

    Parameters
    ----------
    project : ProjectFolder
        The project.
    stage_key : str
        Key of the unit.

    Returns
    -------
    Path
        The folder; it is there only while the unit is computed, and after a failure.
    """
    # Two levels: no folder holds tens of thousands of others.
    return project.folder / "units" / stage_key[:2] / stage_key
