"""Documents as JSON text: lossless for the types that MongoDB keeps and JSON lacks.

Times, object ids, bytes and non-finite numbers are written in the style of MongoDB's Extended
JSON, as objects with one key that starts with `$`.  The text form of a time sorts like the time.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bson.objectid import ObjectId

from ..errors import StoreError

DATE_TAG = "$date"
OBJECT_ID_TAG = "$oid"
BINARY_TAG = "$binary"
NON_FINITE_TAG = "$number"
LITERAL_TAG = "$literal"
"""Keeps, as a list of one pair, a user's own dictionary whose only key happens to be one of these tags."""

_TAGS = frozenset({DATE_TAG, OBJECT_ID_TAG, BINARY_TAG, NON_FINITE_TAG, LITERAL_TAG})
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_LARGEST_INTEGER = 2**63 - 1
_MAYBE_TOO_LARGE = re.compile(r"\d{19}")


def encode_date(value: datetime) -> str:
    """Write a time as MongoDB keeps it: UTC, cut to milliseconds; text order is time order.

    Parameters
    ----------
    value : datetime
        Aware, or naive and then read as UTC.

    Returns
    -------
    str
        For example `2026-11-22T13:10:17.123Z`.

    Examples
    --------
    >>> encode_date(datetime(2026, 11, 22, 13, 10, 17, 123999))
    '2026-11-22T13:10:17.123Z'
    """
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return f"{value.isoformat(timespec='milliseconds')}Z"


def encode(document: Mapping[str, Any]) -> str:
    """Write a document as compact JSON text.

    Parameters
    ----------
    document : mapping
        Values may be None, bool, int (64 bits), float (NaN and infinities, too), str, datetime,
        ObjectId, bytes, and lists and dictionaries of them.

    Returns
    -------
    str
        JSON without white space, non-ASCII characters as they are.

    Raises
    ------
    StoreError
        If a value has no place in a MongoDB document, either.

    Examples
    --------
    >>> encode({"formula": "Li6PS5Cl", "at": datetime(2026, 1, 2)})
    '{"formula":"Li6PS5Cl","at":{"$date":"2026-01-02T00:00:00.000Z"}}'
    """
    tagged = 0

    def tag(value: Any) -> Any:
        nonlocal tagged
        tagged += 1
        return _tag_scalar(value)

    try:
        text = json.dumps(document, default=tag, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        if text.count('"$') == tagged and not _MAYBE_TOO_LARGE.search(text):
            return text
    except ValueError:  # a NaN or an infinity
        pass
    return json.dumps(_tag_all(document), allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> Any:
    """Read what `encode` wrote.

    Parameters
    ----------
    text : str
        JSON text.

    Returns
    -------
    dict
        The document; times are naive UTC, as pymongo gives them.

    Examples
    --------
    >>> decode('{"at":{"$date":"2026-01-02T00:00:00.000Z"}}')
    {'at': datetime.datetime(2026, 1, 2, 0, 0)}
    """
    # A document starts with its object id; most hold no other tag and need no look at every object.
    head = '{"_id":{"$oid":"'
    if text.startswith(head) and '"$' not in text[len(head) :]:
        document = json.loads(text)
        document["_id"] = ObjectId(document["_id"][OBJECT_ID_TAG])
        return document
    return json.loads(text, object_hook=_untag) if '"$' in text else json.loads(text)


def _tag_scalar(value: Any) -> dict[str, Any]:
    """Write a value that JSON lacks as an object with one tagged key."""
    if isinstance(value, datetime):
        return {DATE_TAG: encode_date(value)}
    if isinstance(value, ObjectId):
        return {OBJECT_ID_TAG: str(value)}
    if isinstance(value, bytes | bytearray):
        return {BINARY_TAG: base64.b64encode(value).decode()}
    raise StoreError(
        f"A value of type {type(value).__name__} cannot be stored in a document: "
        "convert it to numbers, text, lists or dictionaries first."
    )


def _tag_all(value: Any) -> Any:
    """Do what `encode` does for every value one by one."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if not -_LARGEST_INTEGER - 1 <= value <= _LARGEST_INTEGER:
            raise StoreError(f"The integer {value} has more than 64 bits and fits no store: keep it as text.")
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {NON_FINITE_TAG: str(float(value))}
    if isinstance(value, Mapping):
        tagged = {str(key): _tag_all(item) for key, item in value.items()}
        is_ambiguous = len(tagged) == 1 and not _TAGS.isdisjoint(tagged)
        return {LITERAL_TAG: list(tagged.items())} if is_ambiguous else tagged
    if isinstance(value, list | tuple):
        return [_tag_all(item) for item in value]
    return _tag_scalar(value)


def _untag(value: dict[str, Any]) -> Any:
    """Undo `_tag_scalar` and `_tag_all` for one JSON object, the inner ones being done."""
    if len(value) != 1:
        return value
    ((key, item),) = value.items()
    if key not in _TAGS:
        return value
    if key == LITERAL_TAG:
        return dict(item)
    if key == DATE_TAG:
        return datetime.fromisoformat(item[:-1])
    if key == OBJECT_ID_TAG:
        return ObjectId(item)
    if key == BINARY_TAG:
        return base64.b64decode(item)
    return _NON_FINITE[item]
