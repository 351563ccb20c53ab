"""The process in which mace-torch trains: it ends with the process that started it.

Run as ``python -m superion.potentials.training.trainer PARENT_PROCESS THREADS --config FILE``.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, set its threads and train."""
    parent, threads, *options = sys.argv[1:]
    _end_with_parent(int(parent))
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = threads
    sys.argv = ["mace_run_train", *options]
    import mace  # noqa: F401  before e3nn: importing e3nn first fails on current torch
    import torch

    torch.set_num_threads(int(threads))
    from mace.cli.run_train import main as train

    train()


def _end_with_parent(parent: int) -> None:
    """Ask Linux for a signal when the parent dies: two trainers must never write one folder."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the process that started this training has ended")


if __name__ == "__main__":
    main()
