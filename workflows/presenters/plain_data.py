"""Anything that documents hold, as JSON can hold it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any


def plain_data(data: Any) -> Any:
    """Turn data into what JSON can hold.

    Parameters
    ----------
    data : object
        Plain data, pydantic models, paths, dates and numpy numbers.

    Returns
    -------
    object
        Dicts, lists, strings, numbers, booleans and None.

    Examples
    --------
    >>> plain_data({"a": float("nan"), "b": (1, 2)})
    {'a': None, 'b': [1, 2]}
    """
    if data is None or isinstance(data, str | bool | int):
        return data
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if hasattr(data, "model_dump"):
        return plain_data(data.model_dump())
    if isinstance(data, Enum):
        return plain_data(data.value)
    if isinstance(data, Mapping):
        return {str(key): plain_data(value) for key, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [plain_data(item) for item in data]
    if isinstance(data, date):
        return data.isoformat()
    if isinstance(data, Path):
        return str(data)
    if hasattr(data, "tolist"):
        return plain_data(data.tolist())
    return str(data)
