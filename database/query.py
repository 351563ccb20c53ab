"""Asking for candidates: typed rows or a table, by flags or in the query language."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import SettingsError
from .campaigns import CampaignCollections
from .candidate_rows import document_to_row, high_path, low_path
from .documents.candidate_summary import CandidateSummary
from .export import to_dataframe
from .properties import PROPERTIES
from .property_names import full_name, nearest_property, usual_order
from .query_language import parse_query, query_criteria
from .query_language.columns import ColumnKind, find_column, nearest_column
from .query_language.criteria import LEAST_NUMBER, all_of
from .query_language.parser import element_symbols
from .query_language.tree import Comparison, HasAnyElement, HasElements, Judged, Node, Not
from .units import parse_quantity
from .usual_queries import Index, index_hint, serving_index

if TYPE_CHECKING:
    import pandas as pd
    from maggma.core import Store

SCAN_WARNING_ROWS = 1000
"""A query without an index says so in stores with at least so many rows."""

_ENDS = {".low": low_path, ".high": high_path}
"""What a column is followed by to sort by an end of its 95 % range."""


class ScanWarning(UserWarning):
    """A query that looks through all rows, for no index answers it."""


class CandidateRows(list[CandidateSummary]):
    """Rows of candidates, in the order asked for."""

    def to_dataframe(self) -> pd.DataFrame:
        """Write the rows as a pandas table.

        Returns
        -------
        pandas.DataFrame
            Columns as of `superion.database.export.flat_records`.
        """
        return to_dataframe(self)


@dataclass(frozen=True)
class SortOrder:
    """By what rows are sorted.

    Attributes
    ----------
    path : str
        Where it is in a stored row.
    direction : int
        1 upwards, -1 downwards.
    is_estimate : bool
        Whether rows that lack it come last, in either direction.
    """

    path: str
    direction: Literal[1, -1]
    is_estimate: bool


def query_candidates(
    location: str | Path | CampaignCollections | None = None,
    *,
    elements: Sequence[str] | str = (),
    exclude_elements: Sequence[str] | str = (),
    thresholds: Mapping[str, str] | None = None,
    possible: bool = False,
    campaign: str | None = None,
    status: str | None = None,
    where: str | None = None,
    sort: str | None = None,
    limit: int = 0,
    skip: int = 0,
    with_structures: bool = False,
) -> CandidateRows:
    """Find candidates.

    Parameters
    ----------
    location : str, Path or CampaignCollections, optional
        Store, as for `open_job_store`, or open collections; the project's own store where None.
    elements : sequence of str or str
        Elements that all have to be there; a text is read as separated by commas.
    exclude_elements : sequence of str or str
        Elements none of which may be there.
    thresholds : mapping of str to str, optional
        What properties must reach: their names, with or without unit, and the worst value that is accepted, with its
        unit, such as ``{"sigma_300k": "0.1 mS/cm", "energy_above_hull": "30 meV"}``.
    possible : bool
        Whether `thresholds` keep all whose 95 % range reaches them, and not only best estimates.
    campaign : str, optional
        Only this campaign.
    status : str, optional
        Only candidates with this status.
    where : str, optional
        A query in the query language.
    sort : str, optional
        A column, with ``-`` in front for downwards, with ``.low`` or ``.high`` behind it for an end of its 95 % range;
        where None the first property of `superion.database.property_names.usual_order`, the best first, or the end of
        its range for which `where` asks by ``surely``.
    limit : int
        Greatest number of rows; 0 for all.
    skip : int
        Rows to leave out at the start.
    with_structures : bool
        Whether the orderings bring their structures along.

    Returns
    -------
    CandidateRows
        Rows; those that lack what is sorted by come last.

    Raises
    ------
    SettingsError
        If something asked for does not exist, has no unit, or cannot be understood.
    StoreError
        If the store cannot be read.

    Warns
    -----
    ScanWarning
        If no index answers the query and the store is large.
    """
    if limit < 0 or skip < 0:
        raise SettingsError(f"The limit and the rows to skip cannot be negative (limit {limit}, skip {skip}).")
    criteria = candidate_criteria(
        elements=elements,
        exclude_elements=exclude_elements,
        thresholds=thresholds,
        possible=possible,
        campaign=campaign,
        status=status,
        where=where,
    )
    order = parse_sort(sort or _usual_sort(criteria))
    if isinstance(location, CampaignCollections):
        return _find(location, criteria, order, limit, skip, with_structures)
    with CampaignCollections.open(location, create=False) as collections:
        return _find(collections, criteria, order, limit, skip, with_structures)


def candidate_criteria(
    *,
    elements: Sequence[str] | str = (),
    exclude_elements: Sequence[str] | str = (),
    thresholds: Mapping[str, str] | None = None,
    possible: bool = False,
    campaign: str | None = None,
    status: str | None = None,
    where: str | None = None,
) -> dict[str, Any]:
    """Write MongoDB criteria from what is asked for.

    Parameters
    ----------
    elements, exclude_elements, thresholds, possible, campaign, status, where
        As for `query_candidates`.

    Returns
    -------
    dict
        Criteria on stored rows.

    Raises
    ------
    SettingsError
        If something asked for does not exist, has no unit, or cannot be understood.

    Examples
    --------
    >>> candidate_criteria(elements="Li,S", status="done")
    {'status': 'done', 'elements': {'$all': ['Li', 'S']}}
    """
    nodes: list[Node] = []
    for name, text in (("campaign", campaign), ("status", status)):
        if text is not None:
            nodes.append(Comparison(_column(name), "=", _checked_choice(name, text)))
    limits = [_threshold(name, text) for name, text in (thresholds or {}).items()]
    nodes += [Judged("possibly", node) for node in limits] if possible else limits
    if wanted := _symbols(elements):
        nodes.append(HasElements(wanted))
    if unwanted := _symbols(exclude_elements):
        nodes.append(Not(HasAnyElement(unwanted)))
    if where is not None and where.strip():
        nodes.append(parse_query(where))
    return all_of([query_criteria(node) for node in nodes])


def parse_sort(text: str) -> SortOrder:
    """Read by what rows are to be sorted.

    Parameters
    ----------
    text : str
        A column, with ``-`` in front for downwards; of a computed property, with ``.low`` or ``.high`` behind it for
        an end of its 95 % range.

    Returns
    -------
    SortOrder
        The order.

    Raises
    ------
    SettingsError
        If there is no such column, or nothing can be sorted by it.

    Examples
    --------
    >>> parse_sort("-sigma_300k").path, parse_sort("-sigma_300k.low").path
    ('search.order.sigma_300k_ms_cm', 'search.low.sigma_300k_ms_cm')
    """
    asked = text.strip().removeprefix("-").removeprefix("+").strip()
    end = next((end for end in _ENDS if asked.endswith(end)), "")
    name = asked.removesuffix(end)
    direction: Literal[1, -1] = -1 if text.strip().startswith("-") else 1
    if asked in _PLAIN_SORTS:
        return SortOrder(name, direction, is_estimate=False)
    found = find_column(name)
    if found is None:
        raise SettingsError(f"Rows cannot be sorted by '{name}'; did you mean '{nearest_column(name)}'?")
    column, _ = found
    if column.kind is ColumnKind.ELEMENTS:
        raise SettingsError("Rows cannot be sorted by their elements: sort by formula or n_elements.")
    if end:
        if column.property_name is None or column.is_measured:
            raise SettingsError(f"Rows cannot be sorted by '{asked}': only computed properties have {end}.")
        return SortOrder(_ENDS[end](column.property_name), direction, is_estimate=True)
    return SortOrder(column.path, direction, is_estimate=column.kind is ColumnKind.ESTIMATE)


_PLAIN_SORTS = ("key", "updated_at")


def _usual_sort(criteria: Mapping[str, Any]) -> str:
    """Sort by the property that counts most; what is surely beyond a value of it, by that end, which has an index."""
    name = usual_order()[0]
    ends = (end for end, path_of in _ENDS.items() if path_of(name) in criteria)
    return f"{'-' if PROPERTIES[name].better == 'higher' else ''}{name}{next(ends, '')}"


def _find(
    collections: CampaignCollections,
    criteria: dict[str, Any],
    order: SortOrder,
    limit: int,
    skip: int,
    with_structures: bool,
) -> CandidateRows:
    store = collections.candidates
    if order.path in criteria and criteria[order.path] is None:
        order = _BY_KEY  # all of them lack what they would be sorted by
    has_number = _asks_for_number(criteria.get(order.path))
    known = criteria
    if order.is_estimate and not has_number:
        known = all_of([criteria, {order.path: {"$gte": LEAST_NUMBER}}])
    sort = {order.path: order.direction}
    index = _usable(serving_index(known, sort), collections)
    _warn_of_scan(store, index)
    found = store.query(known, sort=sort, skip=skip, limit=limit, **index_hint(store, index))
    rows = CandidateRows(map(document_to_row, found))
    if order.is_estimate and not has_number and (limit == 0 or len(rows) < limit):
        # Rows that lack what is sorted by come last; MongoDB would put them first, or in the midst.
        n_known = len(rows) + skip if rows or not skip else store.count(known)
        unknown = all_of([criteria, {order.path: None}])
        by_key = {_BY_KEY.path: _BY_KEY.direction}
        # No more than a page of rows has what this one lacks: a walk in order meets few that it has to leave out.
        last_index = _usable(serving_index(criteria, by_key) or serving_index(unknown), collections)
        if index is not None:
            _warn_of_scan(store, last_index)
        rest = store.query(
            unknown,
            sort=by_key,
            skip=max(0, skip - n_known),
            limit=limit - len(rows) if limit else 0,
            **index_hint(store, last_index),
        )
        rows += map(document_to_row, rest)
    return CandidateRows(collections.add_structures(rows)) if with_structures else rows


_BY_KEY = SortOrder("key", 1, is_estimate=False)


def _asks_for_number(condition: Any) -> bool:
    """Tell whether a condition on what is sorted by leaves no row that lacks it."""
    if isinstance(condition, Mapping):
        return bool({"$gt", "$gte", "$lt", "$lte"} & condition.keys())
    return isinstance(condition, float)


def _usable(index: Index | None, collections: CampaignCollections) -> Index | None:
    """Leave out an index that is not there: a server refuses to be told of it."""
    return None if index in collections.missing_indexes else index


def _warn_of_scan(store: Store, index: Index | None) -> None:
    if index is None and store.count() >= SCAN_WARNING_ROWS:
        warnings.warn(
            "No index answers this query: all rows are looked through, which takes long in a large store "
            "(docs/query.md lists the usual queries, which have indexes).",
            ScanWarning,
            stacklevel=4,
        )


def _column(name: str) -> Any:
    found = find_column(name)
    assert found is not None  # a name of ours
    return found[0]


def _threshold(given: str, text: str) -> Node:
    """Write that a property is at least as good as a value."""
    name = full_name(given)
    if name is None:
        raise SettingsError(f"There is no property '{given}'; did you mean '{nearest_property(given)}'?")
    definition = PROPERTIES[name]
    if not definition.is_ranked:
        raise SettingsError(f"No end of {name} is better: ask for a range of it by `where`.")
    operator: Literal[">=", "<="] = ">=" if definition.better == "higher" else "<="
    value = parse_quantity(text, definition.unit, what=f"the limit of {definition.label.partition(' / ')[0]}")
    return Comparison(_column(name), operator, value)


def _checked_choice(name: str, text: str) -> str:
    choices = _column(name).choices
    if choices and text not in choices:
        raise SettingsError(f"There is no {name} '{text}': it is one of {', '.join(choices)}.")
    return text


def _symbols(symbols: Sequence[str] | str) -> tuple[str, ...]:
    listed: Iterable[str] = symbols.replace(",", " ").split() if isinstance(symbols, str) else symbols
    found = []
    for symbol in listed:
        if symbol not in element_symbols():
            import difflib

            near = difflib.get_close_matches(symbol.capitalize(), element_symbols(), n=1, cutoff=0.0)[0]
            raise SettingsError(f"'{symbol}' is no element; did you mean '{near}'?")
        found.append(symbol)
    return tuple(sorted(set(found)))
