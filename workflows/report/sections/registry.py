"""Finding report sections by kind of document: ours and those of other packages."""

from __future__ import annotations

from functools import cache

from ....errors import StoreError
from ....plugins import PluginGroup
from .section import ReportSection

SECTIONS: PluginGroup[ReportSection] = PluginGroup("superion.report_sections", "report section", ReportSection)
"""The entry points by which any package registers a report section under the `doc_type` that it is about."""


@cache
def section_of(doc_type: str) -> ReportSection | None:
    """Load the report section of a kind of document.

    Parameters
    ----------
    doc_type : str
        Kind of document.

    Returns
    -------
    ReportSection or None
        None where the kind has no report, or what is registered does not load.

    Warns
    -----
    BrokenPluginWarning
        In the latter case.

    Examples
    --------
    >>> section_of("relax") is None
    True
    """
    section = SECTIONS.find_sound(doc_type)
    return None if section is None else section()


def require_section(doc_type: str) -> ReportSection:
    """Load the report section of a kind of document that must have one.

    Parameters
    ----------
    doc_type : str
        Kind of document.

    Returns
    -------
    ReportSection
        The section.

    Raises
    ------
    StoreError
        If the kind has no report, or what is registered does not load.
    """
    section = section_of(doc_type)
    if section is None:
        raise StoreError(f"Documents of kind '{doc_type}' have no report, only those of {', '.join(SECTIONS.names())}.")
    return section
