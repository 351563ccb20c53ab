from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from superion.dynamics.results import MdProgress
from superion.runtime.heartbeat import RelaxationProgress
from superion.scripts.progress import BarView, LineView, progress_view
from superion.workflows.dispatch.events import RunEvent


def beat(completed: float, message: str = "") -> MdProgress:
    return MdProgress(key="k", completed_ps=completed, requested_ps=40.0, ps_per_hour=60.0, message=message)


def relaxation(step: int) -> RelaxationProgress:
    return RelaxationProgress(
        step=step, maximum_steps=500, max_force_ev_per_angstrom=0.1234, force_tolerance_ev_per_angstrom=0.03
    )


def events() -> list[RunEvent]:
    common = {"job_uuid": "a", "job_name": "MD [800] K", "n_jobs": 4}
    other = {"job_uuid": "b", "job_name": "relax", "n_jobs": 4}
    return [
        RunEvent("run_waiting", message="workers still write"),
        RunEvent("run_started", n_jobs=4),
        RunEvent("job_started", **common),
        RunEvent("job_progress", progress=beat(10.0, "error of D 30 %"), remaining_s=1800.0, **common),
        RunEvent("job_started", **other),
        RunEvent("job_progress", relaxation=relaxation(12), **other),
        RunEvent("job_failed", message="it [red]broke[/red]", n_over=1, **other),
        RunEvent("job_skipped", job_uuid="c", job_name="later", message="its input failed", n_jobs=4, n_over=2),
        RunEvent("job_continued", n_over=2, **common),
        RunEvent("job_started", job_uuid="a", job_index=2, job_name="MD [800] K", n_jobs=5, n_over=3),
        RunEvent("job_progress", progress=beat(20.0), remaining_s=1200.0, **common),
        RunEvent("job_completed", n_over=4, **common),
        RunEvent("run_stopping", message="waiting for 1 job"),
        RunEvent("run_finished", n_jobs=4, n_over=4),
    ]


def test_bars_show_progress_and_time_left():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=180, color_system=None)
    with BarView(console) as view:
        for event in events():
            view.on_event(event)
            if event.kind == "job_progress":
                view._progress.refresh()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "MD [800] K" in text
    assert "10.0/40 ps" in text
    assert "30 min 00 s left" in text
    assert "20 min 00 s left" in text
    assert "12 steps" in text
    assert "500 at most" in text
    assert "largest force 0.123 eV/Å, 0.03 asked for" in text
    assert "error of D 30 %" in text
    assert "at most 30 min 00 s left" in text
    assert "failed relax: it [red]broke[/red]" in text
    assert "skipped later: its input failed" in text
    assert "waiting: workers still write" in text
    assert "stopping: waiting for 1 job" in text
    # The continuation goes on in the bar of its first part.
    assert len([task for task in view._progress.tasks if "MD" in task.description]) == 1
    assert view._progress.tasks[1].finished


def test_lines_are_few_and_plain(capsys):
    view = LineView(every_s=0.0)
    with view:
        for event in events():
            view.on_event(event)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert "[0/4] started: MD [800] K" in lines
    assert "[0/4] MD [800] K: 10.0 of 40 ps, 30 min 00 s left, error of D 30 %" in lines
    assert "[0/4] relax: step 12 of at most 500, largest force 0.123 eV/Å, 0.03 asked for" in lines
    assert "failed: relax: it [red]broke[/red]" in lines
    assert "[2/4] skipped: later (its input failed)" in lines
    assert "waiting: workers still write" in lines
    assert "stopping: waiting for 1 job" in lines


def test_progress_lines_keep_their_distance(capsys):
    view = LineView(every_s=1000.0)
    for _ in range(50):
        view.on_event(RunEvent("job_progress", job_uuid="a", job_name="MD", progress=beat(1.0)))
    assert capsys.readouterr().err == ""


def test_a_log_file_gets_lines(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert isinstance(progress_view(), LineView)


@pytest.mark.parametrize("width", [40, 80])
def test_bars_survive_a_narrow_terminal(width):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    with BarView(console) as view:
        for event in events():
            view.on_event(event)
