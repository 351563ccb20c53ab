"""Small jobs with every kind of response, importable by worker processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from jobflow import Flow, JobConfig, OnMissing, Response, job

TOLERANT = JobConfig(on_missing_references=OnMissing.NONE)


def _count(folder: str, name: str) -> int:
    """Count how often a job really ran."""
    with (Path(folder) / name).open("a") as handle:
        handle.write("x")
    return (Path(folder) / name).stat().st_size


@job
def add(a, b, folder):
    _count(folder, f"add-{a}-{b}")
    return a + b


@job
def fail(folder):
    _count(folder, "fail")
    if (Path(folder) / "mended").exists():
        return 5
    raise ValueError("deliberate")


@job(config=TOLERANT)
def total(values, folder):
    _count(folder, "total")
    return sum(value for value in values if value is not None)


@job
def countdown(n, folder):
    _count(folder, f"countdown-{n}")
    if n == 0:
        return "done"
    return Response(output=f"partial {n}", replace=countdown(n - 1, folder))


@job
def replaced_by_flow(folder):
    first = add(1, 1, folder)
    second = add(first.output, 10, folder)
    return Response(replace=Flow([first, second], output=second.output))


@job
def detoured(folder):
    return Response(output=1, detour=mark(folder, "detour"))


@job
def enlarged(folder):
    return Response(output=1, addition=mark(folder, "addition"))


@job
def mark(folder, name):
    time.sleep(0.3)
    _count(folder, name)


@job
def exists(folder, name, after):
    return (Path(folder) / name).exists()


@job
def childless(folder):
    return Response(output=1, stop_children=True)


@job
def stop_all(folder):
    return Response(output=1, stop_jobflow=True)


@job
def die_until(folder, times):
    if _count(folder, "die") <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


@job
def stop_slowly(folder, until):
    """Stop once a file is there, as dynamics does that still writes a checkpoint."""

    def leave(number, frame):
        while not (Path(folder) / until).exists():
            time.sleep(0.05)
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    _count(folder, "working")
    time.sleep(600)


@job
def meet(folder, name, other):
    """Wait for another job that must run at the same time."""
    (Path(folder) / name).touch()
    deadline = time.monotonic() + 400
    while not (Path(folder) / other).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return (Path(folder) / other).exists(), os.environ["OMP_NUM_THREADS"], os.getpid(), str(Path.cwd())
