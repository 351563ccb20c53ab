"""Run a jobflow Flow on this machine, in parallel processes, so that a kill at any instant costs little.

One driver schedules the jobs and alone writes to the job store; worker processes run them, each on one core with one
thread, or on one GPU. A job's outcome is one synced file that the worker writes before the driver puts it into the
store, so after any kill `resume_run` knows exactly which jobs are over and which must run again.
"""

from __future__ import annotations

import os
from pathlib import Path

from jobflow import Flow, Job, JobStore
from jobflow.core.flow import get_flow
from monty.json import MontyDecoder

from ...errors import SettingsError, StoreError
from .codec import decode_flow, encode_flow
from .driver import GRACE_S, drive_flow
from .events import LocalRunReport, RunEvent
from .flow_run import FlowRun, Watcher, describe_store, ignore_event
from .processors import worker_slots
from .run_folder import RunFolder, lock_run
from .worker_pool import WorkerPool


def run_flow_locally(
    flow: Flow | Job | list[Job],
    store: JobStore,
    run_folder: Path | str,
    workers: int | None = None,
    on_event: Watcher | None = None,
    *,
    threads_per_worker: int = 1,
) -> LocalRunReport:
    """Run a flow in parallel processes on this machine.

    Ctrl-C or SIGTERM stops it cleanly: trajectories write their checkpoints and the report says `stopped`.

    Parameters
    ----------
    flow : Flow, Job or list of Job
        What to run.
    store : JobStore
        Where the outputs go. Only this process writes to it.
    run_folder : Path or str
        Folder of the run's state and logs; it must not hold a run yet.
    workers : int or None
        Number of processes; None for one per GPU where the flow can use them, else one per core.
    on_event : callable or None
        Called with a `RunEvent` whenever something happens.
    threads_per_worker : int
        Threads of each process.

    Returns
    -------
    LocalRunReport
        How each job ended.

    Raises
    ------
    SettingsError
        If the folder already holds a run.
    StoreError
        If another process works in it, or it cannot be written.
    """
    checked = get_flow(flow)
    folder = RunFolder(Path(run_folder).resolve())
    try:
        folder.create(encode_flow(checked), flow_name=checked.name, store=describe_store(store))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return _drive(folder, store, workers, on_event, threads_per_worker)


def resume_run(
    run_folder: Path | str,
    store: JobStore | None = None,
    workers: int | None = None,
    on_event: Watcher | None = None,
    *,
    threads_per_worker: int = 1,
) -> LocalRunReport:
    """Continue a run that was stopped or killed, and try again what failed.

    Jobs whose outcome is there are not computed again; trajectories continue from their last checkpoint.

    Parameters
    ----------
    run_folder : Path or str
        Folder of the run.
    store : JobStore or None
        Where the outputs go; None for the store that the run began with.
    workers : int or None
        Number of processes; None for one per GPU where the flow can use them, else one per core.
    on_event : callable or None
        Called with a `RunEvent` whenever something happens.
    threads_per_worker : int
        Threads of each process.

    Returns
    -------
    LocalRunReport
        How each job ended.

    Raises
    ------
    SettingsError
        If there is no run in the folder, or its store must be given.
    StoreError
        If another process works in it.
    """
    folder = RunFolder(Path(run_folder).resolve())
    folder.read_flow()
    return _drive(folder, store or _reopen_store(folder), workers, on_event, threads_per_worker)


def _reopen_store(folder: RunFolder) -> JobStore:
    """Open the store that a run began with."""
    description = folder.read_description()["store"]
    if description is None:
        raise SettingsError(
            f"The run in {folder.path} began with a store in memory, so say which store to use when you resume it."
        )
    return MontyDecoder().process_decoded(description)


def _cannot_write(folder: RunFolder, error: OSError) -> StoreError:
    """Say that the disk refuses what the run must keep."""
    return StoreError(
        f"The run folder {folder.path} cannot be written ({error.strerror or error}): free some space or choose "
        "another folder, then continue with `superion resume`; nothing computed so far is lost."
    )


def _drive(
    folder: RunFolder, store: JobStore, workers: int | None, on_event: Watcher | None, threads_per_worker: int
) -> LocalRunReport:
    """Hold the run's lock and drive it to its end."""
    # Workers of a driver that was killed first write their checkpoints.
    tell = on_event or ignore_event
    waiting = f"the workers of the interrupted run still write their checkpoints; waiting {GRACE_S:g} s at most"
    lock = lock_run(folder, wait_s=GRACE_S, on_wait=lambda: tell(RunEvent("run_waiting", message=waiting)))
    try:
        store.connect()
        flow = decode_flow(folder.read_flow())
        slots = worker_slots(flow, workers, threads_per_worker)
        run = FlowRun(folder, store, flow, len(slots), tell)
        return drive_flow(run, WorkerPool(slots, folder.path, (lock,)))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        os.close(lock)
