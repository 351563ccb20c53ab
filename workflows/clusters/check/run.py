"""The whole check of a cluster: profile, database, folders, queue, and a tiny job of each kind."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from ....database.settings import STORE_FILE_VARIABLE, STORE_VARIABLE, own_store_file
from ....potentials.specification import PotentialSpecification
from ....runtime.resource_kind import load_resource_kind, resource_kinds
from ...dispatch.queue_engine import Finding
from ..fireworks_adapter import to_queue_adapter
from ..job_script import job_environment, preparation_lines
from ..profile import ClusterProfile
from ..shell_text import for_shell
from ..time_limit import write_time_limit
from . import probe
from .host_shell import HostShell, last_line
from .queue_commands import QueueRefusalError, cancel_job, queue_state, submit_script
from .store_findings import store_findings
from .worker_findings import worker_findings

PROBE_TIME_LIMIT_S = 600
"""Longest time that a tiny job asks for, in s: short jobs start sooner."""

LOW_DISK_GB = 20.0
"""Free space below which a warning is made, in GB."""

_POLL_S = 1.0
_SLOWEST_POLL_S = 10.0


@dataclass(frozen=True)
class CheckRequest:
    """What to check.

    Parameters
    ----------
    profile : ClusterProfile
        The cluster.
    store : str or None
        Address of the result store.
    potentials : sequence of PotentialSpecification
        Potentials that workers must be able to use.
    kinds : sequence of str
        Kinds of jobs to try.
    engine : str or None
        Engine that it is for: FireWorks' workers must reach the database themselves, those of jobflow_remote need not;
        without an engine it is worth knowing.
    timeout_s : float
        How long to wait for the tiny jobs, in s.
    """

    profile: ClusterProfile
    store: str | None = None
    potentials: Sequence[PotentialSpecification] = ()
    kinds: Sequence[str] = field(default_factory=resource_kinds)
    engine: str | None = None
    timeout_s: float = 300.0


def check_cluster(request: CheckRequest, say: Callable[[str], None] = lambda text: None) -> Iterator[Finding]:
    """Check a cluster; what fails comes with how to mend it.

    Tiny jobs are submitted as jobs of campaigns are, with at most ten minutes. Those that still wait at the end are
    taken back. The folder of a check that found errors stays.

    Parameters
    ----------
    request : CheckRequest
        What to check.
    say : callable
        Told what is waited for.

    Yields
    ------
    Finding
        As soon as it is known.
    """
    yield from walltime_findings(request.profile, request.kinds)
    yield from store_findings(request.store)
    shell = HostShell(request.profile.host)
    folder_finding, folder = _make_folder(shell, request.profile)
    yield folder_finding
    if folder is None:
        yield Finding("queue", "skipped", "without a work folder there is nowhere to start a job")
        return
    failed = False
    for finding in _try_jobs(shell, request, folder, say):
        failed = failed or finding.state == "error"
        yield finding
    if failed:
        say(f"what the jobs printed is in {folder}" + (f" on {shell.name}" if shell.host else ""))
    else:
        shell.run(f"rm -r {for_shell(folder)}")


def walltime_findings(profile: ClusterProfile, kinds: Sequence[str]) -> Iterator[Finding]:
    """Compare time limits with the margin that jobs need to stop.

    Parameters
    ----------
    profile : ClusterProfile
        The cluster.
    kinds : sequence of str
        Kinds of jobs.

    Yields
    ------
    Finding
        One for each kind.
    """
    for kind in kinds:
        limit_s, margin_s = profile.resources_of(kind).time_limit_s, profile.stop_margin_s
        limit, subject = profile.resources_of(kind).time_limit, f"{kind}: walltime"
        if limit_s <= margin_s:
            told = f"{limit} is not longer than stop_margin_s, {margin_s:g} s: give more time or a smaller margin"
            yield Finding(subject, "error", told)
        elif limit_s < 4 * margin_s:
            told = f"{limit} is short beside stop_margin_s, {margin_s:g} s: a quarter of it goes to stopping"
            yield Finding(subject, "warning", told)
        else:
            yield Finding(subject, "ok", f"{limit}, jobs stop {margin_s:g} s before its end")


def _make_folder(shell: HostShell, profile: ClusterProfile) -> tuple[Finding, str | None]:
    """Make the folders of the workers, and one for this check."""
    work = profile.work_folder
    unique = f"checks/{time.strftime('%Y%m%d-%H%M%S')}-{uuid4().hex[:6]}"
    wanted = " ".join(for_shell(profile.folder(name)) for name in ("progress", "trajectories", unique))
    answer = shell.run(f"mkdir -p {wanted} && cd {for_shell(profile.folder(unique))} && pwd && df -Pk . | tail -1")
    if answer.returncode != 0:
        mend = "name a folder that you may write to, on a disk that all nodes share"
        if answer.returncode == 255 and shell.host:
            return Finding("host", "error", f"{shell.name} is not reached by ssh ({last_line(answer)}): try it"), None
        told = f"{work} on {shell.name} is not writable ({last_line(answer)})"
        return Finding("work folder", "error", f"{told}: {mend}"), None
    folder, disk = answer.stdout.splitlines()[:2]
    free_gb = int(disk.split()[3]) * 1024 / 1e9
    if free_gb < LOW_DISK_GB:
        told = f"{work} has {free_gb:.1f} GB left: make room, trajectories are large"
        return Finding("work folder", "warning", told), folder
    return Finding("work folder", "ok", f"{work} on {shell.name}, {free_gb:.0f} GB free"), folder


def _try_jobs(shell: HostShell, request: CheckRequest, folder: str, say: Callable[[str], None]) -> Iterator[Finding]:
    submitted: dict[str, str] = {}
    prepared = shell.run(f"cat > {for_shell(folder)}/probe.py", stdin=Path(probe.__file__).read_text(encoding="utf-8"))
    if prepared.returncode == 0 and _asks_for_store(request):
        prepared = shell.run(f"umask 077; cat > {for_shell(folder)}/store_address", stdin=f"{request.store}\n")
    if prepared.returncode != 0:
        yield Finding("work folder", "error", f"nothing can be written there ({last_line(prepared)}): make room")
        return
    try:
        for kind in request.kinds:
            try:
                submitted[kind] = _submit(shell, request, kind, folder)
            except QueueRefusalError as error:
                yield _refusal(request.profile, kind, str(error))
        yield from _collect(shell, request, folder, submitted, say)
    finally:
        for job_id in submitted.values():
            cancel_job(shell, request.profile.scheduler, job_id)
        shell.run(f"rm -f {for_shell(folder)}/store_address")


def _submit(shell: HostShell, request: CheckRequest, kind: str, folder: str) -> str:
    """Ask whether the queue takes the real request, and submit a shorter one."""
    scheduler = request.profile.scheduler
    job_folder = f"{folder}/{kind}"
    shell.run(f"mkdir -p {for_shell(job_folder)}")
    short = write_time_limit(min(PROBE_TIME_LIMIT_S, request.profile.resources_of(kind).time_limit_s))
    profiles = {"script.sh": request.profile.with_resources({kind: {"time_limit": short}})}
    if scheduler == "slurm":
        profiles = {"as_in_campaigns.sh": request.profile, **profiles}
    for name, profile in profiles.items():
        written = shell.run(
            f"cat > {for_shell(job_folder)}/{name}", stdin=_script(profile, request, kind, folder, job_folder)
        )
        if written.returncode != 0:
            raise QueueRefusalError(last_line(written))
        if name != "script.sh":
            submit_script(shell, scheduler, job_folder, name, test_only=True)
    return submit_script(shell, scheduler, job_folder, "script.sh")


def _script(profile: ClusterProfile, request: CheckRequest, kind: str, folder: str, job_folder: str) -> str:
    command = f"{for_shell(profile.python_of_workers())} {shlex.quote(folder + '/probe.py')}"
    command += f" --output {shlex.quote(job_folder + '/seen.json')} --work-folder {for_shell(profile.work_folder)}"
    for potential in _tried(request, kind):
        command += f" --potential {shlex.quote(potential.model_dump_json())}"
    environment = job_environment(profile)
    if _asks_for_store(request):
        environment[STORE_FILE_VARIABLE] = _address_file(request, folder)
    # What the submitting shell has must not help: on another day it will be another shell.
    inherited = [STORE_VARIABLE] if _asks_for_store(request) else [STORE_VARIABLE, STORE_FILE_VARIABLE]
    command = f"unset {' '.join(inherited)}\n{command}"
    if profile.scheduler == "shell":
        return "\n".join(["#!/bin/bash", *preparation_lines(profile, environment), command, ""])
    adapter = to_queue_adapter(profile, kind, command, job_name=f"superion-check-{kind}", environment=environment)
    return str(adapter.get_script_str(job_folder))


def _address_file(request: CheckRequest, folder: str) -> str:
    """Name the file from which workers read the store's address: the user's own, as in campaigns, or a copy."""
    return own_store_file(request.store or "") or f"{folder}/store_address"


def _asks_for_store(request: CheckRequest) -> bool:
    return request.store is not None and request.engine != "jobflow_remote"


def _refusal(profile: ClusterProfile, kind: str, words: str) -> Finding:
    resources = profile.resources_of(kind)
    lower = words.lower()
    subject = f"{kind}: queue"
    if "not found" in lower and ("sbatch" in lower or "qsub" in lower):
        mend = "run this on a host that reaches the queue, or name one as `host` in the profile"
    elif "partition" in lower or "queue" in lower:
        mend = f"correct resources.{kind}.partition, now {resources.partition or 'the default one'}"
    elif "time limit" in lower or "walltime" in lower:
        mend = f"correct resources.{kind}.time_limit, now {resources.time_limit}, or take another partition"
    elif "account" in lower or "qos" in lower:
        mend = f"correct resources.{kind}.account and qos"
    elif "contact slurm controller" in lower or "cannot connect" in lower:
        mend = "the queue is away: try again later"
    else:
        mend = f"correct resources.{kind}; `superion cluster show NAME --script {kind}` shows what is submitted"
    return Finding(subject, "error", f"it refuses the job ({words}): {mend}")


def _collect(
    shell: HostShell,
    request: CheckRequest,
    folder: str,
    submitted: dict[str, str],
    say: Callable[[str], None],
) -> Iterator[Finding]:
    """Wait for the tiny jobs and read what they saw."""
    deadline, poll_s = time.monotonic() + request.timeout_s, _POLL_S
    told: dict[str, str] = {}
    while submitted:
        for kind, job_id in list(submitted.items()):
            try:
                state = queue_state(shell, request.profile.scheduler, job_id)
            except QueueRefusalError as error:
                yield Finding(f"{kind}: queue", "error", f"it does not answer ({error}): try again later")
                cancel_job(shell, request.profile.scheduler, job_id)
                del submitted[kind]
                continue
            if state.phase == "ended":
                del submitted[kind]
                yield from _ended(shell, request, kind, folder, job_id, state.word)
            elif time.monotonic() > deadline:
                yield _late(request, kind, job_id, state.word, waiting=state.phase == "waiting")
                cancel_job(shell, request.profile.scheduler, job_id)
                del submitted[kind]
            elif told.get(kind) != state.word:
                told[kind] = state.word
                say(f"{kind}: job {job_id} is {state.word}")
        if submitted:
            time.sleep(poll_s)
            poll_s = min(1.2 * poll_s, _SLOWEST_POLL_S)


def _tried(request: CheckRequest, kind: str) -> Sequence[PotentialSpecification]:
    """Give the potentials that a worker for this kind of job must be able to use."""
    return request.potentials if load_resource_kind(kind).uses_potential else ()


def _late(request: CheckRequest, kind: str, job_id: str, word: str, *, waiting: bool) -> Finding:
    if waiting:
        told = f"job {job_id} still waits after {request.timeout_s:g} s ({word}) and was taken back"
        return Finding(f"{kind}: queue", "warning", f"{told}: give more time with --timeout, or see `partition`")
    told = f"job {job_id} still runs after {request.timeout_s:g} s and was taken back"
    return Finding(f"{kind}: worker", "error", f"{told}: see what it printed")


def _ended(
    shell: HostShell, request: CheckRequest, kind: str, folder: str, job_id: str, word: str
) -> Iterator[Finding]:
    job_folder = for_shell(f"{folder}/{kind}")
    answer = shell.run(f"cat {job_folder}/seen.json")
    for _ in range(10):
        if answer.returncode == 0:
            break
        # Shared disks show new files late.
        time.sleep(0.5)
        answer = shell.run(f"cat {job_folder}/seen.json")
    if answer.returncode == 0:
        yield Finding(f"{kind}: queue", "ok", f"job {job_id} ran")
        potentials = [potential.written for potential in _tried(request, kind)]
        needs_store = request.engine == "fireworks"
        for finding in worker_findings(
            request.profile, kind, json.loads(answer.stdout), potentials=potentials, needs_store=needs_store
        ):
            if load_resource_kind(kind).uses_potential or finding.state != "skipped":
                yield finding
        return
    printed = shell.run(f"cat $(ls -t {job_folder}/*.out {job_folder}/*.err* {job_folder}/*.txt 2>/dev/null) | tail -5")
    words = last_line(printed) if printed.stdout.strip() else "it printed nothing"
    mend = f"see that `python` ({request.profile.python_of_workers()}) and `setup` are right there"
    yield Finding(
        f"{kind}: worker",
        "error",
        f"job {job_id} ended ({word}) and left nothing that {shell.name} sees ({words}): {mend}, and that all nodes "
        "share the work folder",
    )
