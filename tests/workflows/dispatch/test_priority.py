"""A campaign run by `nice` is nice with all its workers, against the processes of other sessions, too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")

DRIVER = """
import os, re, sys, time
from pathlib import Path
from superion.workflows.dispatch.worker_process import WorkerProcess
workers = [WorkerProcess(environment={}, kept_descriptors=(), folder=Path(sys.argv[1])) for _ in range(3)]
def of_session(pid):
    group = re.search(r"nice (-?[0-9]+)", Path(f"/proc/{pid}/autogroup").read_text())
    return int(group[1]) if group else int(sys.argv[2])
deadline = time.monotonic() + 400.0
while time.monotonic() < deadline and any(of_session(one.process.pid) != int(sys.argv[2]) for one in workers):
    time.sleep(0.1)
for one in workers:
    print(os.getpriority(os.PRIO_PROCESS, one.process.pid), of_session(one.process.pid))
    one.close()
print(os.getpriority(os.PRIO_PROCESS, 0), of_session("self"))
"""


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group processes by session")
@pytest.mark.parametrize("niceness", [0, 7])
def test_workers_take_over_the_priority_of_their_driver(tmp_path, niceness):
    expected = min(19, os.getpriority(os.PRIO_PROCESS, 0) + niceness)
    # A kernel that was started without autogroups keeps the file, and leaves it empty.
    group = re.search(r"nice (-?[0-9]+)", AUTOGROUP.read_text())
    before = int(group[1]) if group else expected
    command = ["nice", "-n", str(niceness), sys.executable, "-c", DRIVER, str(tmp_path), str(expected)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *workers, driver = done.stdout.splitlines()
    assert workers == [f"{expected} {expected}"] * 3
    # The session of the terminal is not superion's to weigh.
    assert driver == f"{expected} {before}"
