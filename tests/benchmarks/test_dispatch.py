"""The benchmark of dispatching runs on real servers; round trips to the database do not grow with the candidates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NOT_INSTALLED = 3
NOTHING_GROWS = re.compile(r"Between 2 and 8 candidates, [^.]*, no number grows\.")


def page_of(folder: Path, *options: str) -> str:
    """Run the benchmark and give its page; skip where Slurm or the server cannot be installed."""
    page = folder / "page.md"
    command = [sys.executable, str(BENCHMARKS / "dispatch.py"), "--output", str(page), *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if done.returncode == NOT_INSTALLED:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    return page.read_text()


def row(page: str, *beginning: str) -> list[str]:
    """The cells of a table's row after those that it begins with."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    return next(cells[len(beginning) :] for cells in rows if tuple(cells[: len(beginning)]) == beginning)


@pytest.mark.slow
def test_one_job_through_fireworks(tmp_path):
    options = ["--engines", "fireworks", "--jobs", "1", "--skip-unpacked-above", "0", "--counted", "2", "8"]
    page = page_of(tmp_path, *options, "--results-up-to", "0", "--candidates", "0")
    (cell,) = row(page, "fireworks", "pilots")
    assert cell.endswith(" / 1")
    assert NOTHING_GROWS.search(page)
    # Three queries tell of all units; 3 / 8 of one for each candidate.
    assert row(page, "engine: units") == ["3", "3", "0.375"]


@pytest.mark.slow
def test_one_job_through_jobflow_remote(tmp_path):
    options = ["--engines", "jobflow_remote", "--jobs", "1", "--skip-unpacked-above", "0", "--counted", "2", "8"]
    page = page_of(tmp_path, *options, "--candidates", "0")
    (cell,) = row(page, "jobflow_remote", "batch worker")
    assert cell.endswith(" / 1")
    assert NOTHING_GROWS.search(page)
    assert row(page, "engine: units") == ["2", "2", "0.250"]


@pytest.mark.slow
def test_every_part_at_its_smallest(tmp_path):
    page = page_of(tmp_path, "--jobs", "1", "--counted", "2", "8", "--results-up-to", "8", "--candidates", "3")
    for engine, way in (
        ("fireworks", "pilots"),
        ("fireworks", "`qlaunch -r`, one allocation per job"),
        ("jobflow_remote", "batch worker"),
        ("jobflow_remote", "plain worker, one allocation per job"),
    ):
        (cell,) = row(page, engine, way)
        assert cell.endswith(" / 1")
    assert row(page, "local", "worker processes")[0].endswith(" / –")
    assert NOTHING_GROWS.search(page)
    assert row(page, "engine: units") == ["3", "3", "0.375", "2", "2", "0.250"]
    assert re.search(r"status --once` \| \d", page)
