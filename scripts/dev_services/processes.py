"""Processes that `dev-services` starts: written down, recognised again, and ended by their number alone."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STOP_TIMEOUT_S = 15.0

NOT_INSTALLED = 3
"""Exit status when a server cannot be installed; tests that need it are skipped then."""


class ServiceError(Exception):
    """What went wrong, in one sentence."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def command_line_of(pid: int) -> str:
    """Return the command line of a process, or an empty text if there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    if Path("/proc/self").exists():
        return ""
    answer = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return answer.stdout


def is_ours(record: dict[str, Any] | None) -> bool:
    """Tell whether the recorded process runs and is the one that `start` began, not a later one with its number."""
    return record is not None and record["mark"] in command_line_of(record["pid"])


def read_record(folder: Path, name: str = "process.json") -> Any:
    """Read what `start` wrote down."""
    try:
        return json.loads((folder / name).read_text())
    except (OSError, ValueError):
        return None


def write_record(folder: Path, record: Any, name: str = "process.json") -> None:
    """Write down what is needed to stop, all or nothing."""
    temporary = folder / f"{name}.new"
    temporary.write_text(json.dumps(record))
    temporary.replace(folder / name)


def answers(host: str, port: int) -> bool:
    """Tell whether something listens."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def free_port() -> int:
    """Ask the system for a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time install or start."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def end_process(record: dict[str, Any]) -> None:
    """End a process that is ours, politely first."""
    for request, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, STOP_TIMEOUT_S)):
        if not is_ours(record):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(record["pid"], request)
        deadline = time.monotonic() + patience_s
        while is_ours(record) and time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(record["pid"], os.WNOHANG)
            time.sleep(0.05)
