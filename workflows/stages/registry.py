"""Finding stages by name: ours and those of other packages."""

from __future__ import annotations

from functools import cache

from ...plugins import PluginGroup
from .stage import Stage

STAGES: PluginGroup[Stage] = PluginGroup("superion.stages", "stage", Stage)
"""The entry points by which any package registers a stage."""


@cache
def stage_names() -> tuple[str, ...]:
    """List the names of all stages.

    Returns
    -------
    tuple of str
        Sorted names.

    Examples
    --------
    >>> "conductivity" in stage_names()
    True
    """
    return STAGES.names()


@cache
def load_stage(name: str) -> Stage:
    """Load a stage by name.

    Parameters
    ----------
    name : str
        Its name in the campaign file.

    Returns
    -------
    Stage
        The stage.

    Raises
    ------
    SettingsError
        If there is none, the nearest known one being named, or its package does not load.

    Examples
    --------
    >>> load_stage("percolation").name
    'percolation'
    """
    return STAGES.load(name)()
