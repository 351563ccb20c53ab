"""Keep numerical libraries to a given number of threads, before they load."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Environment variables that numerical libraries read when they load."""


def thread_environment(n_threads: int = 1, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for a subprocess whose libraries shall use so many threads.

    Cells of some 50 atoms run fastest on one thread, and processes that share cores are slowed many times over
    by threads beyond them.

    Parameters
    ----------
    n_threads : int
        Threads of each library.
    base : mapping, optional
        Environment to start from; this process' by default.

    Returns
    -------
    dict
        A copy with the thread variables set.

    Examples
    --------
    >>> thread_environment(1, {})["OMP_NUM_THREADS"]
    '1'
    """
    environment = dict(os.environ if base is None else base)
    environment.update({name: str(n_threads) for name in THREAD_VARIABLES})
    return environment


def use_threads(n_threads: int = 1) -> None:
    """Keep this process' libraries to so many threads.

    Libraries not loaded yet read the environment; torch, if loaded already, is told.

    Parameters
    ----------
    n_threads : int
        Threads of each library.
    """
    os.environ.update(thread_environment(n_threads))
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(n_threads)
