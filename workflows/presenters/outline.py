"""Nested data as a few indented lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LONGEST_LIST = 8
"""Longer lists are shown by their length; `superion show --json` has them whole."""


def outline(data: Mapping[str, Any], indent: int = 0) -> list[str]:
    """Write nested data as indented lines; long lists by their length only.

    Parameters
    ----------
    data : mapping
        Plain data.
    indent : int
        Depth of the first level.

    Returns
    -------
    list of str
        The lines.

    Examples
    --------
    >>> outline({"a": 1, "b": {"c": [1, 2]}})
    ['a: 1', 'b:', '  c: 1, 2']
    """
    pad = "  " * indent
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping) and "sites" in value:
            lines.append(f"{pad}{key}: {len(value['sites'])} sites")
        elif isinstance(value, Mapping) and value:
            lines.append(f"{pad}{key}:")
            lines += outline(value, indent + 1)
        elif isinstance(value, list):
            lines.append(f"{pad}{key}: {_list_text(value)}")
        else:
            lines.append(f"{pad}{key}: {'–' if value is None else value}")
    return lines


def _list_text(values: list[Any]) -> str:
    """Write a short list whole, a long one by its length."""
    if len(values) > _LONGEST_LIST or any(isinstance(value, Mapping | list) for value in values):
        return f"{len(values)} entries"
    return ", ".join(str(value) for value in values) or "–"
