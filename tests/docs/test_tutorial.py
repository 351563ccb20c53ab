"""The tutorial's results are those of the shipped export: its commands are run, and print what the page shows."""

from __future__ import annotations

import contextlib
import io
import shlex
from pathlib import Path

import pytest
from superion.scripts.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial_obelix.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tutorial")
    run(folder, f"campaign import {ROOT / 'configs/campaigns/obelix/results.zip'}")
    return folder


def run(folder: Path, command: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"COLUMNS": "170", "NO_COLOR": "1", "TERM": "dumb"}.items():
            patch.setenv(name, value)
        patch.delenv("SUPERION_STORE", raising=False)
        patch.chdir(folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(shlex.split(command))
    assert code == 0, err.getvalue()
    return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").splitlines())


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
