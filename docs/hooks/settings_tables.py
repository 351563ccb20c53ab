"""Turn `<!-- settings: dotted.path.Model -->` into a table of its fields, so that no table can grow stale.

A pydantic model gives its field descriptions. A Maker gives the settings that `--set` takes, by the names it takes.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

MARKER = re.compile(r"^<!-- settings: ([\w.]+)(?: without ([\w., ]+))? -->$", re.MULTILINE)
"""A line of a page: the dotted path of a class, and names to leave out, whole or as the beginning of others."""

Row = tuple[str, str, str]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace every marker of a page by its table."""
    return MARKER.sub(lambda found: settings_table(found[1], _names(found[2])), markdown)


def settings_table(path: str, without: tuple[str, ...] = ()) -> str:
    """Write the table of one class as Markdown.

    Parameters
    ----------
    path : str
        Dotted path of a pydantic model or a Maker.
    without : tuple of str
        Settings to leave out, with those below them.

    Returns
    -------
    str
        Setting, default and meaning of each.
    """
    module, _, name = path.rpartition(".")
    rows = [
        row
        for row in _rows(getattr(importlib.import_module(module), name))
        if not any(row[0] == left or row[0].startswith(f"{left}.") for left in without)
    ]
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    lines += [
        f"| `{setting}` | {default} | {meaning.replace('|', chr(92) + '|')} |" for setting, default, meaning in rows
    ]
    return "\n".join(lines)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(re.split(r"[,\s]+", text.strip())) if text else ()


def _rows(kind: type) -> Iterator[Row]:
    from pydantic import BaseModel

    if issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            default = "required" if field.is_required() else _written(field.get_default(call_default_factory=True))
            yield name, default, field.description or ""
        return
    from superion.flows.settings import list_settings

    for info in list_settings(kind()):
        yield info.name, _written(info.value), info.description


def _written(value: Any) -> str:
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        # A section of its own, with a table of its own.
        return "see below"
    return f"`{json.dumps(value, ensure_ascii=False)}`"
