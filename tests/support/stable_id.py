"""Names of parametrised tests that are the same in every process, sets and plain objects included."""

from __future__ import annotations

from typing import Any


def stable_id(value: Any) -> str:
    """Write a parameter with its sets in order and without addresses.

    Parameters
    ----------
    value : object
        The parameter.

    Returns
    -------
    str
        Its name.
    """
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(stable_id, value))) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{stable_id(key)}: {stable_id(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(stable_id, value)) + "]"
    return type(value).__name__ if type(value) is object else str(value)
