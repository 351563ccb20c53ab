"""Lay the package out for the API reference.

The repository root is the package, so the root also holds what is no part of it: environments, tests, results. The
reader of docstrings would walk through all of that. It is given a folder with links to the package's own folders.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / ".typing" / "api"
"""What `paths` of mkdocstrings in mkdocs.yml names."""


def on_startup(**_: Any) -> None:
    """Make the links that are missing."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name.split(".")[1] for name in settings["tool"]["setuptools"]["packages"] if "." in name}
    package = SOURCES / "superion"
    package.mkdir(parents=True, exist_ok=True)
    for source in [*sorted(ROOT.glob("*.py")), *(ROOT / name for name in sorted(packages))]:
        link = package / source.name
        if not link.is_symlink():
            link.symlink_to(Path("../../..") / source.name)
