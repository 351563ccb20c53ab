"""The runner of a project: whether one lives, and how to start it."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from jobflow_remote.jobs.daemon import DaemonError, DaemonManager, DaemonStatus

from ....errors import StoreError
from .connection import Queue

SLACK_S = 30.0
"""How much later than expected a runner's sign of life may come."""

REST_S = 120.0
"""How long a runner rests, without signs of life, after it met a failure such as a database that was away."""

_LONGEST_SILENCE_S = 3 * REST_S


@dataclass(frozen=True)
class RunnerLife:
    """What the database knows of runners.

    Parameters
    ----------
    alive_since : float or None
        When the oldest runner that lives gave its first sign, in s since 1970; None where none lives.
    last_sign_at : float or None
        Last sign of any runner.
    hosts : tuple of str
        Hosts of those that live.
    """

    alive_since: float | None = None
    last_sign_at: float | None = None
    hosts: tuple[str, ...] = ()

    @property
    def is_alive(self) -> bool:
        """Whether a runner lives."""
        return self.alive_since is not None


def look_for_runner(controller: Queue, now: float | None = None) -> RunnerLife:
    """Look for signs of life of a project's runners.

    Parameters
    ----------
    controller : Queue
        The queue.
    now : float or None
        Time in s since 1970; None for now.

    Returns
    -------
    RunnerLife
        What was found.
    """
    moment = time.time() if now is None else now
    patience_s = 2 * controller.project.runner.delay_ping_db + SLACK_S
    first: dict[str, float] = {}
    last: dict[str, Mapping[str, Any]] = {}
    for ping in controller.get_runner_pings():
        first.setdefault(ping["runner_id"], _time_of(ping))
        last[ping["runner_id"]] = ping
    living = {
        runner: ping
        for runner, ping in last.items()
        if moment - _time_of(ping) < patience_s and not _is_known_dead(controller, ping)
    }
    return RunnerLife(
        alive_since=min((first[runner] for runner in living), default=None),
        last_sign_at=max((_time_of(ping) for ping in last.values()), default=None),
        hosts=tuple(sorted({ping["hostname"] for ping in living.values()})),
    )


def sentence_without_runner(controller: Queue, life: RunnerLife) -> str:
    """Say that nobody works, and how to mend it.

    Parameters
    ----------
    controller : Queue
        The queue.
    life : RunnerLife
        What was found.

    Returns
    -------
    str
        One sentence.
    """
    name = controller.project.name
    since, otherwise = "", ""
    if life.last_sign_at is not None:
        since = f" since {time.strftime('%Y-%m-%d %H:%M', time.localtime(life.last_sign_at))}"
        if time.time() - life.last_sign_at < _LONGEST_SILENCE_S:
            otherwise = "if the database was away a moment ago, it rests and goes on within minutes; otherwise "
    return (
        f"No runner of the jobflow-remote project {name} has given a sign of life{since}: {otherwise}start one on a "
        f"host that reaches the queue with `jf -p {name} runner start`."
    )


def start_runner(controller: Queue) -> None:
    """Start the project's runner as a daemon on this host.

    Parameters
    ----------
    controller : Queue
        The queue.

    Raises
    ------
    StoreError
        If it does not start, or one runs elsewhere.
    """
    try:
        DaemonManager.from_project(controller.project).start(raise_on_error=True)
    except DaemonError as error:
        raise StoreError(
            f"The runner of the jobflow-remote project {controller.project.name} does not start: "
            f"{' '.join(str(error).split())}"
        ) from error


def _is_known_dead(controller: Queue, ping: Mapping[str, Any]) -> bool:
    """Whether this host can see that a daemon of its own is gone, before its signs of life grow old."""
    if ping.get("daemon_id") is None or ping.get("hostname") != socket.gethostname():
        return False
    try:
        status = DaemonManager.from_project(controller.project).check_status(raise_on_shutdown=False)
    except Exception:
        # Supervisord's own errors are many; then the signs of life decide.
        return False
    return status in (DaemonStatus.SHUT_DOWN, DaemonStatus.STOPPED)


def _time_of(ping: Mapping[str, Any]) -> float:
    return float(ping["time"].replace(tzinfo=UTC).timestamp())
