"""How MongoDB follows a dotted path through dictionaries and lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .mongo_order import EMPTY_ARRAY_RANK, NULL_KEY, OrderKey, order_key


class _Missing:
    """The one value that stands for "there is no such field"."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""What `values_at` yields where a path leads nowhere."""


def split_path(path: str) -> tuple[str, ...]:
    """Split a dotted path into its parts.

    Parameters
    ----------
    path : str
        For example `output.formula`.

    Returns
    -------
    tuple of str
        The parts.
    """
    return tuple(path.split("."))


def values_at(document: Any, parts: tuple[str, ...], *, expand: bool = False) -> Iterator[Any]:
    """Yield what stands at a path; lists on the way are searched element by element.

    Parameters
    ----------
    document : dict
        The document.
    parts : tuple of str
        The path, split; a number may be an index into a list.
    expand : bool
        Whether a list at the end of the path adds its elements, as most operators want it.  A list that
        was reached by an index stands for itself only.

    Yields
    ------
    object
        Values; `MISSING` where a dictionary lacks the field or a single value stands in its way.
        Nothing for list elements that are no dictionaries.

    Examples
    --------
    >>> list(values_at({"points": [{"t": 300}, {"t": 600}, 5]}, ("points", "t")))
    [300, 600]
    >>> list(values_at({"elements": ["Li", "S"]}, ("elements",), expand=True))
    [['Li', 'S'], 'Li', 'S']
    """
    if not parts:
        yield document
        if expand and isinstance(document, list):
            yield from document
        return
    part, rest = parts[0], parts[1:]
    if isinstance(document, Mapping):
        if part in document:
            yield from values_at(document[part], rest, expand=expand)
        else:
            yield MISSING
    elif isinstance(document, list):
        if part.isdecimal() and int(part) < len(document):
            yield from values_at(document[int(part)], rest, expand=expand and bool(rest))
        for item in document:
            if isinstance(item, Mapping):
                yield from values_at(item, parts, expand=expand)
    else:
        yield MISSING


def sort_key_at(document: Any, parts: tuple[str, ...], *, descending: bool) -> OrderKey:
    """Find the key by which MongoDB sorts a document: of a list, its least or its greatest element.

    Parameters
    ----------
    document : dict
        The document.
    parts : tuple of str
        The path to sort by, split.
    descending : bool
        Whether the greatest element of a list counts.

    Returns
    -------
    tuple
        A key as of `order_key`; a missing field sorts as null, an empty list before it.

    Examples
    --------
    >>> sort_key_at({"t": [600, 300]}, ("t",), descending=False) == order_key(300)
    True
    """
    keys: list[OrderKey] = []
    for value in values_at(document, parts):
        if isinstance(value, list):
            keys += [order_key(item) for item in value] or [(EMPTY_ARRAY_RANK, 0)]
        else:
            keys.append(NULL_KEY if value is MISSING else order_key(value))
    if not keys:
        return NULL_KEY
    return max(keys) if descending else min(keys)


def distinct_at(document: Any, parts: tuple[str, ...]) -> Iterator[Any]:
    """Yield the values that count for `distinct`: elements in place of lists, and no missing field.

    Parameters
    ----------
    document : dict
        The document.
    parts : tuple of str
        The path, split.

    Yields
    ------
    object
        Values, possibly repeated.
    """
    for value in values_at(document, parts):
        if isinstance(value, list):
            yield from value
        elif value is not MISSING:
            yield value
