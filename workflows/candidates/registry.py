"""Finding sources of candidates by name: ours and those of other packages."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import entry_points

from ...errors import SettingsError
from .source import CandidateSource

GROUP = "superion.candidate_sources"
"""Entry point group of sources."""


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
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


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
    found = [point for point in entry_points(group=GROUP) if point.name == kind]
    if not found:
        near = difflib.get_close_matches(kind, source_kinds(), n=1, cutoff=0.0)
        hint = f"did you mean '{near[0]}'?" if near else "no package registers one."
        raise SettingsError(f"There is no source of candidates '{kind}': {hint}")
    try:
        source_class = found[0].load()
    except Exception as error:
        raise SettingsError(
            f"The source of candidates '{kind}' of {found[0].value} does not load ({type(error).__name__}: {error}): "
            "mend or uninstall the package that registers it."
        ) from error
    return source_class()
