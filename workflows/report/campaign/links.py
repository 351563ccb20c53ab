"""Names of the pages of candidates, and links to them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

from ....database.documents.candidate_summary import CandidateSummary
from ..html_parts import Markup, escape

PAGES_FOLDER = "candidates"
"""Folder of the pages of candidates beside the first page."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def page_name(candidate_id: str) -> str:
    """Name the file of a candidate's page.

    Parameters
    ----------
    candidate_id : str
        Id of the candidate; an imported one may be any text.

    Returns
    -------
    str
        A plain file name.

    Examples
    --------
    >>> page_name("0a1b2c"), len(page_name("../../etc/passwd"))
    ('0a1b2c.html', 69)
    """
    if _PLAIN.fullmatch(candidate_id):
        return f"{candidate_id}.html"
    return f"{hashlib.sha256(candidate_id.encode('utf-8', 'surrogatepass')).hexdigest()}.html"


def candidate_link(row: CandidateSummary, content: Markup, pages: Collection[str]) -> Markup:
    """Link to the page of a candidate from the first page.

    Parameters
    ----------
    row : CandidateSummary
        The candidate.
    content : Markup
        What is shown.
    pages : collection of str
        Ids of the candidates that have a page.

    Returns
    -------
    Markup
        The content alone where there is no page.
    """
    if row.candidate_id not in pages:
        return content
    return Markup(f'<a href="{escape(PAGES_FOLDER)}/{escape(page_name(row.candidate_id))}">{content}</a>')
