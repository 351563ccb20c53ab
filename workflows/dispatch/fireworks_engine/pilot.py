"""A pilot: what runs in an allocation of the queue, takes jobs from the launchpad and runs them one after the other.

Started as `python -P -m superion.workflows.dispatch.fireworks_engine.pilot`. Heavy imports are paid once per worker
process, not once per job. It ends when the allocation has no time left for another job, when there has been nothing to
do for a while, or when it is told to stop; jobs that a signal interrupts go back to the launchpad.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from pymongo.errors import PyMongoError

from ....errors import StoreError
from ..gpu_share import VISIBLE, device_of_place
from .pilot_log import log_to_stderr
from .pilot_place import alive_file, job_part
from .pilot_worker import START_AGAIN

_log = logging.getLogger(__name__)

_SUPERVISION_S = 0.5


def main() -> int:
    """Run one pilot.

    Returns
    -------
    int
        Exit status.
    """
    log_to_stderr()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--category", action="append", help="category of jobs to take; repeatable")
    which.add_argument("--worker-file", type=Path, help="file my_fworker.yaml that says which jobs to take")
    parser.add_argument("--folder", required=True, type=Path, help="folder of this pilot")
    parser.add_argument("--workers", type=int, default=1, help="jobs side by side")
    parser.add_argument("--idle-s", type=float, default=60.0, help="time without work after which to end, in s")
    parser.add_argument("--heartbeat-s", type=float, default=60.0, help="time between two signs of life, in s")
    parser.add_argument("--launchpad", help="file of the launchpad; the result store's server if left out")
    parser.add_argument("--without-queue", action="store_true", help="count as a process, whatever queue is around it")
    arguments = parser.parse_args()
    return Pilot(arguments).run()


class Pilot:
    """Keeps the worker processes of one allocation.

    Parameters
    ----------
    arguments : Namespace
        The command line.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        number = str(os.getpid()) if arguments.without_queue else own_queue_id()
        # Workers change into folders of their own.
        self.folder: Path = arguments.folder.absolute() / job_part(number)
        self.workers: dict[int, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()

    def run(self) -> int:
        """Run until every worker has ended.

        Returns
        -------
        int
            0 if all workers ended well.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            signal.signal(number, self._pass_on)
        threading.Thread(target=self._beat, daemon=True).start()
        failures = 0
        for index in range(self.arguments.workers):
            self.workers[index] = self._start(index)
        while self.workers:
            for index, process in list(self.workers.items()):
                code = process.poll()
                if code is None:
                    continue
                del self.workers[index]
                if code == 0 or self._stopping.is_set():
                    continue
                if code == START_AGAIN:
                    self.workers[index] = self._start(index)
                    continue
                failures += 1
                self._put_back(index, code)
                if failures <= 3 * self.arguments.workers:
                    self.workers[index] = self._start(index)
            time.sleep(_SUPERVISION_S)
        alive_file(self.folder).unlink(missing_ok=True)
        return 0 if failures == 0 else 1

    def _worker_folder(self, index: int) -> Path:
        return self.folder / f"worker-{index}"

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        """Start a worker process, each with a GPU of its own where there are several."""
        folder = self._worker_folder(index)
        folder.mkdir(exist_ok=True)
        environment = dict(os.environ)
        device = device_of_place(environment, index)
        if device is not None:
            environment[VISIBLE] = device
        command = [sys.executable, "-P", "-m", "superion.workflows.dispatch.fireworks_engine.pilot_worker"]
        for category in self.arguments.category or ():
            command += ["--category", category]
        if self.arguments.worker_file:
            command += ["--worker-file", str(self.arguments.worker_file.absolute())]
        command += ["--folder", str(folder)]
        command += ["--idle-s", f"{self.arguments.idle_s:g}", "--heartbeat-s", f"{self.arguments.heartbeat_s:g}"]
        if self.arguments.launchpad:
            command += ["--launchpad", self.arguments.launchpad]
        with (folder / "log.txt").open("ab") as log:
            return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """Tell the workers; the queue may have told them already, and twice is no more than once."""
        self._stopping.set()
        for process in list(self.workers.values()):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)

    def _put_back(self, index: int, code: int) -> None:
        """Put back the job whose worker died under it."""
        from .lost_jobs import put_back_jobs_below
        from .worker_launchpad import worker_launchpad

        words = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        _log.warning("worker %d was %s", index, words)
        try:
            launchpad = worker_launchpad(self.arguments.launchpad)
            put_back_jobs_below(launchpad, self._worker_folder(index), f"its process was {words}")
        except (PyMongoError, StoreError) as error:
            # The coordinator finds the job; this pilot has others in hand.
            _log.warning("its job could not be put back (%s)", type(error).__name__)

    def _beat(self) -> None:
        """Say that the pilot lives."""
        while True:
            with contextlib.suppress(OSError):
                alive_file(self.folder).write_text(f"{socket.gethostname()} {os.getpid()}\n")
            time.sleep(self.arguments.heartbeat_s / 2)


def own_queue_id() -> str:
    """Give the number of this allocation in the queue.

    Returns
    -------
    str
        Slurm's or PBS's number; the process number where there is no queue.
    """
    for name in ("SLURM_JOB_ID", "PBS_JOBID"):
        if os.environ.get(name):
            return os.environ[name]
    return str(os.getpid())


if __name__ == "__main__":
    sys.exit(main())
