"""The questions that users ask of candidates most, each with the index that answers it.

Others are answered, too; they look through many rows, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from maggma.core import Store
from pymongo.errors import OperationFailure

from .candidate_rows import CHEMICAL_SYSTEM, high_path, low_path, order_path
from .property_names import indexed_names
from .query_language.criteria import LEAST_NUMBER
from .sqlite_store import SqliteStore

Direction = Literal[1, -1]

SIGMA = order_path("sigma_300k_ms_cm")
HULL = order_path("energy_above_hull_ev_per_atom")


@dataclass(frozen=True)
class Index:
    """An index on the rows.

    Attributes
    ----------
    paths : tuple of str
        What is indexed together, in this order.
    of_items : bool
        Whether the first path is a list whose items are looked up.
    """

    paths: tuple[str, ...]
    of_items: bool = False


@dataclass(frozen=True)
class UsualQuery:
    """A question with an index of its own.

    Attributes
    ----------
    name : str
        What it asks.
    criteria : dict
        Criteria of its shape, with values that stand for any.
    sort : dict of str to int
        Its order: paths and directions.
    index : Index
        What answers it.
    """

    name: str
    criteria: Mapping[str, Any]
    sort: Mapping[str, Direction] = field(default_factory=dict)
    index: Index = field(default_factory=lambda: Index(("key",)))


def _known(name: str) -> dict[str, Any]:
    return {order_path(name): {"$gte": LEAST_NUMBER}}


@cache
def usual_queries() -> tuple[UsualQuery, ...]:
    """List all usual queries.

    Returns
    -------
    tuple of UsualQuery
        Each with its index; those of properties follow what their definitions say of indexes.
    """
    return (
        UsualQuery("one candidate", {"key": "campaign/0123456789ab"}, {}, Index(("key",))),
        UsualQuery("all of a campaign", {"campaign_id": "campaign"}, {"key": 1}, Index(("campaign_id", "key"))),
        UsualQuery(
            "those of a campaign with a status, best σ first",
            {"campaign_id": "campaign", "status": "done", **_known("sigma_300k_ms_cm")},
            {SIGMA: -1},
            Index(("campaign_id", "status", SIGMA)),
        ),
        UsualQuery(
            "those of a campaign at a stage",
            {"campaign_id": "campaign", "stage": "relax"},
            {"key": 1},
            Index(("campaign_id", "stage", "key")),
        ),
        *(
            UsualQuery(
                f"ranking of a campaign by {name}",
                {"campaign_id": "campaign", **_known(name)},
                {order_path(name): -1},
                Index(("campaign_id", order_path(name))),
            )
            for name in indexed_names(in_campaigns=True)
        ),
        *(
            UsualQuery(f"ranking by {name}", _known(name), {order_path(name): -1}, Index((order_path(name),)))
            for name in indexed_names()
        ),
        UsualQuery(
            "σ above a threshold, energy above hull below one, best σ first",
            {
                SIGMA: {"$gt": 0.1},
                "properties.sigma_300k_ms_cm.bound": {"$ne": "upper"},
                HULL: {"$lte": 0.03},
                "properties.energy_above_hull_ev_per_atom.bound": {"$ne": "lower"},
            },
            {SIGMA: -1},
            Index((SIGMA, HULL)),
        ),
        UsualQuery(
            "σ surely above a threshold",
            {low_path("sigma_300k_ms_cm"): {"$gt": 0.1}},
            {low_path("sigma_300k_ms_cm"): -1},
            Index((low_path("sigma_300k_ms_cm"),)),
        ),
        UsualQuery(
            "σ surely below a threshold",
            {high_path("sigma_300k_ms_cm"): {"$lt": 0.1}},
            {high_path("sigma_300k_ms_cm"): 1},
            Index((high_path("sigma_300k_ms_cm"),)),
        ),
        UsualQuery(
            "with elements, best σ first",
            {"elements": {"$all": ["Li", "P", "S"]}, **_known("sigma_300k_ms_cm")},
            {SIGMA: -1},
            Index(("elements", SIGMA), of_items=True),
        ),
        UsualQuery(
            "of a chemical system, best σ first",
            {CHEMICAL_SYSTEM: "Li-P-S", **_known("sigma_300k_ms_cm")},
            {SIGMA: -1},
            Index((CHEMICAL_SYSTEM, SIGMA)),
        ),
        UsualQuery(
            "of a formula, best σ first",
            {"formula": "Li6PS5Cl", **_known("sigma_300k_ms_cm")},
            {SIGMA: -1},
            Index(("formula", SIGMA)),
        ),
        UsualQuery("by label", {"label": "argyrodite"}, {}, Index(("label",))),
        UsualQuery("last changed", {}, {"updated_at": -1}, Index(("updated_at",))),
    )


def usual_indexes() -> tuple[Index, ...]:
    """List the indexes of all usual queries.

    Returns
    -------
    tuple of Index
        Each once.
    """
    return tuple(dict.fromkeys(query.index for query in usual_queries()))


def ensure_usual_indexes(candidates: Store) -> frozenset[Index]:
    """Make the indexes that are missing, as far as this user may.

    Parameters
    ----------
    candidates : Store
        The connected store of the rows.

    Returns
    -------
    frozenset of Index
        Those that are missing still: a user with the right to read only cannot make them.
    """
    make = _in_sqlite if isinstance(candidates, SqliteStore) else _in_mongo
    return make(candidates, usual_indexes())


def has_index(criteria: Mapping[str, Any], sort: Mapping[str, int] | None = None) -> bool:
    """Tell whether a query is answered by an index, or looks through all rows.

    Parameters
    ----------
    criteria : mapping
        Query criteria.
    sort : mapping of str to int, optional
        Paths and directions.

    Returns
    -------
    bool
        Whether an index leads to the rows: by the order asked for, or by a condition where no order is.

    Examples
    --------
    >>> has_index({"label": "LGPS"}), has_index({"reason": "melted"})
    (True, False)
    >>> has_index({"reason": "melted"}, {order_path("sigma_300k_ms_cm"): -1})
    False
    """
    return serving_index(criteria, sort) is not None


def serving_index(criteria: Mapping[str, Any], sort: Mapping[str, int] | None = None) -> Index | None:
    """Find the index that answers a query: of several, the one that knows most of its conditions.

    Parameters
    ----------
    criteria : mapping
        Query criteria.
    sort : mapping of str to int, optional
        Paths and directions.

    Returns
    -------
    Index or None
        None where all rows are looked through.

    Examples
    --------
    >>> serving_index({"campaign_id": "c", "status": "done"}, {order_path("sigma_300k_ms_cm"): -1}).paths[:2]
    ('campaign_id', 'status')
    """
    wanted = dict(sort or {})
    serving = [index for index in usual_indexes() if _serves(index, criteria, wanted)]
    return max(serving, key=lambda index: sum(path in criteria for path in index.paths), default=None)


def query_hint(candidates: Store, criteria: Mapping[str, Any], sort: Mapping[str, int]) -> dict[str, Any]:
    """Tell a server which index answers a query; the embedded store finds it itself.

    Parameters
    ----------
    candidates : Store
        The store of the rows.
    criteria : mapping
        Query criteria.
    sort : mapping of str to int
        Paths and directions.

    Returns
    -------
    dict
        Keyword arguments for the store's `query`.
    """
    return index_hint(candidates, serving_index(criteria, sort))


def index_hint(candidates: Store, index: Index | None) -> dict[str, Any]:
    """Name an index to a server; the embedded store finds it itself.

    Parameters
    ----------
    candidates : Store
        The store of the rows.
    index : Index or None
        The index; None where there is none.

    Returns
    -------
    dict
        Keyword arguments for the store's `query`.
    """
    if index is None or isinstance(candidates, SqliteStore):
        return {}
    return {"hint": dict.fromkeys(index.paths, 1)}


def _serves(index: Index, criteria: Mapping[str, Any], sort: Mapping[str, int]) -> bool:
    """Tell whether an index leads to the rows of a query and gives them in its order."""
    if index.of_items:
        if index.paths[0] not in criteria or not _asks_for_items(criteria[index.paths[0]]):
            return False
        return not sort or next(iter(sort)) == index.paths[1]
    n_equal = 0
    while n_equal < len(index.paths) and _is_equality(criteria.get(index.paths[n_equal])):
        n_equal += 1
    following = index.paths[n_equal] if n_equal < len(index.paths) else None
    unindexed = set(criteria) - set(index.paths) - {key for key in criteria if key.endswith(".bound")}
    if sort:
        if next(iter(sort)) == following:
            # In order, but how far must one walk?  Only conditions that the index knows, or many rows pass, end soon.
            return not unindexed
        return n_equal == len(index.paths) and index.paths[0] in _FEW_ROWS
    return n_equal > 0 or (following is not None and following in criteria and not _is_open(criteria[following]))


_FEW_ROWS = ("key", "label", "formula")
"""Fields of which one value has so few rows that any order of them is quick."""


def _is_equality(condition: Any) -> bool:
    return isinstance(condition, str)


def _is_open(condition: Any) -> bool:
    """Tell whether a condition excludes rather than finds."""
    return condition is None or (isinstance(condition, Mapping) and bool({"$ne", "$nin", "$not"} & condition.keys()))


def _asks_for_items(condition: Any) -> bool:
    return isinstance(condition, str) or (isinstance(condition, Mapping) and bool({"$all", "$eq"} & condition.keys()))


def _in_sqlite(store: Any, indexes: Sequence[Index]) -> frozenset[Index]:
    def is_made(index: Index) -> bool:
        if index.of_items:
            # While walking in order the items are checked; where they are rare, they lead.
            return bool(store.ensure_item_index(index.paths[0]) and store.ensure_index(index.paths[1]))
        if len(index.paths) == 1:
            return bool(store.ensure_index(index.paths[0]))
        return bool(store.ensure_compound_index(index.paths))

    return frozenset(index for index in indexes if not is_made(index))


def _in_mongo(store: Any, indexes: Sequence[Index]) -> frozenset[Index]:
    there: set[tuple[str, ...]] = set()
    with suppress(OperationFailure):
        # A server refuses a user who may only read, even where the index is there already: ask first.
        known = store._collection.index_information().values()
        there = {tuple(path for path, _ in entry["key"]) for entry in known if all(way == 1 for _, way in entry["key"])}
    missing = []
    for index in indexes:
        if index.paths in there:
            continue
        try:
            # maggma's own method takes one field only.
            store._collection.create_index([(path, 1) for path in index.paths])
        except OperationFailure:
            missing.append(index)
    return frozenset(missing)
