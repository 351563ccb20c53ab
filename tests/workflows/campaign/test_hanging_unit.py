"""A potential that never returns: its unit is stopped at the limit, the others go on, a retry continues."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from superion.database.project import find_project
from superion.workflows.campaign.folders import campaign_folder
from superion.workflows.campaign.lock import is_being_driven
from superion.workflows.campaign.retry import forget_failures
from superion.workflows.dispatch import driver as driver_module
from superion.workflows.dispatch import worker_pool

sys.path.append(str(Path(__file__).parent / "support"))
from lattice_campaign import lattice_cell, open_campaigns, rows_of, run_here, write_campaign

SUPPORT = Path(__file__).parent / "support"
LIMITS = {"minimum_free_disk_gb": 0.0, "maximum_unit_hours": 1}


def segments(folder: Path) -> dict[Path, int]:
    """When each segment was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob(".superion/trajectories/*/segment*.h5md")}


def hour_passes_when(monkeypatch, condition: Callable[[], bool]) -> None:
    """Put the clock by which workers are watched on by an hour, once something has happened."""
    shift_s = 0.0

    def monotonic() -> float:
        nonlocal shift_s
        if not shift_s and condition():
            shift_s = 3600.0
        return time.monotonic() + shift_s

    monkeypatch.setattr(worker_pool, "time", SimpleNamespace(monotonic=monotonic, sleep=time.sleep))


def test_a_unit_beyond_the_limit_fails_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(driver_module, "GRACE_S", 1.0)
    events = []
    hour_passes_when(
        monkeypatch,
        lambda: (
            (tmp_path / "hanging").exists()
            and [event.label for event in events if event.kind == "unit_finished"].count("c16") == 2
        ),
    )
    file = write_campaign(tmp_path, {"c15": lattice_cell(15, 2, "Br"), "c16": lattice_cell(16, 3)}, limits=LIMITS)
    (tmp_path / "hang").touch()
    _, ran = run_here(tmp_path, on_event=events.append)
    assert (ran.state, ran.n_failed, ran.counts) == ("finished", 1, {"done": 1, "failed": 1})
    reason = rows_of(tmp_path)["c15"]["reason"]
    assert reason == (
        "it was stopped after limits.maximum_unit_hours = 1: raise that limit, or mend what takes so long, then "
        "try it again with `superion campaign retry --failed`"
    )
    assert [(event.label, event.message) for event in events if event.kind == "unit_failed"] == [("c15", reason)]
    before = segments(tmp_path)
    assert len(before) == 3 + 1

    (tmp_path / "hang").unlink()
    file.write_text(file.read_text().replace("maximum_unit_hours: 1", "maximum_unit_hours: 2"))
    with open_campaigns(tmp_path) as collections:
        assert forget_failures(collections.load_campaign("lattice"), collections, find_project(tmp_path)) == 1
    _, ran = run_here(tmp_path, workers=1)
    assert (ran.state, ran.n_finished, ran.counts) == ("finished", 1, {"done": 2})
    assert before.items() <= segments(tmp_path).items()


@pytest.mark.slow
def test_a_hanging_worker_of_a_killed_driver_leaves(tmp_path):
    """Else it would hold the campaign's lock for ever."""
    write_campaign(tmp_path, {"c15": lattice_cell(15, 2, "Br")})
    (tmp_path / "hang").touch()
    (tmp_path / ".superion").mkdir()
    driver = subprocess.Popen([sys.executable, str(SUPPORT / "lattice_campaign.py"), str(tmp_path)])
    while not (tmp_path / "hanging").exists():
        time.sleep(0.1)
        assert driver.poll() is None
    workers = psutil.Process(driver.pid).children()
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    folder = campaign_folder(find_project(tmp_path), "lattice")
    assert is_being_driven(folder)
    _, alive = psutil.wait_procs(workers, timeout=300.0)
    assert not alive
    assert not is_being_driven(folder)
