"""Submitting a job, asking for it and taking it back: by the queue's own commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ....errors import SuperionError
from ..profile import Scheduler
from ..shell_text import for_shell
from .host_shell import HostShell, last_line


class QueueRefusalError(SuperionError):
    """The queue does not take a job, or does not answer; the message is its own word."""


@dataclass(frozen=True)
class QueueState:
    """Where a job stands in its queue.

    Parameters
    ----------
    phase : str
        waiting, running or ended.
    word : str
        The queue's own word, with the reason of waiting where it gives one.
    """

    phase: Literal["waiting", "running", "ended"]
    word: str


def submit_script(shell: HostShell, scheduler: Scheduler, folder: str, script: str, *, test_only: bool = False) -> str:
    """Hand a script to the queue.

    Parameters
    ----------
    shell : HostShell
        Where the queue is.
    scheduler : str
        slurm, pbs or shell.
    folder : str
        Folder of the script; the job starts there.
    script : str
        Name of the script.
    test_only : bool
        Whether only to ask if the queue would take it, which Slurm alone can tell.

    Returns
    -------
    str
        The job's number.

    Raises
    ------
    QueueRefusalError
        If it is not taken.
    """
    commands = {
        "slurm": f"sbatch {'--test-only' if test_only else '--parsable'} {script}",
        "pbs": f"qsub {script}",
        "shell": f"nohup bash {script} > output.txt 2>&1 < /dev/null & echo $!",
    }
    answer = shell.run(
        f"cd {for_shell(folder)} && {commands[scheduler]}"
        if scheduler != "shell"
        else f"cd {for_shell(folder)} || exit 1; {commands[scheduler]}"
    )
    if answer.returncode != 0:
        raise QueueRefusalError(re.sub(r"^\w+: (?:error: )?", "", last_line(answer)))
    return answer.stdout.strip().partition(";")[0]


def queue_state(shell: HostShell, scheduler: Scheduler, job_id: str) -> QueueState:
    """Ask where a job stands.

    Parameters
    ----------
    shell : HostShell
        Where the queue is.
    scheduler : str
        slurm, pbs or shell.
    job_id : str
        The job's number.

    Returns
    -------
    QueueState
        Its state.

    Raises
    ------
    QueueRefusalError
        If the queue does not answer.
    """
    if scheduler == "slurm":
        return _slurm_state(shell, job_id)
    if scheduler == "pbs":
        return _pbs_state(shell, job_id)
    running = shell.run(f"kill -0 {job_id}").returncode == 0
    return QueueState("running", "running") if running else QueueState("ended", "ended")


def cancel_job(shell: HostShell, scheduler: Scheduler, job_id: str) -> None:
    """Take a job back; one that is over stays so.

    Parameters
    ----------
    shell : HostShell
        Where the queue is.
    scheduler : str
        slurm, pbs or shell.
    job_id : str
        The job's number.
    """
    shell.run({"slurm": "scancel", "pbs": "qdel", "shell": "kill"}[scheduler] + f" {job_id}")


def _slurm_state(shell: HostShell, job_id: str) -> QueueState:
    answer = shell.run(f"squeue --noheader --states=all --jobs={job_id} --format='%T|%r'")
    if answer.returncode != 0:
        if "Invalid job id" in answer.stderr:
            return QueueState("ended", "forgotten")
        raise QueueRefusalError(last_line(answer))
    state, _, reason = answer.stdout.strip().partition("|")
    if state in ("PENDING", "CONFIGURING", "REQUEUED"):
        return QueueState("waiting", f"{state}, {reason}")
    if state in ("RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT"):
        return QueueState("running", state)
    return QueueState("ended", state or "forgotten")


def _pbs_state(shell: HostShell, job_id: str) -> QueueState:
    answer = shell.run(f"qstat -x -f {job_id}")
    if answer.returncode != 0 and not _is_over(answer.stderr):
        # Where PBS keeps no history it refuses to be asked for it.
        answer = shell.run(f"qstat -f {job_id}")
    if answer.returncode != 0:
        if _is_over(answer.stderr):
            return QueueState("ended", "forgotten")
        raise QueueRefusalError(last_line(answer))
    found = re.search(r"job_state = (\w)", answer.stdout)
    word = found[1] if found else "F"
    comment = re.search(r"comment = ([^\n]*)", answer.stdout)
    if word in "QHWTM":
        return QueueState("waiting", word if comment is None else f"{word}, {comment[1]}")
    return QueueState("running" if word in "RESUB" else "ended", word)


def _is_over(words: str) -> bool:
    """Whether PBS says that it knows a job no more."""
    return "Unknown Job" in words or "finished" in words
