"""A project that an earlier superion left: packed once, and unpacked wherever a test works.

``python tests/support/earlier_project.py PROJECT ARCHIVE`` packs one.
"""

from __future__ import annotations

import io
import json
import shutil
import socket
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ARCHIVE = Path(__file__).parents[1] / "data" / "project_0.1.0.tar.xz"
_PLACE, _HOST = "/home/ann/project", "node1"
"""What stands in the archive for the folder that the project was in, and for its host."""

_LEFT_OUT = ("reports", "jobs", "progress", "heartbeat.json", "workers.log", "lock", "writer.lock")


def unpack_earlier_project(folder: Path) -> dict[str, Any]:
    """Put the project into an empty folder; give what the earlier superion answered to its commands."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    _rewrite(folder, [(_PLACE, str(folder))])
    answers: dict[str, Any] = json.loads((folder / "answers.json").read_text())
    return answers


def pack(project: Path, archive: Path) -> None:
    """Pack a project without what only its host and the moment know."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "project"
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        unfinished = {path.parent.name for path in _partial(copy)}
        for folder in (copy / ".superion" / "trajectories").iterdir():
            if folder.name not in unfinished:
                shutil.rmtree(folder)
        host = socket.gethostname()
        hosts = [(f'"host":{space}"{host}"', f'"host":{space}"{_HOST}"') for space in ("", " ")]
        _rewrite(copy, [(str(project.absolute()), _PLACE), *hosts])
        with tarfile.open(archive, "w:xz") as packed:
            for path in sorted(copy.rglob("*")):
                if path.is_file():
                    entry = tarfile.TarInfo(str(path.relative_to(copy)))
                    entry.size = path.stat().st_size
                    packed.addfile(entry, io.BytesIO(path.read_bytes()))


def _partial(project: Path) -> Iterator[Path]:
    """Trajectories that go on when their run is resumed."""
    for path in (project / ".superion" / "trajectories").glob("*/manifest.json"):
        if json.loads(path.read_text())["outcome"]["state"] != "completed":
            yield path


def _rewrite(folder: Path, changes: list[tuple[str, str]]) -> None:
    """Replace texts in all JSON files and in the store."""
    for path in folder.rglob("*.json"):
        text = path.read_text()
        for old, new in changes:
            text = text.replace(old, new)
        path.write_text(text)
    database = sqlite3.connect(folder / ".superion" / "superion.db")
    with database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in (name for name in names if name.startswith("documents_")):
            for old, new in changes:
                database.execute(f'UPDATE "{name}" SET body = replace(body, ?, ?)', (old, new))
    database.execute("VACUUM")
    database.close()


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
