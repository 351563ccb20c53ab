"""MongoDB's projections: which fields of a document a query returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import StoreError
from .mongo_paths import split_path

Projection = Callable[[dict[str, Any]], dict[str, Any]]
_Tree = dict[str, Any]


def compile_projection(properties: Mapping[str, Any] | Sequence[str] | None) -> Projection | None:
    """Turn a projection into a function on documents.

    Parameters
    ----------
    properties : list of str, mapping or None
        Fields to return, or a dictionary of 1 (return) or 0 (leave out); dotted paths reach into
        dictionaries and lists of dictionaries.  `_id` is returned unless it is set to 0.

    Returns
    -------
    callable or None
        document -> what is returned of it; None where nothing is to be changed.

    Raises
    ------
    StoreError
        If fields to return and fields to leave out are mixed, or an operator stands in the projection.

    Examples
    --------
    >>> compile_projection(["a.b"])({"_id": 1, "a": {"b": 2, "c": 3}, "d": 4})
    {'_id': 1, 'a': {'b': 2}}
    """
    if not properties:
        return None
    flags = dict(properties) if isinstance(properties, Mapping) else dict.fromkeys(properties, 1)
    for field, flag in flags.items():
        if isinstance(flag, Mapping | list | str) or "$" in field:
            raise StoreError(
                f"The embedded store cannot compute fields ({field!r}: {flag!r}) in a query: ask for plain fields."
            )
    with_id = bool(flags.pop("_id", True))
    kinds = {bool(flag) for flag in flags.values()}
    if len(kinds) == 2:
        raise StoreError("A projection either names the fields to return or those to leave out, not both.")
    if not kinds:
        if with_id:
            # Only {"_id": 1} was asked for.
            return lambda document: {key: document[key] for key in ("_id",) if key in document}
        return lambda document: {key: value for key, value in document.items() if key != "_id"}
    tree = _as_tree(flags)
    if kinds == {True}:
        if with_id:
            tree = {"_id": True, **tree}
        return lambda document: _include(document, tree)
    if not with_id:
        tree["_id"] = True
    return lambda document: _exclude(document, tree)


def _as_tree(paths: Mapping[str, Any]) -> _Tree:
    """Nest dotted paths: {"a.b": 1} becomes {"a": {"b": True}}."""
    tree: _Tree = {}
    for path in paths:
        branch = tree
        *parents, leaf = split_path(path)
        for part in parents:
            child = branch.setdefault(part, {})
            if not isinstance(child, dict):
                raise StoreError(f"The projection names both {path!r} and a field above it: keep one of them.")
            branch = child
        if isinstance(branch.get(leaf), dict):
            raise StoreError(f"The projection names both {path!r} and a field below it: keep one of them.")
        branch[leaf] = True
    return tree


def _include(value: Mapping[str, Any], tree: _Tree) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, item in value.items():
        branch = tree.get(key)
        if branch is True:
            kept[key] = item
        elif branch is not None:
            if isinstance(item, Mapping):
                kept[key] = _include(item, branch)
            elif isinstance(item, list):
                kept[key] = _include_in_list(item, branch)
    return kept


def _include_in_list(items: list[Any], tree: _Tree) -> list[Any]:
    """Project dictionaries inside a list, at any depth; other elements drop out."""
    kept: list[Any] = []
    for item in items:
        if isinstance(item, Mapping):
            kept.append(_include(item, tree))
        elif isinstance(item, list):
            kept.append(_include_in_list(item, tree))
    return kept


def _exclude(value: Any, tree: _Tree) -> Any:
    if isinstance(value, list):
        return [_exclude(item, tree) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _exclude(item, tree[key]) if key in tree else item
        for key, item in value.items()
        if tree.get(key) is not True
    }
