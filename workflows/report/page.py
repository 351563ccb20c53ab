"""The report: one self-contained HTML page about one or several documents of any kinds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .html_parts import Markup
from .sections.registry import require_section
from .standalone_page import standalone_page, write_page

if TYPE_CHECKING:
    from ...database.documents import SuperionDocument


def render_report(
    documents: SuperionDocument | Sequence[SuperionDocument],
    *,
    related: Sequence[SuperionDocument] = (),
    command: str | None = None,
) -> str:
    """Build the HTML page.

    The page needs no network: style and figures are inside it.  All text that comes from users is escaped.

    Parameters
    ----------
    documents : SuperionDocument or sequence of SuperionDocument
        One document, or several to be shown one after another.
    related : sequence of SuperionDocument
        Documents that stand behind them (`ReportSection.related`), such as those of the temperatures.
    command : str, optional
        The command that repeats the calculation; put together from the document where it is not given.

    Returns
    -------
    str
        The page.

    Raises
    ------
    StoreError
        If a document is of a kind without a report.
    """
    shown = [documents] if not isinstance(documents, Sequence) else list(documents)
    if not shown:
        raise ValueError("a report needs at least one document")
    articles = "".join(
        require_section(document.doc_type).article(document, name=f"m{number}", related=related, command=command)
        for number, document in enumerate(shown)
    )
    first = shown[0]
    title = require_section(first.doc_type).title(first)
    if len(shown) > 1:
        title += f" and {len(shown) - 1} more"
    return standalone_page(title, Markup(articles), version=first.provenance.superion_version)


def write_report(
    documents: SuperionDocument | Sequence[SuperionDocument],
    path: str | Path,
    *,
    related: Sequence[SuperionDocument] = (),
    command: str | None = None,
) -> Path:
    """Write the HTML report of one or several documents into one file.

    Parameters
    ----------
    documents : SuperionDocument or sequence of SuperionDocument
        One document, or several to be shown one after another.
    path : str or pathlib.Path
        The file to write; it is replaced as a whole or not at all.
    related : sequence of SuperionDocument
        Documents that stand behind them (`ReportSection.related`), such as those of the temperatures.
    command : str, optional
        The command that repeats the calculation; put together from the document where it is not given.

    Returns
    -------
    pathlib.Path
        Absolute path of the file.

    Raises
    ------
    StoreError
        If a document is of a kind without a report, or the file cannot be written.
    """
    return write_page(render_report(documents, related=related, command=command), path)
