"""What a worker makes of the priority that its driver was started with."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")
_PATIENCE_S = 3.0
_PAUSE_S = 0.15
"""The kernel takes ten such changes a second, of all processes together."""


def weigh_own_session() -> None:
    """Let the nice value of this process count against all others, where it leads a session of its own.

    A nice value is inherited. But Linux with autogroups shares processors between sessions first, and a nice value
    only orders the processes within one: a worker alone in its session would take as much as a whole desktop,
    however nice it is. So the session gets the nice value of its leader. Elsewhere, and where the kernel refuses,
    nothing happens: this is a courtesy, not a condition.
    """
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness == 0 or os.getsid(0) != os.getpid():
        return
    deadline = time.monotonic() + _PATIENCE_S
    with contextlib.suppress(OSError):
        while time.monotonic() < deadline:
            try:
                _AUTOGROUP.write_text(str(niceness), encoding="ascii")
                return
            except BlockingIOError:
                time.sleep(_PAUSE_S)
