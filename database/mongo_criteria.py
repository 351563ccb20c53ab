"""MongoDB's query criteria as Python predicates: the reference that narrowed SQL results are held to.

The libraries at hand (mongomock, montydb) take 1 for True, order-blind equal dictionaries for equal
and a list of which one element lacks a field for a document without it; MongoDB does not.

References
----------
MongoDB manual, "Query and Projection Operators" and "Query for Null or Missing Fields".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bson.objectid import ObjectId
from bson.regex import Regex

from ..errors import StoreError
from .mongo_order import NAN_KEY, NULL_KEY, NUMBER_RANK, order_key
from .mongo_paths import MISSING, split_path, values_at

Predicate = Callable[[Any], bool]
"""Does this document (or this value) match?"""


class FieldValues:
    """What stands at one path of a document.

    Parameters
    ----------
    document : dict
        The document.
    parts : tuple of str
        The path, split.
    """

    __slots__ = ("_document", "_expanded", "_parts", "_whole")

    def __init__(self, document: Any, parts: tuple[str, ...]) -> None:
        self._document = document
        self._parts = parts
        self._whole: list[Any] | None = None
        self._expanded: list[Any] | None = None

    @classmethod
    def of_element(cls, element: Any) -> FieldValues:
        """Take one element of a list as it is: a list inside the list is not searched again."""
        values = cls(element, ())
        values._whole = values._expanded = [element]
        return values

    @property
    def whole(self) -> list[Any]:
        """The values, lists as a whole; `MISSING` where there is none."""
        if self._whole is None:
            self._whole = list(values_at(self._document, self._parts))
        return self._whole

    @property
    def expanded(self) -> list[Any]:
        """The values and, for lists, their elements, too."""
        if self._expanded is None:
            self._expanded = list(values_at(self._document, self._parts, expand=True))
        return self._expanded


FieldTest = Callable[[FieldValues], bool]
"""Do the values at a path match?"""


def compile_criteria(criteria: Mapping[str, Any] | None) -> Predicate:
    """Turn query criteria into a predicate on documents.

    Parameters
    ----------
    criteria : mapping or None
        As for pymongo's `find`: fields with values or operators, `$and`, `$or`, `$nor`.

    Returns
    -------
    callable
        document -> bool, with MongoDB's meaning of lists, null, missing fields and kinds of values.

    Raises
    ------
    StoreError
        If an operator is unknown or used wrongly.

    Examples
    --------
    >>> matches = compile_criteria({"formula": "Li6PS5Cl", "sigma": {"$gte": 1}})
    >>> matches({"formula": "Li6PS5Cl", "sigma": 2.5}), matches({"formula": "Li6PS5Cl"})
    (True, False)
    """
    if criteria is None:
        return lambda document: True
    if not isinstance(criteria, Mapping):
        raise StoreError(f"Query criteria are a dictionary, not {type(criteria).__name__}.")
    predicates = [_compile_entry(key, condition) for key, condition in criteria.items() if key != "$comment"]
    if len(predicates) == 1:
        return predicates[0]
    return lambda document: all(predicate(document) for predicate in predicates)


def is_operator_expression(condition: Any) -> bool:
    """Tell `{"$gt": 3}` from a dictionary to be equal to.

    Parameters
    ----------
    condition : object
        What stands beside a field in criteria.

    Returns
    -------
    bool
        Whether its first key is an operator.

    Raises
    ------
    StoreError
        If operators and plain keys are mixed.
    """
    if not isinstance(condition, Mapping) or not condition:
        return False
    operators = [key.startswith("$") for key in condition]
    if operators[0] and not all(operators):
        raise StoreError(f"Criteria mix operators and fields in {dict(condition)!r}: use one or the other.")
    return operators[0]


def _compile_entry(key: str, condition: Any) -> Predicate:
    """Compile one `key: condition` pair of criteria."""
    if key.startswith("$"):
        combine = _LOGICAL_OPERATORS.get(key)
        if combine is None:
            raise StoreError(
                f"The query operator {key} is not supported by the embedded store, "
                f"which knows {', '.join(sorted(_LOGICAL_OPERATORS))} at this place."
            )
        if not isinstance(condition, list | tuple) or not condition:
            raise StoreError(f"{key} takes a list of at least one condition.")
        return combine([compile_criteria(part) for part in condition])
    parts = split_path(key)
    tests = _compile_condition(condition)

    def predicate(document: Any) -> bool:
        values = FieldValues(document, parts)
        return all(test(values) for test in tests)

    return predicate


def _compile_condition(condition: Any) -> list[FieldTest]:
    """Compile what stands beside a field: a value, a regular expression, or operators."""
    if isinstance(condition, re.Pattern | Regex):
        return [_matches_pattern(condition)]
    if not is_operator_expression(condition):
        return [_equals(condition)]
    tests: list[FieldTest] = []
    for operator, argument in condition.items():
        if operator == "$options":
            if "$regex" not in condition:
                raise StoreError("$options needs a $regex beside it.")
        elif operator == "$regex":
            tests.append(_matches_pattern(compile_pattern(argument, condition.get("$options"))))
        elif operator in _FIELD_OPERATORS:
            tests.append(_FIELD_OPERATORS[operator](argument))
        else:
            known = ", ".join(sorted({*_FIELD_OPERATORS, "$regex", "$options"}))
            raise StoreError(
                f"The query operator {operator} is not supported by the embedded store, which knows {known}."
            )
    return tests


def _negated(argument: Any) -> FieldTest:
    """`$not`: the operators or the regular expression do not hold."""
    if not isinstance(argument, re.Pattern | Regex) and not is_operator_expression(argument):
        raise StoreError("$not takes operators or a regular expression.")
    tests = _compile_condition(argument)
    return lambda values: not all(test(values) for test in tests)


def _equals(expected: Any) -> FieldTest:
    """Equality; null equals a missing field, too."""
    key = order_key(expected)
    if key == NULL_KEY:
        return lambda values: any(value is MISSING or value is None for value in values.expanded)
    return lambda values: any(value is not MISSING and order_key(value) == key for value in values.expanded)


def _not(test: FieldTest) -> FieldTest:
    return lambda values: not test(values)


def _compares(operator: str) -> Callable[[Any], FieldTest]:
    """`$gt`, `$gte`, `$lt`, `$lte`: only values of one kind compare."""

    def compile_comparison(bound: Any) -> FieldTest:
        key = order_key(bound)
        takes_equal = operator in ("$gte", "$lte")
        if key in (NULL_KEY, NAN_KEY):
            # Null and NaN are neither less nor greater than anything; they only equal themselves.
            return _equals(bound) if takes_equal else (lambda values: False)
        is_greater = operator in ("$gt", "$gte")

        def test(values: FieldValues) -> bool:
            for value in values.expanded:
                if value is MISSING:
                    continue
                other = order_key(value)
                if other[0] != key[0] or other == NAN_KEY:
                    continue
                if other > key if is_greater else other < key:
                    return True
                if takes_equal and other == key:
                    return True
            return False

        return test

    return compile_comparison


def _is_in(choices: Any) -> FieldTest:
    """`$in`: equal to any of the values, or matching any of the regular expressions."""
    if not isinstance(choices, list | tuple | set | frozenset):
        raise StoreError("$in and $nin take a list.")
    patterns = [_matches_pattern(item) for item in choices if isinstance(item, re.Pattern | Regex)]
    keys = {order_key(item) for item in choices if not isinstance(item, re.Pattern | Regex)}
    takes_missing = NULL_KEY in keys

    def test(values: FieldValues) -> bool:
        if any(takes_missing if value is MISSING else order_key(value) in keys for value in values.expanded):
            return True
        return any(pattern(values) for pattern in patterns)

    return test


def _has_all(expected: Any) -> FieldTest:
    """`$all`: each of the values is there; `$elemMatch` may stand for a value."""
    if not isinstance(expected, list | tuple):
        raise StoreError("$all takes a list.")
    tests = [_compile_all_item(item) for item in expected]
    return lambda values: bool(tests) and all(test(values) for test in tests)


def _compile_all_item(item: Any) -> FieldTest:
    if isinstance(item, re.Pattern | Regex):
        return _matches_pattern(item)
    if isinstance(item, Mapping) and "$elemMatch" in item:
        return _matches_element(item["$elemMatch"])
    return _equals(item)


def _matches_element(condition: Any) -> FieldTest:
    """`$elemMatch`: one element of a list satisfies the whole condition."""
    if not isinstance(condition, Mapping):
        raise StoreError("$elemMatch takes a dictionary.")
    first = next(iter(condition), "")
    if first.startswith("$") and first not in _LOGICAL_OPERATORS:
        tests = _compile_condition(condition)

        def matches(item: Any) -> bool:
            values = FieldValues.of_element(item)
            return all(test(values) for test in tests)

    else:
        criteria = compile_criteria(condition)

        def matches(item: Any) -> bool:
            if isinstance(item, list):
                # A list inside a list counts as a dictionary of its indices.
                return criteria({str(index): value for index, value in enumerate(item)})
            return isinstance(item, Mapping) and criteria(item)

    return lambda values: any(isinstance(value, list) and any(map(matches, value)) for value in values.whole)


def _has_size(size: Any) -> FieldTest:
    """`$size`: a list of this length."""
    if isinstance(size, bool) or not isinstance(size, int | float) or size != int(size) or size < 0:
        raise StoreError("$size takes a whole number that is not negative.")
    return lambda values: any(isinstance(value, list) and len(value) == size for value in values.whole)


def _exists(wanted: Any) -> FieldTest:
    """`$exists`."""
    return lambda values: any(value is not MISSING for value in values.whole) == bool(wanted)


def _has_type(kinds: Any) -> FieldTest:
    """`$type`: by name or number, one or several."""
    tests = [_TYPE_TESTS.get(kind) for kind in (kinds if isinstance(kinds, list | tuple) else [kinds])]
    if not tests or None in tests:
        names = ", ".join(sorted(str(name) for name in _TYPE_TESTS if isinstance(name, str)))
        raise StoreError(f"$type takes one of {names} or its number, not {kinds!r}.")
    return lambda values: any(
        value is not MISSING and any(test(value) for test in tests if test is not None) for value in values.expanded
    )


def _has_remainder(argument: Any) -> FieldTest:
    """`$mod`: the remainder of a division that cuts towards zero."""
    if not isinstance(argument, list | tuple) or len(argument) != 2 or int(argument[0]) == 0:
        raise StoreError("$mod takes [divisor, remainder] with a divisor that is not zero.")
    divisor, remainder = int(argument[0]), int(argument[1])

    def has_remainder(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return False
        whole = int(value)
        return (abs(whole) % abs(divisor)) * (1 if whole >= 0 else -1) == remainder

    return lambda values: any(map(has_remainder, values.expanded))


def compile_pattern(pattern: Any, options: str | None = None) -> re.Pattern[str]:
    """Compile a `$regex` with its `$options`.

    Parameters
    ----------
    pattern : str, re.Pattern or bson Regex
        The regular expression.
    options : str, optional
        Letters of `imsx`, as in MongoDB.

    Returns
    -------
    re.Pattern
        Ready to search with.

    Raises
    ------
    StoreError
        If the expression or an option is wrong.
    """
    if isinstance(pattern, Regex):
        pattern = pattern.try_compile()
    flags = 0
    for letter in options or "":
        if letter not in _PATTERN_FLAGS:
            raise StoreError(f"$options takes letters of {''.join(_PATTERN_FLAGS)}, not {letter!r}.")
        flags |= _PATTERN_FLAGS[letter]
    try:
        if isinstance(pattern, re.Pattern):
            return re.compile(pattern.pattern, flags or pattern.flags)
        return re.compile(pattern, flags)
    except (re.error, TypeError) as error:
        raise StoreError(f"The regular expression {pattern!r} is not valid: {error}.") from error


def _matches_pattern(pattern: re.Pattern[str] | Regex) -> FieldTest:
    compiled = compile_pattern(pattern)
    return lambda values: any(isinstance(value, str) and bool(compiled.search(value)) for value in values.expanded)


def _all_of(predicates: list[Predicate]) -> Predicate:
    return lambda document: all(predicate(document) for predicate in predicates)


def _any_of(predicates: list[Predicate]) -> Predicate:
    return lambda document: any(predicate(document) for predicate in predicates)


def _none_of(predicates: list[Predicate]) -> Predicate:
    return lambda document: not any(predicate(document) for predicate in predicates)


def _is_number(value: Any) -> bool:
    return order_key(value)[0] == NUMBER_RANK


def _is_int32(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def _is_int64(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and not _is_int32(value)


_LOGICAL_OPERATORS: dict[str, Callable[[list[Predicate]], Predicate]] = {
    "$and": _all_of,
    "$or": _any_of,
    "$nor": _none_of,
}
_FIELD_OPERATORS: dict[str, Callable[[Any], FieldTest]] = {
    "$eq": _equals,
    "$ne": lambda value: _not(_equals(value)),
    "$gt": _compares("$gt"),
    "$gte": _compares("$gte"),
    "$lt": _compares("$lt"),
    "$lte": _compares("$lte"),
    "$in": _is_in,
    "$nin": lambda choices: _not(_is_in(choices)),
    "$not": _negated,
    "$type": _has_type,
    "$mod": _has_remainder,
    "$exists": _exists,
    "$size": _has_size,
    "$elemMatch": _matches_element,
    "$all": _has_all,
}
_PATTERN_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
_TYPE_TESTS: dict[Any, Predicate] = {
    "double": lambda value: isinstance(value, float),
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "binData": lambda value: isinstance(value, bytes),
    "objectId": lambda value: isinstance(value, ObjectId),
    "bool": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, datetime),
    "null": lambda value: value is None,
    "int": _is_int32,
    "long": _is_int64,
    "number": _is_number,
}
_TYPE_NUMBERS = {1: "double", 2: "string", 3: "object", 4: "array", 5: "binData", 7: "objectId", 8: "bool"}
_TYPE_NUMBERS |= {9: "date", 10: "null", 16: "int", 18: "long"}
_TYPE_TESTS |= {number: _TYPE_TESTS[name] for number, name in _TYPE_NUMBERS.items()}
