"""A worker process of a local run: takes jobs one after the other, so that heavy imports are paid once.

Started as `python -P -m superion.workflows.dispatch.worker`. It reads one JSON task per line from its standard input
and answers one JSON line per task on its standard output. When its driver dies the input ends, and the worker
stops as if by SIGTERM: molecular dynamics writes its checkpoint, anything else is given up.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

_ORPHAN_S = 100.0
"""Time that a job gets to write its checkpoint when the driver is gone, in s; a new driver waits somewhat longer."""


class _Outbox:
    """Stands in for the job store: keeps the job's document for the driver, which alone writes to the store."""

    def __init__(self, store: Any = None) -> None:
        self._store = store
        self.document: dict[str, Any] = {}
        self.save: Any = None

    def update(self, docs: Any, key: Any = None, save: Any = None) -> None:
        """Keep the document that jobflow wants to store."""
        self.document, self.save = dict(docs), save

    def __getattr__(self, name: str) -> Any:
        if self._store is None:
            raise AttributeError(f"a job without `expose_store` has no store to ask for {name!r}")
        return getattr(self._store, name)


def run_task(task: dict[str, Any]) -> dict[str, Any]:
    """Run one job and write its outcome or its failure.

    Parameters
    ----------
    task : dict
        Paths `job`, `outcome`, `failure` and, where the job wants it, the `store` as plain data.

    Returns
    -------
    dict
        `ok`, for the driver.
    """
    from ...errors import SuperionError
    from ...files import write_text_atomically
    from .codec import JobOutcome, decode_flow, encode_outcome

    started = time.perf_counter()
    try:
        job = decode_flow(Path(task["job"]).read_text(encoding="utf-8"))
        outbox = _Outbox(_open_store(task.get("store")))
        response = job.run(store=outbox, job_dir=Path.cwd())
        outcome = JobOutcome(
            response=response,
            document=outbox.document,
            save=outbox.save,
            wall_time_s=time.perf_counter() - started,
        )
        write_text_atomically(Path(task["outcome"]), encode_outcome(outcome))
        return {"ok": True}
    except Exception as error:
        with contextlib.suppress(OSError):
            traceback.print_exc()
        is_plain = isinstance(error, SuperionError)
        message = str(error) if is_plain else f"{type(error).__name__}: {error}"
        record = {
            "type": type(error).__name__,
            "message": message,
            "is_superion_error": is_plain,
            "is_disk_full": is_disk_full(error),
        }
        # Where the disk is full the driver learns it from the answer alone.
        with contextlib.suppress(OSError):
            write_text_atomically(Path(task["failure"]), json.dumps(record))
        return {"ok": False, "failure": record}


def is_disk_full(error: BaseException | None) -> bool:
    """Say whether an error, or one behind it, is a disk without room.

    Parameters
    ----------
    error : BaseException or None
        The error.

    Returns
    -------
    bool
        True for a full disk, an exhausted quota, and a file beyond the size that the system allows.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _open_store(specification: dict[str, Any] | None) -> Any:
    """Open the job store for a job that asked to see it."""
    if specification is None:
        return None
    from monty.json import MontyDecoder

    store = MontyDecoder().process_decoded(specification)
    store.connect()
    return store


@contextlib.contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """Send all that the job prints, from Python or below it, to its log file."""
    with path.open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        # Without room for the log the job is what counts.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()


def _stop(signum: int, frame: FrameType | None) -> None:
    """End the process where no engine is there to write a checkpoint first."""
    raise SystemExit(128 + signum)


def _listen(lines: TextIO, tasks: queue.Queue[dict[str, Any] | None]) -> None:
    """Pass tasks on; when the driver is gone, stop as if by SIGTERM, and leave what does not heed that."""
    for line in lines:
        tasks.put(json.loads(line))
    tasks.put(None)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ORPHAN_S)
    os._exit(1)


def _run_in_its_folder(task: dict[str, Any]) -> dict[str, Any]:
    """Run one job in a folder of its own, its output in a log."""
    from ...runtime.heartbeat import PROGRESS_FOLDER_VARIABLE

    os.environ[PROGRESS_FOLDER_VARIABLE] = task["progress"]
    folder = Path(task["folder"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
        with _log_to(Path(task["log"])):
            return run_task(task)
    except OSError as error:
        message = f"its folder {folder} cannot be written ({error.strerror or error})"
        record = {
            "type": "OSError",
            "message": message,
            "is_superion_error": False,
            "is_disk_full": is_disk_full(error),
        }
        return {"ok": False, "failure": record}


def main() -> None:
    """Take tasks from standard input until it ends."""
    from ...runtime.stop_request import stop_was_requested
    from .priority import weigh_own_session

    weigh_own_session()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    signal.signal(signal.SIGTERM, _stop)
    # Ctrl-C reaches the whole terminal group: the driver decides what it means for its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks: queue.Queue[dict[str, Any] | None] = queue.Queue()
    threading.Thread(target=_listen, args=(lines, tasks), daemon=True).start()
    while (task := tasks.get()) is not None:
        for entry in task["sys_path"]:
            if entry not in sys.path:
                sys.path.append(entry)
        answer = _run_in_its_folder(task)
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(answer | {"task": task["id"]}), file=answers)
        if stop_was_requested():
            break


if __name__ == "__main__":
    main()
