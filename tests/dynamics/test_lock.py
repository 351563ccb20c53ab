from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from superion.dynamics import lock as lock_module
from superion.dynamics.lock import LOCK_FILE, TrajectoryLock
from superion.errors import LockedTrajectoryError

HOLDER = """
import sys, time
from pathlib import Path
from superion.dynamics.lock import TrajectoryLock
with TrajectoryLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "held"
    yield process
    process.kill()
    process.wait()


def test_living_writer_is_respected_and_dead_one_succeeded(holder, tmp_path):
    with pytest.raises(LockedTrajectoryError, match=f"process {holder.pid} on {socket.gethostname()}"):
        TrajectoryLock(tmp_path).__enter__()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert json.loads((tmp_path / LOCK_FILE).read_text())["pid"] == holder.pid
    with TrajectoryLock(tmp_path):
        assert json.loads((tmp_path / LOCK_FILE).read_text())["pid"] == os.getpid()


def test_lock_is_given_back(tmp_path):
    for _ in range(3):
        with TrajectoryLock(tmp_path), pytest.raises(LockedTrajectoryError), TrajectoryLock(tmp_path):
            pass
    assert (tmp_path / LOCK_FILE).read_text() == ""


def test_lock_is_given_back_after_an_error(tmp_path):
    with pytest.raises(RuntimeError), TrajectoryLock(tmp_path):
        raise RuntimeError
    with TrajectoryLock(tmp_path):
        pass


@pytest.mark.parametrize(("silent_s", "locked"), [(5, True), (3600, False)])
def test_writer_on_another_host_is_judged_by_its_heartbeat(tmp_path, silent_s, locked):
    path = tmp_path / LOCK_FILE
    path.write_text(json.dumps({"host": "elsewhere", "pid": 1, "started": 0.0}))
    os.utime(path, (time.time() - silent_s,) * 2)
    if locked:
        with pytest.raises(LockedTrajectoryError, match="process 1 on elsewhere"):
            TrajectoryLock(tmp_path).__enter__()
    else:
        with TrajectoryLock(tmp_path):
            pass


def test_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(lock_module, "_HEARTBEAT_S", 0.01)
    with TrajectoryLock(tmp_path) as held:
        os.utime(held.path, (0, 0))
        deadline = time.monotonic() + 300
        while held.path.stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert held.path.stat().st_mtime > 0


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"pid": 5}'])
def test_unreadable_owner_does_not_matter_when_nobody_holds_the_lock(tmp_path, content):
    (tmp_path / LOCK_FILE).write_text(content)
    with TrajectoryLock(tmp_path):
        pass


def test_without_file_locks_the_process_decides(tmp_path, monkeypatch):
    import errno
    import fcntl

    def unsupported(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with TrajectoryLock(tmp_path), pytest.raises(LockedTrajectoryError):
        TrajectoryLock(tmp_path).__enter__()
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "started": 1.0}
    (tmp_path / LOCK_FILE).write_text(json.dumps(owner))  # this process id, but of an earlier life
    with TrajectoryLock(tmp_path):
        pass
