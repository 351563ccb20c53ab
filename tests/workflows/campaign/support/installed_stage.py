"""A stage of a test installed as pip would leave it: for this process, and for those that it starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from superion.workflows.stages import registry

SUPPORT = Path(__file__).parent


@contextmanager
def installed_stage(folder: Path, name: str, target: str) -> Iterator[None]:
    """Register a stage of a module in this folder."""
    information = folder / f"{name}_stage-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-stage\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[superion.stages]\n{name} = {target}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        path = [str(folder), str(SUPPORT), *filter(None, [os.environ.get("PYTHONPATH")])]
        patch.setenv("PYTHONPATH", os.pathsep.join(path))
        _forget()
        yield
    _forget()


def _forget() -> None:
    registry.stage_names.cache_clear()
    registry.load_stage.cache_clear()
