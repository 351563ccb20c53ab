"""A worker process of a pilot: one job after the other, until time, work or patience run out."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from .lost_jobs import EXCEPTION, StoppedBySignal, give_back, met_full_disk, put_back_launches, was_cut_off
from .pilot_log import log_to_stderr
from .pilot_place import stop_file

_log = logging.getLogger(__name__)

_POLL_S = 1.0
_LOOK_FOR_STOP_S = 2.0
_LOCKED_PAUSE_S = 10.0


START_AGAIN = 75
"""Exit status of a worker that gave up one cancelled job and would work on."""


class PilotWorker:
    """Takes jobs and runs them.

    Parameters
    ----------
    arguments : Namespace
        The command line.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.was_stopped = False
        self.was_cancelled = False
        self._launch: Path | None = None
        self._n_launches = 0

    def run(self) -> None:
        """Work until there is a reason to end."""
        import fireworks.fw_config as fireworks_settings

        # Read by FireWorks when it starts the thread that says that a job lives.
        fireworks_settings.PING_TIME_SECS = self.arguments.heartbeat_s
        import fireworks.core.rocket as rocket

        from .worker_launchpad import worker_launchpad

        # FireWorks would tell every look for a job, every second.
        rocket.ROCKET_STREAM_LOGLEVEL = "ERROR"
        rocket.PING_TIME_SECS = self.arguments.heartbeat_s
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, self._stop)
        threading.Thread(target=self._look_for_stop, daemon=True).start()
        launchpad = worker_launchpad(self.arguments.launchpad)
        worker = self._fworker()
        idle_since = time.monotonic()
        while not self._must_end():
            if self._take_one(launchpad, worker):
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > self.arguments.idle_s:
                _log.info("nothing to do")
                return
            else:
                time.sleep(_POLL_S)

    def _fworker(self) -> Any:
        """Say which jobs to take, in FireWorks' words."""
        from fireworks import FWorker

        if self.arguments.worker_file:
            return FWorker.from_file(self.arguments.worker_file)
        return FWorker(name=self.arguments.category[0], category=self.arguments.category)

    def _must_end(self) -> bool:
        """Whether no further job may be begun here."""
        from ....runtime.stop_request import stop_was_requested
        from ....runtime.walltime import time_left_s

        if self.was_stopped or stop_was_requested():
            _log.info("told to stop")
            return True
        left = time_left_s()
        if left is not None and left <= 0.0:
            _log.info("no time left for another job")
            return True
        return False

    def _take_one(self, launchpad: Any, worker: Any) -> bool:
        """Run one job; False where there is none."""
        from fireworks.core.rocket_launcher import launch_rocket

        from .parking import park_again

        folder = Path(self.arguments.folder) / f"launch-{os.getpid()}-{self._n_launches:04d}"
        folder.mkdir(parents=True)
        os.chdir(folder)
        self._launch = folder
        try:
            ran = bool(launch_rocket(launchpad, worker, strm_lvl="ERROR"))
        except StoppedBySignal:
            ran = True
        finally:
            self._launch = None
            os.chdir(self.arguments.folder)
        if not ran:
            with contextlib.suppress(OSError):
                folder.rmdir()
            return False
        self._n_launches += 1
        fields = {"_id": 0, "fw_id": 1, "state": 1, "launch_id": 1, **EXCEPTION}
        launch = launchpad.patiently(lambda: launchpad.launches.find_one({"launch_dir": str(folder)}, fields))
        if launch is None:
            return True
        _log.info("job %d: %s", launch["fw_id"], launch["state"])
        if met_full_disk(launch):
            # Every other job here would meet it too.
            _log.warning("the disk of %s is full", folder)
            put_back_launches(launchpad, [launch], "the disk of its run folder is full")
            self.was_stopped = True
        elif self.was_stopped:
            self._leave(launchpad, folder, launch)
        elif launch["state"] == "RUNNING":
            # Another, not quite dead, worker writes its trajectory: let it.
            time.sleep(_LOCKED_PAUSE_S)
            give_back(launchpad, launch)
        # What it left behind, its continuation, is not to start where its unit was parked meanwhile.
        park_again(launchpad, launch["fw_id"])
        return True

    def _leave(self, launchpad: Any, folder: Path, launch: dict[str, Any]) -> None:
        """Put back the job that a stop cut off."""
        if launch["state"] == "RUNNING" or was_cut_off(launch):
            give_back(launchpad, launch)
        self.was_cancelled = stop_file(folder).exists()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Begin nothing more; molecular dynamics, which ends cleanly by itself, listens for signals of its own."""
        self.was_stopped = True
        if self._launch is not None:
            raise StoppedBySignal(f"{signal.Signals(number).name} came")

    def _look_for_stop(self) -> None:
        """Turn the file that asks for a stop into the signal that jobs know, for this one job."""
        told: Path | None = None
        while True:
            time.sleep(_LOOK_FOR_STOP_S)
            folder = self._launch
            if folder is not None and folder != told and stop_file(folder).exists():
                told = folder
                os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Run one worker process.

    Returns
    -------
    int
        Exit status.
    """
    log_to_stderr()
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--category", action="append")
    which.add_argument("--worker-file")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--idle-s", type=float, required=True)
    parser.add_argument("--heartbeat-s", type=float, required=True)
    parser.add_argument("--launchpad")
    worker = PilotWorker(parser.parse_args())
    worker.run()
    return START_AGAIN if worker.was_cancelled else 0


if __name__ == "__main__":
    sys.exit(main())
