"""What a local run tells its watcher while it goes on, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...dynamics.results import MdProgress
from ...runtime.heartbeat import RelaxationProgress, TrainingProgress

EventKind = Literal[
    "run_waiting",
    "run_started",
    "job_started",
    "job_progress",
    "job_continued",
    "job_completed",
    "job_failed",
    "job_retried",
    "outcome_set_aside",
    "job_skipped",
    "run_stopping",
    "run_finished",
]


@dataclass(frozen=True)
class RunEvent:
    """One thing that happened in a local run.

    Parameters
    ----------
    kind : str
        What happened. `run_waiting`: workers of an earlier driver hold the run. `job_continued`: the job stopped
        cleanly before its end and its continuation is queued. `outcome_set_aside`: what an earlier process left of the
        job cannot be read, so it runs again.
    job_uuid : str or None
        The job it happened to; None where it concerns the whole run.
    job_index : int
        1, and one more for every replacement of the job.
    job_name : str
        Its name, such as "MD 900 K, replica 1".
    message : str
        One sentence for the user; may be empty.
    progress : MdProgress or None
        Heartbeat of a running trajectory.
    relaxation : RelaxationProgress or None
        Heartbeat of a running relaxation.
    training : TrainingProgress or None
        Heartbeat of a running training.
    n_jobs : int
        Number of jobs known so far.
    n_over : int
        Number of jobs completed, failed or skipped.
    elapsed_s : float
        Time since this run (or its resumption) started, in s.
    remaining_s : float or None
        Estimated time left in s; None while nothing can be said. Adaptive runs may end earlier.
    """

    kind: EventKind
    job_uuid: str | None = None
    job_index: int = 1
    job_name: str = ""
    message: str = ""
    progress: MdProgress | None = None
    relaxation: RelaxationProgress | None = None
    training: TrainingProgress | None = None
    n_jobs: int = 0
    n_over: int = 0
    elapsed_s: float = 0.0
    remaining_s: float | None = None


@dataclass(frozen=True)
class JobRecord:
    """How one job ended.

    Parameters
    ----------
    uuid : str
        Uuid of the job.
    index : int
        1, and one more for every replacement.
    name : str
        Name of the job.
    status : str
        waiting, running, completed, failed or skipped.
    reason : str
        Why it failed or was skipped, as one sentence.
    is_root_cause : bool
        Whether it failed though everything before it went well.
    log : Path or None
        What the job printed, and its traceback.
    """

    uuid: str
    index: int
    name: str
    status: str
    reason: str = ""
    is_root_cause: bool = False
    log: Path | None = None


@dataclass(frozen=True)
class LocalRunReport:
    """How a local run ended.

    Parameters
    ----------
    state : str
        completed (every job), failed (at least one job failed or was skipped), stopped (by a signal: resume it).
    run_folder : Path
        Where the run keeps its state and its logs.
    jobs : list of JobRecord
        All jobs.
    output_uuids : list of str
        Jobs whose outputs the flow declares as its own.
    elapsed_s : float
        Wall time in s.
    signal_name : str or None
        The signal that stopped it.
    """

    state: Literal["completed", "failed", "stopped"]
    run_folder: Path
    jobs: list[JobRecord] = field(default_factory=list)
    output_uuids: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0
    signal_name: str | None = None

    @property
    def failures(self) -> list[JobRecord]:
        """The jobs that failed by themselves, first causes first."""
        failed = [job for job in self.jobs if job.status == "failed"]
        return sorted(failed, key=lambda job: not job.is_root_cause)

    @property
    def resume_hint(self) -> str:
        """One sentence that says how to go on."""
        return f"Continue with `superion resume {self.run_folder.name}`; nothing computed so far is lost."
