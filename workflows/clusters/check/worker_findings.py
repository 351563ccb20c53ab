"""From what a worker saw to findings."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...dispatch.queue_engine import Finding
from ..profile import ClusterProfile
from .probe import versions

_MUST_AGREE = ("superion",)
"""Packages whose versions must be the same; others may differ, which is worth knowing."""


def worker_findings(
    profile: ClusterProfile,
    kind: str,
    seen: Mapping[str, Any],
    *,
    potentials: Sequence[str],
    needs_store: bool,
) -> Iterator[Finding]:
    """Judge what a worker saw.

    Parameters
    ----------
    profile : ClusterProfile
        The cluster.
    kind : str
        Kind of job that it was submitted as.
    seen : mapping
        What `probe` wrote.
    potentials : sequence of str
        Potentials that it was to try, in this order.
    needs_store : bool
        Whether workers must reach the database.

    Yields
    ------
    Finding
        One for each part.
    """
    place = f"{kind} on {seen['host']}"
    python = f"Python {seen['python']}, {seen['executable']}"
    if seen["superion"] is not None:
        mend = "set `python` in the profile to the interpreter of superion's environment there"
        yield Finding(f"{place}: superion", "error", f"{python} does not import it ({seen['superion']}): {mend}")
    else:
        yield Finding(f"{place}: superion", "ok", python)
        yield from _compare_versions(place, seen)
    if seen["work_folder"] is not None:
        told = f"{profile.work_folder} is not writable there ({seen['work_folder']})"
        yield Finding(f"{place}: work folder", "error", f"{told}: name a disk that all nodes share")
    if seen["superion"] is not None:
        return
    yield from _potentials(place, seen, potentials)
    yield _device(place, profile, kind, seen)
    yield _end(place, profile, seen)
    if seen["store"] not in (None, "not asked"):
        told = f"workers do not reach it ({seen['store']})"
        if needs_store:
            yield Finding(f"{place}: database", "error", f"{told}: open the way, or take the engine jobflow_remote")
        else:
            yield Finding(f"{place}: database", "warning", f"{told}: FireWorks needs it, jobflow_remote does not")
    elif seen["store"] is None:
        yield Finding(f"{place}: database", "ok", "reached")


def _compare_versions(place: str, seen: Mapping[str, Any]) -> Iterator[Finding]:
    here, there = versions(), seen["versions"]
    here_python, there_python = platform.python_version(), seen["python"]
    different = [
        f"{name} {there.get(name, 'missing')} (here {here.get(name, 'missing')})"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]
    if here_python.rpartition(".")[0] != there_python.rpartition(".")[0]:
        different.insert(0, f"Python {there_python} (here {here_python})")
    if not different:
        yield Finding(f"{place}: versions", "ok", f"as here: superion {here.get('superion')}")
        return
    wrong = any(here.get(name) != there.get(name) for name in _MUST_AGREE)
    mend = "install the same version there" if wrong else "make both environments alike, if results are to repeat"
    state = "error" if wrong else "warning"
    yield Finding(f"{place}: versions", state, f"{', '.join(different)}: {mend}")  # type: ignore[arg-type]


def _potentials(place: str, seen: Mapping[str, Any], potentials: Sequence[str]) -> Iterator[Finding]:
    subject = f"{place}: potential"
    if not potentials:
        yield Finding(subject, "skipped", "name one with --potential")
        return
    for potential, (problem, device) in zip(potentials, seen["potentials"], strict=True):
        if problem is not None:
            yield Finding(subject, "error", f"{potential}: {problem}")
        else:
            yield Finding(subject, "ok", f"{potential} computes on {device}")


def _device(place: str, profile: ClusterProfile, kind: str, seen: Mapping[str, Any]) -> Finding:
    subject, wanted = f"{place}: device", profile.resources_of(kind).gpus
    if not wanted:
        return Finding(subject, "ok", "CPU, as asked for")
    if seen["gpus"] is None:
        return Finding(subject, "error", f"GPUs asked for: {wanted}; torch is not there to see them: install it")
    if seen["gpus"] < wanted:
        return Finding(
            subject,
            "error",
            f"GPUs asked for: {wanted}, seen by torch: {seen['gpus']}; look at the partition, at `module load` in "
            "`setup`, and that torch is built for the driver",
        )
    if any(str(device or "cuda").startswith("cpu") for _, device in seen["potentials"]):
        return Finding(subject, "error", "there is a GPU, and the potential runs on the CPU: see its device option")
    at_a_time = profile.packing_of(kind).jobs_at_a_time
    if at_a_time > wanted:
        told = f"{at_a_time} jobs at a time share {wanted} GPUs: see that together they are faster"
        return Finding(subject, "warning", f"GPUs seen by torch: {seen['gpus']}; {told}, or lower packing.{kind}")
    return Finding(subject, "ok", f"GPUs seen by torch: {seen['gpus']}")


def _end(place: str, profile: ClusterProfile, seen: Mapping[str, Any]) -> Finding:
    """Judge whether jobs learn when their allocation ends, and so stop cleanly before."""
    subject = f"{place}: end of the allocation"
    if profile.scheduler == "shell":
        return Finding(subject, "ok", "there is none without a queue")
    if seen["allocation_ends"] is None:
        mend = "let `scontrol` or `qstat` work there, or set SUPERION_JOB_END_TIME in `setup`"
        return Finding(subject, "warning", f"jobs do not learn it, and stop at the queue's signal only: {mend}")
    return Finding(subject, "ok", "jobs learn it")
