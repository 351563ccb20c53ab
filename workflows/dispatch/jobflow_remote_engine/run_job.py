"""What a worker runs in place of `jf execution run`: the same, but a killed job does not look like a failed one.

jobflow-remote calls a job failed whose output file it finds unfinished, and then starts the jobs after it that accept
missing inputs: a kill would take a temperature out of a conductivity. Here the output file stays empty until the job
has ended, so that the runner reports a remote error instead: the jobs after it wait until the job was put back. A job
whose submission was made twice runs once, unless its inputs have changed: one that had to do without the output of a
failed job runs again when that one is tried again. A file asks a running job to stop, wherever it runs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from ..gpu_share import take_a_gpu

IN_FILE = "jfremote_in.json"
OUT_FILE = "jfremote_out.json"
STOP_FILE = "superion_stop"
"""Its presence asks the job of this folder to stop."""

LOCK_FILE = "superion_lock"
INPUT_FILE = "superion_input"
"""Holds the fingerprint of the inputs that the output of this folder was made of."""

STOP_POLL_S = 3.0


def run_job(folder: Path) -> None:
    """Run the job of a folder, unless it is finished or somebody asked that it stop.

    Parameters
    ----------
    folder : Path
        The run folder that jobflow-remote's runner prepared.
    """
    folder = folder.resolve()
    with _only_copy(folder):
        output = folder / OUT_FILE
        wanted = input_fingerprint(folder / IN_FILE)
        if is_finished(output) and _fingerprint_of_output(folder) == wanted:
            print("this job has ended already: its output stays", flush=True)  # noqa: T201
            return
        if _is_stopped(folder):
            print("somebody asked that this job stop: it does not start", flush=True)  # noqa: T201
            return
        output.write_text("")
        (folder / INPUT_FILE).write_text(wanted)
        for stale in (*folder.glob("remote_job_data.*"), *folder.glob("additional_store_*")):
            stale.unlink()
        attempt = _new_attempt(folder)
        threading.Thread(target=_watch, args=(folder,), daemon=True).start()
        take_a_gpu(os.environ)
        # Imported late: a copy that only waits needs none of it.
        from jobflow_remote.jobs.run import run_remote_job

        from .generated import send_to_workers

        run_remote_job(attempt)
        send_to_workers(attempt / OUT_FILE)
        os.replace(attempt / OUT_FILE, output)


def is_finished(output: Path) -> bool:
    """Say whether an output file is that of a job that ended well.

    Parameters
    ----------
    output : Path
        The output file.

    Returns
    -------
    bool
        False where it is missing, empty, or tells of an error.

    Examples
    --------
    >>> import tempfile
    >>> output = Path(tempfile.mkdtemp()) / "jfremote_out.json"
    >>> output.touch()
    >>> is_finished(output)
    False
    """
    try:
        content = json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(content.get("response")) and not content.get("error")


def input_fingerprint(file: Path) -> str:
    """Compute what tells the inputs of a job from others.

    Parameters
    ----------
    file : Path
        The input file, which beside the job tells its place in the queue, and that changes.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits; of the whole file where it cannot be understood.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "jfremote_in.json"
    >>> _ = file.write_text('{"job": {"uuid": "1", "function_args": [2]}, "job_doc": {"state": "UPLOADED"}}')
    >>> before = input_fingerprint(file)
    >>> _ = file.write_text('{"job": {"function_args": [2], "uuid": "1"}, "job_doc": {"state": "READY"}}')
    >>> input_fingerprint(file) == before
    True
    """
    content = file.read_bytes()
    with contextlib.suppress(ValueError, KeyError, TypeError):
        content = json.dumps(json.loads(content)["job"], sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()


def _fingerprint_of_output(folder: Path) -> str | None:
    """Read the fingerprint of the inputs that the output was made of."""
    try:
        return (folder / INPUT_FILE).read_text()
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _only_copy(folder: Path) -> Iterator[None]:
    """Wait until no other process runs this job; a kill lets go of it."""
    with (folder / LOCK_FILE).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another process runs this job: waiting for its end", flush=True)  # noqa: T201
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            # Some shared disks know no locks; there, trajectories still have their own.
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
        yield


def _is_stopped(folder: Path) -> bool:
    """Whether the stop was asked for after the runner prepared this folder."""
    try:
        return (folder / STOP_FILE).stat().st_mtime >= (folder / IN_FILE).stat().st_mtime
    except FileNotFoundError:
        return False


def _new_attempt(folder: Path) -> Path:
    """Make a folder for this attempt that sees the job's input."""
    number = 1 + sum(1 for _ in folder.glob("attempt_*"))
    attempt = folder / f"attempt_{number}"
    attempt.mkdir()
    (attempt / IN_FILE).symlink_to(Path("..") / IN_FILE)
    return attempt


def _watch(folder: Path) -> None:
    """Turn the stop file into the signal on which trajectories write their checkpoints."""
    pause = threading.Event()
    while not pause.wait(STOP_POLL_S):
        if _is_stopped(folder):
            os.kill(os.getpid(), signal.SIGTERM)
            return


def main() -> None:
    """Run the job of the folder named on the command line."""
    run_job(Path(sys.argv[1] if len(sys.argv) > 1 else "."))


if __name__ == "__main__":
    main()
