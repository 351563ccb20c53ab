"""Show CHANGELOG.md and CONTRIBUTING.md of the repository root as pages, so that nothing is written twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

_PAGES = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages; their links into `docs/` are relative to it here."""
    root = Path(config.config_file_path).parent
    for page, source in _PAGES.items():
        text = (root / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text.replace("](docs/", "](")))
    return files
