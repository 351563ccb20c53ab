"""MongoDB criteria as SQL conditions on a JSON column.

The SQL narrows; the Python predicate of `mongo_criteria` decides.  A condition made here never leaves out
a document that matches, and says whether it may let others through.  Lists on a path, dictionaries at
its end, non-finite numbers and text with NUL are *irregular* at that path: SQL does not judge them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from bson.objectid import ObjectId

from .mongo_criteria import is_operator_expression
from .mongo_order import (
    ARRAY_RANK,
    BINARY_RANK,
    BOOLEAN_RANK,
    DATE_RANK,
    NULL_RANK,
    NUMBER_RANK,
    OBJECT_ID_RANK,
    OBJECT_RANK,
    TEXT_RANK,
)
from .stored_json import BINARY_TAG, DATE_TAG, NON_FINITE_TAG, OBJECT_ID_TAG, encode

_NON_FINITE_RANK = NUMBER_RANK + 1
_LARGEST_INTEGER = 2**63 - 1
_HEAD_LENGTH = 8
"""Letters of `{"$date":` and the like that tell the tags apart."""
_TAG_RANKS = {
    DATE_TAG: DATE_RANK,
    OBJECT_ID_TAG: OBJECT_ID_RANK,
    BINARY_TAG: BINARY_RANK,
    NON_FINITE_TAG: _NON_FINITE_RANK,
}
_PLAIN_PART = re.compile(r'[^"\\\x00-\x1f$]+')
_TEXT_PARAMETERS_AT_MOST = 200


@dataclass(frozen=True)
class PathSql:
    """The SQL expressions that belong to one path; queries and indexes use them letter for letter.

    Attributes
    ----------
    rank : str
        Rank of the kind of the value as in `mongo_order`; null and missing are one.
    value : str
        The value as SQLite sees it.
    kind : str
        `json_type`, NULL where the field is missing.
    irregular : str
        Whether SQL cannot judge the document at this path; never NULL.
    """

    rank: str
    value: str
    kind: str
    irregular: str


def _head(tag: str) -> str:
    """First letters of the JSON text of a tagged value."""
    return f'{{"{tag}":'[:_HEAD_LENGTH]


@lru_cache(maxsize=1024)
def path_sql(path: str) -> PathSql | None:
    r"""Write the expressions for a path.

    Parameters
    ----------
    path : str
        Dotted path, such as `output.formula`.

    Returns
    -------
    PathSql or None
        None if SQL cannot follow the path: list indices, or letters that JSON escapes.

    Examples
    --------
    >>> path_sql("output.formula").value
    'json_extract(body,\'$."output"."formula"\')'
    >>> path_sql("sites.0") is None
    True
    """
    parts = path.split(".")
    if not all(_PLAIN_PART.fullmatch(part) and not part.isdecimal() for part in parts):
        return None
    locations = ["$" + "".join(f'."{part}"' for part in parts[: n + 1]) for n in range(len(parts))]
    literals = ["'" + location.replace("'", "''") + "'" for location in locations]
    kind = f"json_type(body,{literals[-1]})"
    value = f"json_extract(body,{literals[-1]})"
    cases = " ".join(f"WHEN '{_head(tag)}' THEN {rank}" for tag, rank in _TAG_RANKS.items())
    rank = (
        f"CASE {kind} WHEN 'text' THEN {TEXT_RANK} WHEN 'integer' THEN {NUMBER_RANK} WHEN 'real' THEN {NUMBER_RANK} "
        f"WHEN 'true' THEN {BOOLEAN_RANK} WHEN 'false' THEN {BOOLEAN_RANK} WHEN 'array' THEN {ARRAY_RANK} "
        f"WHEN 'object' THEN CASE substr({value},1,{_HEAD_LENGTH}) {cases} ELSE {OBJECT_RANK} END ELSE {NULL_RANK} END"
    )
    lists = " OR ".join(f"ifnull(json_type(body,{literal}),'')='array'" for literal in literals)
    irregular = f"({lists} OR {rank} IN ({_NON_FINITE_RANK},{OBJECT_RANK},{BINARY_RANK}) OR instr(body,'\\u0000')>0)"
    return PathSql(rank, value, kind, irregular)


@dataclass(frozen=True)
class Condition:
    """An SQL condition and what it promises.

    Attributes
    ----------
    sql : str
        The condition, true for every document that matches.
    parameters : tuple
        Values of its question marks.
    is_exact : bool
        Whether it is true for no other document, as far as the paths are regular.
    """

    sql: str
    parameters: tuple[Any, ...] = ()
    is_exact: bool = True


_EVERYTHING = Condition("1", (), is_exact=False)


def paths_in(criteria: Mapping[str, Any] | None) -> set[str]:
    """List the paths that criteria look at.

    Parameters
    ----------
    criteria : mapping or None
        Query criteria.

    Returns
    -------
    set of str
        Dotted paths.
    """
    paths: set[str] = set()
    for key, condition in (criteria or {}).items():
        if key in ("$and", "$or", "$nor"):
            for part in condition:
                paths |= paths_in(part)
        elif not key.startswith("$"):
            paths.add(key)
    return paths


def condition_from_criteria(
    criteria: Mapping[str, Any] | None,
    regular_paths: Set[str] = frozenset(),
    compound_indexes: Collection[tuple[str, ...]] = (),
) -> Condition:
    """Translate query criteria into an SQL condition.

    Parameters
    ----------
    criteria : mapping or None
        Query criteria that `compile_criteria` accepts.
    regular_paths : set of str
        Paths at which no document of the table is irregular.
    compound_indexes : collection of tuple of str
        Paths that are indexed together.

    Returns
    -------
    Condition
        Never false for a document that matches.

    Examples
    --------
    >>> condition_from_criteria({"formula": "NaCl"}, {"formula"}).parameters
    ('NaCl',)
    """
    criteria = criteria or {}
    selective = {path for path, condition in criteria.items() if path in regular_paths and _is_selective(condition)}
    if not selective or len(criteria) == len(selective):
        return _translate(criteria, regular_paths, negate=False)
    served = selective | _followers(selective, compound_indexes)
    leading = _translate({path: criteria[path] for path in criteria if path in served}, regular_paths, negate=False)
    rest = {path: condition for path, condition in criteria.items() if path not in served}
    others = _translate(rest, regular_paths, negate=False)
    # Otherwise SQLite may look a number up that thousands of documents share.
    return combine([leading, without_index(others)], conjoin=True)


def without_index(condition: Condition) -> Condition:
    """Keep SQLite from using an index for a condition.

    Parameters
    ----------
    condition : Condition
        A condition.

    Returns
    -------
    Condition
        The same with a unary plus, which hides it from the planner.

    Examples
    --------
    >>> without_index(Condition("a=1")).sql
    '+(a=1)'
    """
    if condition.sql == "1":
        return condition
    return Condition(f"+({condition.sql})", condition.parameters, condition.is_exact)


def has_one_rank(criteria: Mapping[str, Any] | None, path: str) -> bool:
    """Tell whether all documents that match have values of one kind at a regular path.

    Parameters
    ----------
    criteria : mapping or None
        Query criteria.
    path : str
        Dotted path.

    Returns
    -------
    bool
        Whether the SQL condition fixes the rank, so that sorting need not look at it.

    Examples
    --------
    >>> has_one_rank({"sigma": {"$gt": 1}}, "sigma"), has_one_rank({"sigma": {"$ne": 1}}, "sigma")
    (True, False)
    """
    condition = (criteria or {}).get(path)
    has_operators = isinstance(condition, Mapping) and is_operator_expression(condition)
    operators: Mapping[str, Any] = condition if has_operators else {"$eq": condition}  # type: ignore[assignment]
    return any(
        operator in ("$eq", *_COMPARISONS) and _as_parameter(argument) is not None
        for operator, argument in operators.items()
    )


def _followers(selective: Set[str], compound_indexes: Collection[tuple[str, ...]]) -> set[str]:
    """Find the paths whose conditions an index serves once its first paths are looked up."""
    followers = set()
    for paths in compound_indexes:
        n_led = next((n for n, path in enumerate(paths) if path not in selective), len(paths))
        if 0 < n_led < len(paths):
            followers.add(paths[n_led])
    return followers


def _is_selective(condition: Any) -> bool:
    """Tell whether a condition asks for one text, id or time."""
    if isinstance(condition, Mapping) and set(condition) == {"$eq"}:
        condition = condition["$eq"]
    return isinstance(condition, str | ObjectId | datetime)


def _translate(criteria: Mapping[str, Any], regular: Set[str], *, negate: bool) -> Condition:
    conditions = []
    for key, condition in criteria.items():
        if key == "$comment":
            continue
        if key in ("$and", "$or", "$nor"):
            inner_negate = negate != (key == "$nor")
            # By De Morgan: `$and` is a conjunction unless negated; `$or` and `$nor` the other way round.
            parts = [_translate(part, regular, negate=inner_negate) for part in condition]
            conjoin = (key == "$and") != inner_negate
            conditions.append(combine(parts, conjoin=conjoin))
        else:
            conditions.append(_translate_field(key, condition, regular, negate=negate))
    return combine(conditions, conjoin=not negate)


def combine(conditions: list[Condition], *, conjoin: bool) -> Condition:
    """Join conditions by AND or OR.

    Parameters
    ----------
    conditions : list of Condition
        Conditions.
    conjoin : bool
        AND if true, OR if not.

    Returns
    -------
    Condition
        One condition.
    """
    if not conditions:
        return Condition("1" if conjoin else "0")
    is_exact = all(condition.is_exact for condition in conditions)
    if conjoin:
        conditions = [condition for condition in conditions if condition.sql != "1"]
        if not conditions:
            return Condition("1", (), is_exact)
    elif any(condition.sql == "1" for condition in conditions):
        return Condition("1", (), is_exact)
    if len(conditions) == 1:
        return Condition(conditions[0].sql, conditions[0].parameters, is_exact)
    word = " AND " if conjoin else " OR "
    sql = "(" + word.join(condition.sql for condition in conditions) + ")"
    return Condition(sql, tuple(p for condition in conditions for p in condition.parameters), is_exact)


def _translate_field(path: str, condition: Any, regular: Set[str], *, negate: bool) -> Condition:
    sql = path_sql(path)
    if sql is None:
        return _EVERYTHING
    operators = condition if is_operator_expression(condition) else {"$eq": condition}
    conditions = []
    for operator, argument in operators.items():
        if operator == "$not":
            if not is_operator_expression(argument):
                conditions.append(_EVERYTHING)
            else:
                conditions.append(_translate_field(path, argument, regular, negate=not negate))
            continue
        conditions.append(_guard(_translate_operator(sql, operator, argument), sql, path in regular, negate=negate))
    return combine(conditions, conjoin=not negate)


def _guard(condition: Condition | None, sql: PathSql, is_regular: bool, *, negate: bool) -> Condition:
    """Negate a condition where asked, and let irregular documents through."""
    if condition is None:
        return _EVERYTHING
    text = condition.sql
    if negate:
        if not condition.is_exact:
            return _EVERYTHING
        text = f"({text}) IS NOT TRUE"
    if is_regular:
        return Condition(text, condition.parameters, condition.is_exact)
    return Condition(f"({text} OR {sql.irregular})", condition.parameters, is_exact=False)


def _translate_operator(sql: PathSql, operator: str, argument: Any) -> Condition | None:
    """Translate one operator for documents regular at the path; None if SQL cannot say."""
    if operator == "$eq":
        return _equals(sql, argument)
    if operator == "$ne":
        return _negated(_equals(sql, argument))
    if operator == "$in":
        return _is_in(sql, argument)
    if operator == "$nin":
        return _negated(_is_in(sql, argument))
    if operator in _COMPARISONS:
        return _compares(sql, operator, argument)
    if operator == "$exists":
        return Condition(f"{sql.kind} IS {'NOT ' if argument else ''}NULL")
    if operator == "$regex":
        return Condition(f"{sql.rank}={TEXT_RANK}", (), is_exact=False)
    if operator in ("$size", "$elemMatch"):
        return Condition("0")
    return None


def _negated(condition: Condition | None) -> Condition | None:
    if condition is None or not condition.is_exact:
        return None
    return Condition(f"({condition.sql}) IS NOT TRUE", condition.parameters)


def _as_parameter(value: Any) -> tuple[int, Any] | None:
    """Write a value as (rank, what SQLite sees of it); None if SQL cannot compare it."""
    if isinstance(value, bool):
        return BOOLEAN_RANK, int(value)
    if isinstance(value, int):
        return (NUMBER_RANK, int(value)) if -_LARGEST_INTEGER - 1 <= value <= _LARGEST_INTEGER else None
    if isinstance(value, float):
        return (NUMBER_RANK, float(value)) if math.isfinite(value) else None
    if isinstance(value, str):
        return (TEXT_RANK, str(value)) if "\x00" not in value else None
    if isinstance(value, datetime):
        return DATE_RANK, encode({"": value})[4:-1]
    if isinstance(value, ObjectId):
        return OBJECT_ID_RANK, encode({"": value})[4:-1]
    return None


def _equals(sql: PathSql, value: Any) -> Condition | None:
    if value is None:
        return Condition(f"{sql.rank}={NULL_RANK}")
    parameter = _as_parameter(value)
    if parameter is None:
        return None
    rank, bound = parameter
    if rank == NUMBER_RANK:
        low, high = _around(bound)
        if low == high:
            return Condition(f"({sql.rank}={rank} AND {sql.value}=?)", (low,), is_exact=False)
        return Condition(f"({sql.rank}={rank} AND {sql.value}>=? AND {sql.value}<=?)", (low, high), is_exact=False)
    return Condition(f"({sql.rank}={rank} AND {sql.value}=?)", (bound,))


def _around(number: float) -> tuple[float, float]:
    """Widen a number by more than SQLite may err when it reads a decimal number."""
    if isinstance(number, int) and abs(number) < 2**50:
        # SQLite reads integers exactly; only decimal text that rounds to this number can differ.
        return number, number
    margin = 1e-14 * abs(float(number)) + 5e-324
    return float(number) - margin, float(number) + margin


def _is_in(sql: PathSql, choices: Any) -> Condition | None:
    parameters = [None if choice is None else _as_parameter(choice) or ... for choice in choices]
    if any(parameter is ... for parameter in parameters):
        return None
    texts = [parameter[1] for parameter in parameters if isinstance(parameter, tuple) and parameter[0] == TEXT_RANK]
    others = [choice for choice in choices if not isinstance(choice, str)]
    if len(others) > _TEXT_PARAMETERS_AT_MOST:
        return None
    parts = [part for part in (_equals(sql, choice) for choice in others) if part is not None]
    if texts:
        # One parameter for any number of texts.
        listed = encode({"": texts})[4:-1]
        parts.append(
            Condition(f"({sql.rank}={TEXT_RANK} AND {sql.value} IN (SELECT value FROM json_each(?)))", (listed,))
        )
    return combine(parts, conjoin=False)


_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


def _compares(sql: PathSql, operator: str, argument: Any) -> Condition | None:
    if argument is None:
        return Condition(f"{sql.rank}={NULL_RANK}") if operator in ("$gte", "$lte") else Condition("0")
    parameter = _as_parameter(argument)
    if parameter is None:
        return None
    rank, bound = parameter
    sign = _COMPARISONS[operator]
    if rank == NUMBER_RANK:
        low, high = _around(bound)
        bound = low if operator in ("$gt", "$gte") else high
        return Condition(f"({sql.rank}={rank} AND {sql.value}{sign[0]}=?)", (bound,), is_exact=False)
    return Condition(f"({sql.rank}={rank} AND {sql.value}{sign}?)", (bound,))
