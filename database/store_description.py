"""A file that describes a store as jobflow documents it: read, and every mistake in it named."""

from __future__ import annotations

import difflib
import inspect
import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobflow import JobStore

from ..errors import StoreError
from .file_privacy import holds_password, refuse_unless_private

_FORM = "docs_store with its type and options, and additional_stores with one named data"
_LAUNCHPAD_KEYS = {"host", "port", "name"}


def read_store_description(path: Path) -> JobStore:
    """Make the store that a JSON or YAML file describes.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    JobStore
        Not connected.

    Raises
    ------
    StoreError
        If the file is not there, cannot be read, describes something else, names no kind of store that there is, or an
        option that this kind does not have.
    """
    content = _content(path)
    if holds_password(content):
        refuse_unless_private(path, path.stat(), f"The store description {path}")
    if "@class" not in content:
        _check(path, content)
    try:
        with warnings.catch_warnings():
            # such as that a kind of store has a newer name
            warnings.simplefilter("ignore")
            store: Any = JobStore.from_file(path)
    except Exception as error:
        # Whatever a maggma store's constructor raises: its words may quote a password.
        raise StoreError(
            f"The store description {path} cannot be used ({type(error).__name__}): write it as jobflow documents "
            f"for JobStore.from_file, with {_FORM}."
        ) from None
    return store


def _content(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except FileNotFoundError:
        raise StoreError(f"The store description {path} does not exist: correct its path.") from None
    except OSError as error:
        raise StoreError(
            f"The store description {path} cannot be read ({error.strerror}): correct its path or permissions."
        ) from None
    except UnicodeDecodeError:
        raise StoreError(f"The store description {path} is no text in UTF-8: write it as YAML.") from None
    except json.JSONDecodeError as error:
        raise StoreError(f"The store description {path} is no JSON, line {error.lineno}: correct it.") from None
    except yaml.YAMLError as error:
        # The library's own words quote the line, which may hold a password.
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f", line {mark.line + 1}"
        raise StoreError(f"The store description {path} is no YAML{line}: correct it.") from None
    if not isinstance(content, dict):
        raise StoreError(f"The store description {path} is no list of settings: write {_FORM}.")
    return content


def _check(path: Path, content: Mapping[str, Any]) -> None:
    """Name the first mistake of a description."""
    if "JOB_STORE" in content:
        raise StoreError(
            f"{path} is a whole jobflow.yaml: the lines under JOB_STORE are wanted; write them into a file of their "
            "own, moved to the left by one level, and name that file."
        )
    if "docs_store" not in content and content.keys() >= _LAUNCHPAD_KEYS:
        raise StoreError(
            f"{path} looks like the launchpad file of FireWorks, which holds jobs and not results: name a store, such "
            "as mongodb://host:port/database, or a file that describes one."
        )
    if "docs_store" not in content:
        raise StoreError(f"The store description {path} has no docs_store: write {_FORM}.")
    unknown = content.keys() - inspect.signature(JobStore).parameters.keys()
    if unknown:
        raise StoreError(f"The store description {path} has no use for {', '.join(sorted(unknown))}: write {_FORM}.")
    additional = content.get("additional_stores") or {}
    if not isinstance(additional, Mapping):
        raise StoreError(
            f"additional_stores in {path} is no list of named stores: write the name of each, such as data."
        )
    kinds = _kinds()
    for place, store in (
        ("docs_store", content["docs_store"]),
        *((f"additional_stores.{name}", value) for name, value in additional.items()),
    ):
        for where, one in _with_stores_inside(place, store):
            _check_store(path, where, one, kinds)


def _with_stores_inside(place: str, store: Any) -> Iterator[tuple[str, Any]]:
    yield place, store
    if isinstance(store, Mapping):
        for name, value in store.items():
            if isinstance(value, Mapping) and "type" in value:
                yield from _with_stores_inside(f"{place}.{name}", value)


def _check_store(path: Path, place: str, store: Any, kinds: Mapping[str, type]) -> None:
    if not isinstance(store, Mapping) or not isinstance(store.get("type"), str):
        raise StoreError(f"{place} in {path} has no type: give the kind of store, such as MongoStore.")
    kind = kinds.get(store["type"])
    if kind is None:
        raise StoreError(
            f"{place} in {path} is of an unknown kind, {store['type']!r}: "
            f"{_nearest(store['type'], kinds)}maggma has {', '.join(sorted(name for name in kinds if name[0] != '_'))}."
        )
    accepted, takes_any = _arguments(kind)
    given = [str(name) for name in store if name != "type"]
    wrong = [name for name in given if name not in accepted]
    if wrong and not takes_any:
        raise StoreError(
            f"{place} in {path} has the option {wrong[0]!r}, which a {store['type']} does not take: "
            f"{_nearest(wrong[0], accepted)}its options are {', '.join(accepted)}."
        )
    missing = [name for name, needed in accepted.items() if needed and name not in given]
    if missing:
        raise StoreError(f"{place} in {path} lacks {', '.join(missing)}, which a {store['type']} needs: add it.")


def _kinds() -> dict[str, type]:
    """Name all stores that jobflow would find, as it finds them."""
    import maggma.stores
    from maggma.core import Store

    left: list[type] = [Store]
    found: dict[str, type] = {maggma.stores.ssh_tunnel.SSHTunnel.__name__: maggma.stores.ssh_tunnel.SSHTunnel}
    while left:
        children: list[type] = left.pop().__subclasses__()
        found |= {child.__name__: child for child in children}
        left += children
    return found


def _arguments(kind: type) -> tuple[dict[str, bool], bool]:
    """Name the arguments of a constructor and say which are needed; further ones go to that of its parent."""
    found: dict[str, bool] = {}
    for parent in kind.__mro__[:-1]:
        if "__init__" not in vars(parent):
            continue
        takes_more = False
        for parameter in list(inspect.signature(parent.__init__).parameters.values())[1:]:  # type: ignore[misc]
            if parameter.kind is parameter.VAR_KEYWORD:
                takes_more = True
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                # what a child sets by itself its parent may need
                found.setdefault(parameter.name, parent is kind and parameter.default is parameter.empty)
        if not takes_more:
            return found, False
    return found, True


def _nearest(word: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}? " if near else ""
