"""Finding sources of candidates by name: ours and those of other packages."""

from __future__ import annotations

from functools import cache

from ...plugins import PluginGroup
from .source import CandidateSource

SOURCES: PluginGroup[CandidateSource] = PluginGroup(
    "superion.candidate_sources", "source of candidates", CandidateSource
)
"""The entry points by which any package registers a source."""


@cache
def source_kinds() -> tuple[str, ...]:
    """List the names of all sources.

    Returns
    -------
    tuple of str
        Sorted names.

    Examples
    --------
    >>> "files" in source_kinds()
    True
    """
    return SOURCES.names()


@cache
def load_source(kind: str) -> CandidateSource:
    """Load a source by name.

    Parameters
    ----------
    kind : str
        Its name in the campaign file.

    Returns
    -------
    CandidateSource
        The source.

    Raises
    ------
    SettingsError
        If there is none, the nearest known one being named, or its package does not load.

    Examples
    --------
    >>> load_source("files").kind
    'files'
    """
    return SOURCES.load(kind)()
