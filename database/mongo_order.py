"""How MongoDB compares values: kinds first, then values within a kind.

References
----------
MongoDB manual, "Comparison/Sort Order".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.objectid import ObjectId

from ..errors import StoreError

EMPTY_ARRAY_RANK = 4
NULL_RANK = 5
NUMBER_RANK = 10
TEXT_RANK = 15
OBJECT_RANK = 20
ARRAY_RANK = 25
BINARY_RANK = 30
OBJECT_ID_RANK = 35
BOOLEAN_RANK = 40
DATE_RANK = 45

_EPOCH = datetime(1970, 1, 1)
_MILLISECOND = timedelta(milliseconds=1)

OrderKey = tuple[int, Any]
"""(rank of the kind, key within the kind): equal keys are equal values, and keys sort as MongoDB sorts."""

NULL_KEY: OrderKey = (NULL_RANK, 0)
NAN_KEY: OrderKey = (NUMBER_RANK, (0, 0))


def order_key(value: Any) -> OrderKey:
    """Map a value to a key that compares as MongoDB compares the values.

    Parameters
    ----------
    value : object
        Any value that a document may hold.

    Returns
    -------
    tuple
        Keys of equal values are equal (1 and 1.0 are, 1 and True are not), and keys sort as values do.

    Raises
    ------
    StoreError
        If the value can be in no document.

    Examples
    --------
    >>> order_key(1) == order_key(1.0), order_key(1) == order_key(True)
    (True, False)
    >>> sorted(["a", None, 2, True], key=order_key)
    [None, 2, 'a', True]
    """
    if value is None:
        return NULL_KEY
    if isinstance(value, bool):
        return (BOOLEAN_RANK, value)
    if isinstance(value, int | float):
        # NaN equals itself and comes before every other number.
        return (NUMBER_RANK, (1, value)) if value == value else NAN_KEY
    if isinstance(value, str):
        return (TEXT_RANK, value)
    if isinstance(value, Mapping):
        keys = ((key, order_key(item)) for key, item in value.items())
        return (OBJECT_RANK, tuple((item[0], key, item[1]) for key, item in keys))
    if isinstance(value, list | tuple):
        return (ARRAY_RANK, tuple(order_key(item) for item in value))
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        return (DATE_RANK, (value - _EPOCH) // _MILLISECOND)
    if isinstance(value, ObjectId):
        return (OBJECT_ID_RANK, value.binary)
    if isinstance(value, bytes | bytearray):
        return (BINARY_RANK, (len(value), bytes(value)))
    raise StoreError(f"A value of type {type(value).__name__} cannot be compared with what documents hold.")
