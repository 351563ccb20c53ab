"""Writing the report of a campaign: the first page, the pages of candidates, and one of all candidates if need be."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .... import __version__
from ....errors import SettingsError, StoreError
from ..html_parts import Markup
from ..standalone_page import standalone_page, write_page
from .candidate_page import candidate_body
from .evidence import read_evidence
from .links import PAGES_FOLDER, page_name
from .overview_page import all_body, overview_body
from .ranking_table import is_cut
from .section import campaign_sections
from .view import CampaignView, read_campaign

if TYPE_CHECKING:
    from ....database.campaigns import CampaignCollections
    from ....database.documents.candidate_summary import CandidateSummary

USUAL_PAGES = 25
"""Candidates that get a page of their own unless more are asked for."""

_OURS = '<meta name="generator" content="superion '
_ALL = "all.html"
_FOOTNOTE = "All intervals are statistical; the pages of the candidates list the known systematic errors."


def write_campaign_report(
    collections: CampaignCollections,
    campaign_id: str,
    folder: str | Path,
    *,
    n_pages: int = USUAL_PAGES,
    asked: Iterable[str] = (),
) -> Path:
    """Write the report of a campaign into a folder.

    The pages hold their style and figures and need no network and no script.  The same store gives the same files,
    to the last letter.  Pages of an earlier report that belong no more are removed; no other file is touched.

    Parameters
    ----------
    collections : CampaignCollections
        The store.
    campaign_id : str
        Name of the campaign.
    folder : str or pathlib.Path
        Where the pages go; made where it is missing.
    n_pages : int
        How many candidates get a page of their own, the best first.
    asked : iterable of str
        Ids or names of further candidates that get one.

    Returns
    -------
    pathlib.Path
        The first page, ``index.html``.

    Raises
    ------
    SettingsError
        If there is no such campaign or candidate.
    StoreError
        If the store cannot be read or a page cannot be written.
    """
    view = read_campaign(collections, campaign_id)
    target = Path(folder).expanduser().absolute()
    chosen = _chosen(view, n_pages, asked)
    pages = frozenset(row.candidate_id for row in chosen)
    potentials: Counter[str] = Counter()
    for row in chosen:
        evidence = read_evidence(row, view.stages, collections)
        for stage in evidence.stages:
            potential = stage.document.provenance.potential
            if potential is not None:
                potentials[f"{potential.name} {potential.model or ''}".strip()] += 1
        title = f"{row.label} in the campaign {campaign_id}"
        page = standalone_page(title, candidate_body(evidence, view), version=__version__)
        write_page(page, target / PAGES_FOLDER / page_name(row.candidate_id))
    if is_cut(view):
        _write(f"All candidates of {campaign_id}", all_body(view, pages), target / _ALL)
    body = overview_body(view, pages, campaign_sections(view, collections), potentials)
    index = _write(f"Campaign {campaign_id}", body, target / "index.html")
    _remove_old(target, {page_name(row.candidate_id) for row in chosen}, keeps_all=is_cut(view))
    return index


def _write(title: str, body: Markup, path: Path) -> Path:
    return write_page(standalone_page(title, body, version=__version__, is_wide=True, footnote=_FOOTNOTE), path)


def _chosen(view: CampaignView, n_pages: int, asked: Iterable[str]) -> list[CandidateSummary]:
    """Choose who gets a page: the best, and those asked for."""
    ordered = view.best_first()
    chosen = {row.key: row for row in ordered[: max(0, n_pages)]}
    for name in asked:
        found = [row for row in ordered if name in (row.candidate_id, row.key, row.label)]
        if not found:
            known = [word for row in ordered for word in (row.label, row.candidate_id)]
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            hint = f", did you mean {near[0]}?" if near else "."
            raise SettingsError(f"The campaign {view.record.campaign_id} has no candidate {name}{hint}")
        chosen |= {row.key: row for row in found}
    return list(chosen.values())


def _remove_old(target: Path, current: Sequence[str] | set[str], *, keeps_all: bool) -> None:
    """Remove the pages of an earlier report that this one does not have."""
    old = [path for path in (target / PAGES_FOLDER).glob("*.html") if path.name not in current]
    if not keeps_all:
        old.append(target / _ALL)
    for path in old:
        try:
            with path.open(encoding="utf-8", errors="replace") as stream:
                is_ours = _OURS in stream.read(2000)
            if is_ours:
                path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(f"The old page {path} cannot be removed: {error.strerror or error}.") from error
