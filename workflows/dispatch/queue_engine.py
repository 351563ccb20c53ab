"""What a campaign asks of an engine that dispatches its jobs to a queue, whatever engine that is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from jobflow import Flow

from ...runtime.heartbeat import Heartbeat

UnitPhase = Literal["queued", "running", "paused", "finished", "failed", "cancelled"]
"""Where a unit stands in its engine; finished says that its last job ended well, failed that it never will."""


@dataclass(frozen=True)
class UnitTicket:
    """What an engine writes down beside the jobs of a unit, so that anybody finds them again.

    A unit is the work of a stage on a structure, or what several such units share.

    Parameters
    ----------
    campaign_id : str
        Campaign that asked for it.
    stage_key : str
        Key of the unit.
    stage : str
        Name of the stage, or what shared work makes.
    candidate_id : str
        Candidate, or the first of several that share the structure; empty for shared work.
    label : str
        Name of the material, or what shared work is about.
    """

    campaign_id: str
    stage_key: str
    stage: str
    candidate_id: str
    label: str


@dataclass(frozen=True)
class RunningJob:
    """A job that a worker has in hand.

    Parameters
    ----------
    uuid : str
        Uuid of the job; its heartbeat bears that name.
    name : str
        Name of the job.
    engine_id : str
        The engine's number of it.
    queue_id : str or None
        Number of the allocation in the queue, where there is one.
    host : str or None
        Host that it runs on.
    started_at : float or None
        When it started, in s since 1970.
    """

    uuid: str
    name: str
    engine_id: str
    queue_id: str | None = None
    host: str | None = None
    started_at: float | None = None


@dataclass(frozen=True)
class QueuedUnit:
    """A unit as its engine sees it.

    Parameters
    ----------
    stage_key : str
        Key of the unit.
    phase : str
        queued, running, paused, finished, failed or cancelled.
    engine_id : str
        The engine's number of the whole.
    reason : str or None
        Why it failed, in one line.
    n_jobs : int
        Jobs that it has now.
    n_finished : int
        Jobs that are over.
    running : tuple of RunningJob
        Jobs that workers have in hand.
    stage : str
        Name of its stage, or what shared work makes.
    label : str
        Name of its material, or what shared work is about.
    """

    stage_key: str
    phase: UnitPhase
    engine_id: str
    reason: str | None = None
    n_jobs: int = 0
    n_finished: int = 0
    running: tuple[RunningJob, ...] = ()
    stage: str = ""
    label: str = ""


@dataclass(frozen=True)
class JobLog:
    """Where a job left what it printed.

    Parameters
    ----------
    name : str
        Name of the job.
    engine_id : str
        The engine's number of it.
    state : str
        State, in the engine's own word.
    text : str
        The end of what it printed, or its traceback; empty where nothing is there.
    place : str or None
        Its folder, as host:path where that is another machine.
    """

    name: str
    engine_id: str
    state: str
    text: str = ""
    place: str | None = None


@dataclass(frozen=True)
class FeedReport:
    """What was done so that somebody works on the jobs.

    Parameters
    ----------
    n_new : int
        Allocations put into the queue now.
    n_queued : int
        Allocations that wait in the queue or run.
    problem : str or None
        Why nobody works, in one sentence that says how to mend it.
    """

    n_new: int = 0
    n_queued: int = 0
    problem: str | None = None


@dataclass(frozen=True)
class RecoveryReport:
    """Jobs whose worker is gone without a word.

    Parameters
    ----------
    put_back : tuple of str
        Names of jobs that will run again.
    left : tuple of str
        Sentences on jobs that somebody must look at.
    """

    put_back: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One thing that a check looked at.

    Parameters
    ----------
    subject : str
        What was looked at, in a few words.
    state : str
        ok, warning, error, or skipped where it could not be tried.
    message : str
        What was found, and where it is not well how to mend it.
    """

    subject: str
    state: Literal["ok", "warning", "error", "skipped"]
    message: str = ""


