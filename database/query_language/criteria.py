"""From what a query means to MongoDB criteria.

A row of which nothing is known matches neither a comparison nor its negation.  A bound counts as the bound that it
is: with σ known to be at most 0.1 mS/cm, ``sigma_300k < 1 mS/cm`` holds, ``sigma_300k > 0.01 mS/cm`` does not, and
neither does its negation, for nobody knows.  Every key of the criteria is a path of ours, every value a plain one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from ..candidate_rows import CHEMICAL_SYSTEM, high_path, low_path
from ..documents.candidate_summary import CandidateSummary
from .columns import Column, ColumnKind
from .error import QueryError
from .tree import (
    And,
    Certainty,
    Comparison,
    Contains,
    HasAnyElement,
    HasElements,
    IsKnown,
    Judged,
    Node,
    Not,
    OneOf,
    OnlyElements,
    Operator,
    Or,
)

Criteria = dict[str, Any]

MOST_ELEMENTS_LISTED = 8
"""With so many elements `within` lists all their chemical systems, which have an index."""

LEAST_NUMBER = -1e300
"""Below every number that a row holds: asks for rows that have a number at all, by index."""

_OPPOSITE: dict[Operator, Operator] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}
_MONGO = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_ADDITIVE = frozenset({"$all", "$nin"})
"""Operators of which two on one path are one with both lists."""
_ALWAYS_KNOWN = frozenset(name for name, field in CandidateSummary.model_fields.items() if field.is_required())


def query_criteria(node: Node) -> Criteria:
    """Translate a query.

    Parameters
    ----------
    node : Node
        As `parse_query` returns it.

    Returns
    -------
    dict
        MongoDB query criteria on stored rows.

    Raises
    ------
    QueryError
        If ``surely`` or ``possibly`` stands around a comparison that knows no range.

    Examples
    --------
    >>> from superion.database.query_language.parser import parse_query
    >>> query_criteria(parse_query("elements has Li, S and n_elements <= 3"))
    {'elements': {'$all': ['Li', 'S']}, 'n_elements': {'$lte': 3.0}}
    """
    return _translate(node, negate=False, certainty=None)


def all_of(parts: Sequence[Criteria]) -> Criteria:
    """Join criteria that all have to hold, flat where no path comes twice: flat criteria find their indexes.

    Parameters
    ----------
    parts : sequence of dict
        Criteria.

    Returns
    -------
    dict
        Criteria; ``{}`` for none.

    Examples
    --------
    >>> all_of([{"a": 1}, {"b": {"$gt": 2}}, {"b": {"$lt": 5}}])
    {'a': 1, 'b': {'$gt': 2, '$lt': 5}}
    """
    joined: Criteria = {}
    rest: list[Criteria] = []
    for part in parts:
        for key, condition in part.items():
            if key == "$and":
                rest += condition
            elif key.startswith("$"):
                rest.append({key: condition})
            elif key not in joined:
                joined[key] = condition
            elif _mergeable(joined[key], condition):
                joined[key] = _merged(joined[key], condition)
            elif joined[key] != condition:
                rest.append({key: condition})
    return {**joined, "$and": rest} if rest else joined


def _mergeable(first: Any, second: Any) -> bool:
    """Tell whether two conditions on one path are operators that do not overwrite each other."""
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return False
    return all(
        operator in _ADDITIVE or first.get(operator, argument) == argument for operator, argument in second.items()
    )


def _merged(first: Criteria, second: Criteria) -> Criteria:
    merged = {**first, **second}
    for operator in _ADDITIVE & first.keys() & second.keys():
        merged[operator] = list(dict.fromkeys([*first[operator], *second[operator]]))
    return merged


def _any_of(parts: Sequence[Criteria]) -> Criteria:
    return parts[0] if len(parts) == 1 else {"$or": list(parts)}


def _translate(node: Node, *, negate: bool, certainty: Certainty | None) -> Criteria:
    """Translate with the negations pushed down to the comparisons, where they have a meaning."""
    match node:
        case Not(inside):
            return _translate(inside, negate=not negate, certainty=certainty)
        case And(parts) | Or(parts):
            translated = [_translate(part, negate=negate, certainty=certainty) for part in parts]
            return all_of(translated) if isinstance(node, And) != negate else _any_of(translated)
        case Judged(inner, inside):
            # What is not surely so is possibly not so.
            flipped: Certainty = "possibly" if inner == "surely" else "surely"
            return _translate(inside, negate=negate, certainty=flipped if negate else inner)
        case Comparison(column, operator, value):
            operator = _OPPOSITE[operator] if negate else operator
            if column.kind is ColumnKind.ESTIMATE and isinstance(value, float):
                return _compare_estimate(column, operator, value, certainty)
            return _compare_plain(column, operator, value)
        case IsKnown(column):
            return _is_missing(column) if negate else _is_known(column)
        case OneOf(column, texts):
            listed = list(texts)
            return {column.path: {"$nin": [*listed, None]} if negate else {"$in": listed}}
        case Contains(column, text):
            pattern = {"$regex": re.escape(text), "$options": "i"}
            return {column.path: {"$not": pattern, "$ne": None} if negate else pattern}
        case HasElements(symbols):
            return {"elements": _all_elements(symbols)} if not negate else _any_of([_lacks([s]) for s in symbols])
        case HasAnyElement(symbols):
            return _lacks(symbols) if negate else {"elements": {"$in": list(symbols)}}
        case OnlyElements(symbols):
            return _only_elements(symbols, negate=negate)


def _compare_estimate(column: Column, operator: Operator, value: float, certainty: Certainty | None) -> Criteria:
    if certainty is not None:
        return _compare_range(column, operator, value, certainty)
    if operator == "=":
        return {column.path: value, _bound_path(column): None}
    if operator == "!=":
        return _any_of([_compare_estimate(column, sign, value, None) for sign in ("<", ">")])
    # A bound proves a comparison on its own side only.
    useless = "upper" if operator in (">", ">=") else "lower"
    return {column.path: {_MONGO[operator]: value}, _bound_path(column): {"$ne": useless}}


def _compare_range(column: Column, operator: Operator, value: float, certainty: Certainty) -> Criteria:
    """Compare with the 95 % range: all of it for `surely`, any of it for `possibly`."""
    if operator in ("=", "!="):
        raise QueryError(f"'{certainty}' knows < and >, not {operator}", 0)
    if column.is_measured or column.property_name is None:
        raise QueryError(f"'{certainty}' is for computed properties, and '{column.name}' is measured", 0)
    upward = operator in (">", ">=")
    paths = (low_path(column.property_name), high_path(column.property_name))
    path = paths[0] if upward == (certainty == "surely") else paths[1]
    compared = {path: {_MONGO[operator]: value}}
    if certainty == "surely":
        return compared
    # Where the range is open on this side, anything is possible.
    return _any_of([compared, {path: None, f"properties.{column.property_name}": {"$ne": None}}])


def _compare_plain(column: Column, operator: Operator, value: float | str | bool) -> Criteria:
    if operator == "=":
        return {column.path: value}
    if operator == "!=":
        return {column.path: {"$ne": value} if column.path in _ALWAYS_KNOWN else {"$nin": [value, None]}}
    return {column.path: {_MONGO[operator]: value}}


def _is_known(column: Column) -> Criteria:
    if column.kind is ColumnKind.ESTIMATE:
        return {column.path: {"$gte": LEAST_NUMBER}}
    return {column.path: {"$ne": None}}


def _is_missing(column: Column) -> Criteria:
    return {column.path: None}


def _bound_path(column: Column) -> str:
    return f"{'measured' if column.is_measured else 'properties'}.{column.property_name}.bound"


def _all_elements(symbols: Sequence[str]) -> Any:
    return {"$all": list(symbols)}


def _lacks(symbols: Sequence[str]) -> Criteria:
    return {"elements": {"$nin": list(symbols)}}


def _only_elements(symbols: Sequence[str], *, negate: bool) -> Criteria:
    if len(symbols) <= MOST_ELEMENTS_LISTED:
        systems = [
            "-".join(chosen) for size in range(1, len(symbols) + 1) for chosen in combinations(sorted(symbols), size)
        ]
        return {CHEMICAL_SYSTEM: {"$nin" if negate else "$in": systems}}
    another = {"$elemMatch": {"$nin": list(symbols)}}
    return {"elements": another if negate else {"$not": another}}
