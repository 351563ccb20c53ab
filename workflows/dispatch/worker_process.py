"""The driver's side of one worker process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .job_graph import JobKey


@dataclass
class WorkerProcess:
    """A worker process and the job that it is busy with.

    Parameters
    ----------
    environment : dict
        Environment variables to add to the driver's.
    kept_descriptors : tuple of int
        Open files that the worker inherits, such as the run's lock.
    folder : Path
        Where it starts, and where it leaves what it says outside jobs.
    """

    environment: dict[str, str]
    kept_descriptors: tuple[int, ...]
    folder: Path
    task: JobKey | None = None
    _partial_line: bytes = b""
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with (self.folder / "workers.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "superion.workflows.dispatch.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env=os.environ | self.environment,
                pass_fds=self.kept_descriptors,
                # Ctrl-C at the terminal must reach the driver only.
                start_new_session=True,
            )
        os.set_blocking(self.output, False)

    @property
    def output(self) -> int:
        """File descriptor on which the worker answers."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    @property
    def is_alive(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    def assign(self, key: JobKey, task: dict[str, Any]) -> bool:
        """Hand a job to the worker.

        Parameters
        ----------
        key : JobKey
            The job.
        task : dict
            What the worker needs to know.

        Returns
        -------
        bool
            False if the worker is gone.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write((json.dumps(task) + "\n").encode())
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return False
        self.task = key
        return True

    def answers(self) -> list[dict[str, Any]]:
        """Read what the worker has said so far.

        Returns
        -------
        list of dict
            One entry per finished task; empty where there is nothing new.
        """
        while True:
            try:
                chunk = os.read(self.output, 65536)
            except BlockingIOError:
                break
            if not chunk:
                break
            self._partial_line += chunk
        *lines, self._partial_line = self._partial_line.split(b"\n")
        return [json.loads(line) for line in lines if line.strip()]

    def dismiss(self) -> None:
        """Let an idle worker go."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(b"null\n")
            self.process.stdin.flush()

    def ask_to_stop(self) -> None:
        """Send SIGTERM: molecular dynamics writes its checkpoint, anything else is given up."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        self.dismiss()

    def kill(self) -> None:
        """Kill the process if it still lives."""
        if self.is_alive:
            self.process.kill()

    def close(self) -> None:
        """Kill the process if it still lives, and free its pipes."""
        self.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def describe_exit(self) -> str:
        """Say in words how the process ended.

        Returns
        -------
        str
            Such as "was killed by SIGKILL, perhaps for lack of memory".
        """
        code = self.process.returncode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return f"was killed by {name}" + (", perhaps for lack of memory" if name == "SIGKILL" else "")
        return f"ended with exit code {code} (see {self.folder / 'workers.log'})"