@runtime_checkable
class QueueEngine(Protocol):
    """An engine that takes jobflow flows and sees that a cluster works on them.

    An engine holds no state of its own that matters: units are found by their keys in the engine's database, so any
    number of these objects, on any host, see the same. Sequences of units are read and written in a fixed number of
    round trips to the database wherever the engine allows it.
    """

    name: str
    """Name in campaign files."""

    @property
    def checkpoint_root(self) -> str:
        """Folder of the trajectories, as the workers see it; flows are made for it."""
        ...

    @property
    def is_remote(self) -> bool:
        """Whether the workers' disks are those of another host."""
        ...

    def standstill(self, campaign_id: str, *, coordinator_lives: bool = False) -> str | None:
        """Say why nobody works on what waits.

        Parameters
        ----------
        campaign_id : str
            The campaign.
        coordinator_lives : bool
            Whether a coordinator sees to it that somebody comes.

        Returns
        -------
        str or None
            One sentence that says how to mend it; None where nothing is known to be in the way.
        """
        ...

    def submit(self, units: Iterable[tuple[UnitTicket, Flow]]) -> list[str]:
        """Hand units over; those that the engine has already are left as they are.

        Parameters
        ----------
        units : iterable of tuple of UnitTicket and Flow
            The units.

        Returns
        -------
        list of str
            Keys of the new ones.

        Raises
        ------
        SettingsError
            If the engine's set-up lacks something that a job needs.
        """
        ...

    def units(self, campaign_id: str) -> Mapping[str, QueuedUnit]:
        """Tell of all units of a campaign, in one query or a few, however many there are.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        mapping of str to QueuedUnit
            By stage key.
        """
        ...

    def feed(self, campaign_id: str) -> FeedReport:
        """See that somebody works on what is ready: put allocations into the queue, or look for the runner.

        Parameters
        ----------
        campaign_id : str
            The campaign; allocations may serve others, too.

        Returns
        -------
        FeedReport
            How many allocations are new, how many there are, and why nobody works.
        """
        ...

    def recover(self, campaign_id: str) -> RecoveryReport:
        """Find jobs whose worker died without a word, and put them back; their checkpoints stay.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        RecoveryReport
            What was put back, and what somebody must look at.
        """
        ...

    def retry(self, campaign_id: str, stage_keys: Collection[str]) -> int:
        """Let failed or cancelled units go on; jobs that ended well are kept.

        Parameters
        ----------
        campaign_id : str
            The campaign.
        stage_keys : collection of str
            Which.

        Returns
        -------
        int
            Number of units.

        Raises
        ------
        StoreError
            If the engine refuses to run a job of them again.
        """
        ...

    def cancel(self, campaign_id: str, stage_keys: Collection[str] | None = None) -> int:
        """Take units back, running ones too, which write their checkpoints.

        Parameters
        ----------
        campaign_id : str
            The campaign.
        stage_keys : collection of str or None
            Which; None for all.

        Returns
        -------
        int
            Number of units.

        Raises
        ------
        StoreError
            If the host of a worker cannot be reached.
        """
        ...

    def pause(self, campaign_id: str) -> int:
        """Keep waiting jobs from starting; running ones go on to their end, or to that of their allocation.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        int
            Number of units that are held.
        """
        ...

    def resume(self, campaign_id: str) -> int:
        """Let paused units start.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        int
            Number of units.
        """
        ...

    def logs(self, campaign_id: str, stage_key: str) -> Sequence[JobLog]:
        """Give what the jobs of a unit printed, those that failed first.

        Parameters
        ----------
        campaign_id : str
            The campaign.
        stage_key : str
            Key of the unit.

        Returns
        -------
        sequence of JobLog
            One for each job; empty where the engine has no such unit.
        """
        ...

    def progress(self, uuids: Collection[str]) -> Mapping[str, Heartbeat]:
        """Read the heartbeats of running jobs.

        Parameters
        ----------
        uuids : collection of str
            Uuids of the jobs.

        Returns
        -------
        mapping of str to Heartbeat
            By uuid; jobs that have told nothing yet are missing.

        Raises
        ------
        StoreError
            If the host of a worker cannot be reached.
        """
        ...

    def check(self) -> Sequence[Finding]:
        """Look at everything that must be there before a job can run.

        Returns
        -------
        sequence of Finding
            What was found, and how to mend what is not well.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
