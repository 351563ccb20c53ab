"""Turn `<!-- presets -->` into a table of the presets that ship with the package."""

from __future__ import annotations

from typing import Any

MARKER = "<!-- presets -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the marker of a page by the table."""
    return markdown.replace(MARKER, preset_table()) if MARKER in markdown else markdown


def preset_table() -> str:
    """Write name and description of every shipped preset as Markdown.

    Returns
    -------
    str
        One line per preset.
    """
    from superion.flows.presets import list_presets

    rows = [f"| `{preset.name}` | {preset.description} |" for preset in list_presets()]
    return "\n".join(["| preset | what for |", "| --- | --- |", *rows])
