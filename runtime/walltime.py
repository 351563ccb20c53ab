"""When the allocation that this process runs in ends, as far as its queue says.

Molecular dynamics that knows its end stops in time, writes its checkpoint and goes back to the queue; what the queue
kills has to be found first.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import psutil

from ..errors import SettingsError

JOB_END_VARIABLE = "SUPERION_JOB_END_TIME"
"""Environment variable with the end of the allocation in s since 1970; it has precedence over what the queue says."""

STOP_MARGIN_VARIABLE = "SUPERION_STOP_MARGIN_S"
"""Environment variable with the time in s, before the end of the allocation, at which jobs stop."""

DEFAULT_STOP_MARGIN_S = 120.0
"""Enough for a last step, a segment of frames, its analysis, and a document's way into a store."""

GREATEST_MARGIN_FRACTION = 0.25
"""The margin takes at most this part of the allocation: a short one is not all margin."""

_ASK_S = 30.0
"""How long a queue may take to answer."""


@dataclass(frozen=True)
class Allocation:
    """The time that a queue gave.

    Parameters
    ----------
    end_s : float
        When it ends, in s since 1970.
    start_s : float
        When it began; where nobody says so, when this process did.
    """

    end_s: float
    start_s: float

    @property
    def length_s(self) -> float:
        """Its length in s."""
        return max(0.0, self.end_s - self.start_s)


def current_allocation() -> Allocation | None:
    """Ask when the allocation that this process runs in ends.

    SUPERION_JOB_END_TIME is asked first, then Slurm (SLURM_JOB_END_TIME, else one call of scontrol, whose answer is
    remembered), then PBS (one call of qstat, else PBS_WALLTIME).

    Returns
    -------
    Allocation or None
        None outside an allocation, for one without an end, and where the queue does not answer.

    Raises
    ------
    SettingsError
        If SUPERION_JOB_END_TIME is no number.

    Examples
    --------
    >>> import os
    >>> os.environ["SUPERION_JOB_END_TIME"] = "4000000000"
    >>> current_allocation().end_s
    4000000000.0
    >>> del os.environ["SUPERION_JOB_END_TIME"]
    """
    for ask in (_from_superion, _from_slurm, _from_pbs):
        found = ask(os.environ)
        if found is not None:
            return found
    return None


def stop_margin_s(allocation: Allocation) -> float:
    """Give the time before the end of an allocation at which its jobs stop.

    Parameters
    ----------
    allocation : Allocation
        The allocation.

    Returns
    -------
    float
        SUPERION_STOP_MARGIN_S, or 120 s, but at most a quarter of the allocation's length. In s.

    Raises
    ------
    SettingsError
        If SUPERION_STOP_MARGIN_S is no number of seconds.

    Examples
    --------
    >>> stop_margin_s(Allocation(end_s=86_400, start_s=0)), stop_margin_s(Allocation(end_s=100, start_s=0))
    (120.0, 25.0)
    """
    wanted = _number(os.environ, STOP_MARGIN_VARIABLE)
    return min(DEFAULT_STOP_MARGIN_S if wanted is None else wanted, GREATEST_MARGIN_FRACTION * allocation.length_s)


def time_left_s() -> float | None:
    """Give the time that jobs in this process have until they must stop.

    A launcher that runs job after job in one allocation takes no further job when this is no longer positive.

    Returns
    -------
    float or None
        Time in s until the margin before the end begins; negative within the margin; None where no end is known.

    Raises
    ------
    SettingsError
        If SUPERION_JOB_END_TIME or SUPERION_STOP_MARGIN_S is no number.
    """
    allocation = current_allocation()
    if allocation is None:
        return None
    return allocation.end_s - stop_margin_s(allocation) - time.time()


# -- who says so -----------------------------------------------------------------------------------------------


def _from_superion(environment: Mapping[str, str]) -> Allocation | None:
    end_s = _number(environment, JOB_END_VARIABLE)
    return None if end_s is None else Allocation(end_s, _start_s(environment, end_s))


