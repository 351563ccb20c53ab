"""A package of somebody else's that registers something, as far as entry points see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def plugin_package(
    folder: Path, entry_points: Mapping[str, Mapping[str, str]], *cached: Callable[..., Any]
) -> Iterator[None]:
    """Install a package that registers entry points, by group and name, in a folder of the path; then forget it.

    What registries keep in memory is named by `cached`.
    """
    information = folder / "example_plugin-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: example-plugin\nVersion: 1.0\n")
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in entry_points.items()
    ]
    (information / "entry_points.txt").write_text("\n".join(sections) + "\n")

    def forget() -> None:
        for function in cached:
            function.cache_clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        forget()
        try:
            yield
        finally:
            patch.undo()
            forget()
