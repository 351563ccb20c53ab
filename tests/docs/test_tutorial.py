"""The tutorial's results are those of the shipped export: its commands are run, and print what the page shows."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial_obelix.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tutorial")
    run(folder, f"campaign import {ROOT / 'configs/campaigns/obelix/results.zip'}")
    return folder


def run(folder: Path, command: str) -> str:
    environment = {**os.environ, "COLUMNS": "170", "NO_COLOR": "1", "TERM": "dumb"}
    environment.pop("SUPERION_STORE", None)
    words = [sys.executable, "-m", "superion.scripts.cli", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


COMPARE = [
    line.removeprefix("$ superion ") for line in PAGE.splitlines() if line.startswith("$ superion campaign compare")
]


@pytest.mark.parametrize(
    "command", ["campaign status obelix --once", "query --campaign obelix --status done --limit 0"]
)
def test_tables_are_what_the_store_says(project: Path, command: str) -> None:
    assert run(project, command) in PAGE


@pytest.mark.parametrize("command", COMPARE)
def test_the_agreement_is_what_the_command_prints(project: Path, command: str) -> None:
    assert run(project, command) in PAGE


def test_the_page_compares_with_baselines() -> None:
    assert len(COMPARE) == 2


def test_the_report_is_written(project: Path) -> None:
    run(project, "campaign report obelix --output report")
    assert list((project / "report").rglob("index.html"))