def _from_slurm(environment: Mapping[str, str]) -> Allocation | None:
    job_id = environment.get("SLURM_JOB_ID", "")
    if not job_id:
        return None
    end_s = _number_or_none(environment.get("SLURM_JOB_END_TIME"))
    if end_s is not None:
        return Allocation(end_s, _start_s(environment, end_s))
    return _remembered("slurm", job_id, _ask_slurm)


def _from_pbs(environment: Mapping[str, str]) -> Allocation | None:
    job_id = environment.get("PBS_JOBID", "")
    if not job_id:
        return None
    found = _remembered("pbs", job_id, _ask_pbs)
    length_s = _number_or_none(environment.get("PBS_WALLTIME"))
    if found is None and length_s is not None:
        start_s = _first_process_of(job_id)
        found = Allocation(start_s + length_s, start_s)
    return found


_answers: dict[tuple[str, str], Allocation] = {}


def _remembered(queue: str, job_id: str, ask: Callable[[str], Allocation | None]) -> Allocation | None:
    """Ask a queue once; ask again where it did not answer."""
    if (queue, job_id) not in _answers:
        found = ask(job_id)
        if found is None:
            return None
        _answers[queue, job_id] = found
    return _answers[queue, job_id]


def _ask_slurm(job_id: str) -> Allocation | None:
    # In seconds since 1970 rather than in some zone's local time.
    answer = _output_of(["scontrol", "show", "job", "-o", job_id], {"SLURM_TIME_FORMAT": "%s"})
    said = dict(re.findall(r"(\w+)=(\S+)", answer.partition("\n")[0]))
    start_s, end_s = _number_or_none(said.get("StartTime")), _number_or_none(said.get("EndTime"))
    if end_s is None:
        return None
    return Allocation(end_s, process_start_s() if start_s is None else start_s)


def _ask_pbs(job_id: str) -> Allocation | None:
    answer = _output_of(["qstat", "-f", job_id], {"LC_ALL": "C"})
    said = {name: value.strip() for name, value in re.findall(r"^\s+([\w.]+) = (.*)$", answer, re.MULTILINE)}
    length_s = _clock_s(said.get("Resource_List.walltime", ""))
    started = said.get("stime") or said.get("start_time")
    if length_s is None or not started:
        return None
    try:
        start_s = time.mktime(time.strptime(started, "%a %b %d %H:%M:%S %Y"))
    except ValueError:
        return None
    return Allocation(start_s + length_s, start_s)


def _output_of(command: list[str], changes: Mapping[str, str]) -> str:
    """Ask a program of the queue; nothing where it is not there or fails."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_S,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **changes},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


# -- numbers ---------------------------------------------------------------------------------------------------


def _number(environment: Mapping[str, str], name: str) -> float | None:
    """Read a setting of ours: a mistake is the user's to mend."""
    text = environment.get(name, "").strip()
    if not text:
        return None
    number = _number_or_none(text)
    if number is None or number < 0:
        raise SettingsError(f"{name}={text!r} is no number of seconds: correct it, or unset it.")
    return number


def _number_or_none(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _clock_s(text: str) -> float | None:
    """Read HH:MM:SS as seconds."""
    parts = text.split(":")
    if not 1 <= len(parts) <= 4 or not all(part.isdigit() for part in parts):
        return None
    factors = (1, 60, 3600, 86_400)
    return float(sum(factor * int(part) for factor, part in zip(factors, reversed(parts), strict=False)))


def _start_s(environment: Mapping[str, str], end_s: float) -> float:
    start_s = _number_or_none(environment.get("SLURM_JOB_START_TIME"))
    return start_s if start_s is not None and start_s < end_s else process_start_s()


@cache
def process_start_s() -> float:
    """Say when this process began.

    Returns
    -------
    float
        In s since 1970.
    """
    return float(psutil.Process().create_time())


def _first_process_of(job_id: str) -> float:
    """Say when the oldest process above this one that belongs to the PBS job began."""
    began = process_start_s()
    for process in psutil.Process().parents():
        try:
            if process.environ().get("PBS_JOBID") != job_id:
                break
            began = process.create_time()
        except psutil.Error:
            break
    return began
