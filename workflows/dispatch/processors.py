"""How many worker processes fit this machine, and which processor each gets."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Processes that only order crystals ask for the cores, and jobflow takes seconds to load.
    from jobflow import Flow

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def available_cores() -> int:
    """Count the cores that this process may use.

    Returns
    -------
    int
        Size of the affinity mask, where the system has one.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_gpus() -> list[str]:
    """List the CUDA devices that this process may use, without loading torch.

    Returns
    -------
    list of str
        Values for CUDA_VISIBLE_DEVICES, one per device.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [device.strip() for device in visible.split(",") if device.strip() not in ("", "-1")]
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(index) for index, line in enumerate(line for line in listing.splitlines() if line.startswith("GPU"))]


def runs_on_gpu(flow: Flow) -> bool:
    """Say whether a job of the flow would use a CUDA device where there is one.

    Parameters
    ----------
    flow : Flow
        The flow.

    Returns
    -------
    bool
        False where every potential in it is bound to the CPU, or there is none.
    """
    return any(_device_of(job.maker) in ("auto", "cuda") for job, _ in flow.iterflow())


def _device_of(maker: Any) -> str:
    """Kind of device that a job's Maker asks for."""
    potential = getattr(maker, "potential", None)
    return str(getattr(potential, "device", "cpu")).split(":")[0]


def worker_slots(flow: Flow, workers: int | None, threads_per_worker: int) -> list[dict[str, str]]:
    """Give the environment of each worker process: one core and one thread each, or one GPU each.

    Parameters
    ----------
    flow : Flow
        The flow to run.
    workers : int or None
        Number of workers; None for one per GPU where the flow can use them, else one per core.
    threads_per_worker : int
        Threads of each worker; for cells of some 50 atoms one is the fastest.

    Returns
    -------
    list of dict
        Environment variables to add, one dictionary per worker.
    """
    return slots_for(runs_on_gpu(flow), workers, threads_per_worker)


def slots_for(uses_gpu: bool, workers: int | None, threads_per_worker: int) -> list[dict[str, str]]:
    """Give the environment of each worker process where it is known whether GPUs are of use.

    Parameters
    ----------
    uses_gpu : bool
        Whether the work would use a CUDA device where there is one.
    workers : int or None
        Number of workers; None for one per GPU of use, else one per core.
    threads_per_worker : int
        Threads of each worker.

    Returns
    -------
    list of dict
        Environment variables to add, one dictionary per worker.
    """
    threads = dict.fromkeys(_THREAD_VARIABLES, str(threads_per_worker))
    gpus = available_gpus() if uses_gpu else []
    n_workers = workers or len(gpus) or max(1, available_cores() // threads_per_worker)
    return [threads | ({"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} if gpus else {}) for slot in range(n_workers)]
