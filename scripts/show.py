"""`superion show`: one document, for reading or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from .console import plain_data, results_console, write_json
from .options import JsonOption, StoreOption

_LONGEST_LIST = 8
"""Longer lists are shown by their length; `--json` has them whole."""


def show(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Uuid of a document, or its first characters; or the name of a run.")
    ],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one document."""
    from .find_document import find_document

    stored = find_document(identifier, store)
    if as_json:
        write_json(stored.document)
        return
    from ..database.documents import ConductivityDoc

    console = results_console()
    if isinstance(stored.document, ConductivityDoc):
        from .summary import print_conductivity

        print_conductivity(stored.document, console)
        console.print(f"\nHTML report: superion report {stored.uuid[:8]}", markup=False)
        return
    for line in outline(plain_data(stored.document)):
        console.print(line, markup=False, soft_wrap=True)


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
