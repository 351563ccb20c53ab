"""Running a campaign on a cluster: wanted units to an engine, its units back to decisions, decisions to rows.

The coordinator keeps nothing that matters: killed at any instant, and started again on any host that sees the store,
it goes on. What runs in the queue runs on without it; only new units wait for it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jobflow import Flow
from pymongo.errors import ConnectionFailure

from ...database.campaigns import CampaignCollections
from ...database.project import ProjectFolder
from ...errors import StoreAwayError, StoreError, reason_of
from ..dispatch.queue_engine import QueuedUnit, QueueEngine, UnitTicket
from ..dispatch.signals import StopSignal, caught_signals
from .events import CampaignEvent, CampaignRunReport, CampaignWatcher
from .folders import campaign_folder
from .heartbeat import DriverHeartbeat, read_heartbeat
from .limits import given_up_after, reason_to_stop
from .lock import campaign_lock
from .pause import load_unpaused
from .prepared import prepare_campaign
from .session import CampaignSession
from .used_times import UsedTimes, campaign_jobs
from .work import Work

POLL_S = 5.0
"""Time between two looks at the engine, in s."""

RECOVER_EVERY_S = 60.0
"""Time between two searches for jobs that lost their workers, in s."""

_UNITS_AT_A_TIME = 500
_WORDLESS_GRACE_S = 60.0


def coordinate_campaign(
    campaign_id: str,
    collections: CampaignCollections,
    project: ProjectFolder,
    *,
    once: bool = False,
    poll_s: float = POLL_S,
    on_event: CampaignWatcher | None = None,
) -> CampaignRunReport:
    """Hand a campaign's units to its engine until nothing is left, or once.

    Parameters
    ----------
    campaign_id : str
        A submitted campaign whose file names an engine of clusters.
    collections : CampaignCollections
        The store, which the engine's workers reach too.
    project : ProjectFolder
        Where lock and heartbeat of the coordinator lie.
    once : bool
        Whether to make one pass only: what is done is taken in, what is wanted handed over.
    poll_s : float
        Time between two passes, in s.
    on_event : callable or None
        Told of units that start and end.

    Returns
    -------
    CampaignRunReport
        How it ended; `stopped` where units are still under way.

    Raises
    ------
    SettingsError
        If there is no such campaign, it is paused, or its engine cannot be used.
    StoreError
        If another process coordinates it, or a database cannot be used.
    """
    record = load_unpaused(campaign_id, collections)
    engine = prepare_campaign(record, store=collections.jobs).file.dispatch.open_engine(collections)
    with contextlib.closing(engine):
        campaign = prepare_campaign(record, checkpoint_root=engine.checkpoint_root, store=collections.jobs)
        folder = campaign_folder(project, campaign_id)
        with campaign_lock(folder, campaign_id, wait_s=0.0):
            session = CampaignSession(campaign, collections)
            load_unpaused(campaign_id, collections)  # somebody may have paused it while this waited for the lock
            engine.resume(campaign_id)
            coordinator = Coordinator(
                session, engine, folder, on_event or (lambda event: None), min(RECOVER_EVERY_S, 12.0 * poll_s)
            )
            with caught_signals(on_second=_leave_at_once) as caught:
                return coordinator.run(caught, once=once, poll_s=poll_s)


def _leave_at_once() -> None:
    """End on a second signal, where the first waits for a server that is away; nothing is lost by it."""
    raise KeyboardInterrupt


@dataclass
class Coordinator:
    """The state of one run of a coordinator.

    Parameters
    ----------
    session : CampaignSession
        The campaign.
    engine : QueueEngine
        Who sees that jobs run.
    folder : Path
        Where the heartbeat goes.
    on_event : callable
        Told of units that start and end.
    recover_every_s : float
        Time between two searches for jobs that lost their workers, in s.
    """

    session: CampaignSession
    engine: QueueEngine
    folder: Path
    on_event: CampaignWatcher
    recover_every_s: float = RECOVER_EVERY_S
    heartbeat: DriverHeartbeat = field(init=False)
    n_failed: int = 0
    _n_parallel: int = 1
    _used: UsedTimes = field(default_factory=UsedTimes)
    _handed_over: set[str] = field(default_factory=set)
    _seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    _told: str = ""
    _last_recovery: float = -float("inf")
    _started: float = field(default_factory=time.monotonic)

    def run(self, caught: StopSignal, *, once: bool, poll_s: float) -> CampaignRunReport:
        """Make passes until nothing is left, a limit is reached or a signal comes.

        Parameters
        ----------
        caught : StopSignal
            Signals.
        once : bool
            Whether one pass is enough.
        poll_s : float
            Time between passes, in s.

        Returns
        -------
        CampaignRunReport
            How it ended.
        """
        self.session.load()
        # What ended while nobody coordinated, or elsewhere, counts too.
        self._used.add(campaign_jobs(self.session.campaign.campaign_id, self.session.collections))
        before = read_heartbeat(self.folder)
        self.heartbeat = DriverHeartbeat(
            core_seconds=self._used.core_seconds,
            timings=self._used.timings,
            wordless_since=before.wordless_since if before else {},
        )
        self._n_parallel = self.session.campaign.file.dispatch.n_parallel(1)
        self.on_event(CampaignEvent("started", f"units go to {self.engine.name}"))
        reason: str | None = None
        try:
            while True:
                is_over, reason = self._pass_patiently()
                if is_over:
                    reason = None
                    break
                if reason is None and caught.name is not None:
                    reason = f"it was stopped by {caught.name}; what is in the queue goes on"
                if reason is None and once:
                    reason = "one pass was asked for; what is in the queue goes on"
                if reason is not None:
                    break
                self._sleep(caught, poll_s)
        except Exception:
            # A second interrupt is no Exception: the process leaves at once, and the next coordinator writes the rows.
            self._put_away()
            raise
        self._put_away()
        counts = self.session.collections.count_by_status(self.session.campaign.campaign_id)
        self.session.save_counts(counts)
        return CampaignRunReport(
            state="finished" if reason is None else "stopped",
            reason=reason,
            n_finished=self.heartbeat.n_finished,
            n_failed=self.n_failed,
            counts=counts,
            elapsed_s=time.monotonic() - self._started,
        )

    def _put_away(self) -> None:
        """Write what a pass may have left unwritten, where that can be done."""
        with contextlib.suppress(OSError, StoreError):
            self.session.write_rows()
            self.heartbeat.write(self.folder)

    def _pass_patiently(self) -> tuple[bool, str | None]:
        """Make one pass, and say whether that was all and why to stop; where the server is away, none."""
        try:
            return self.make_pass()
        except (ConnectionFailure, StoreAwayError) as error:
            self._tell(f"the database does not answer ({type(error).__name__}): trying again")
            return False, None

    def make_pass(self) -> tuple[bool, str | None]:
        """Take in what is done, hand over what is wanted, see that somebody works.

        Returns
        -------
        is_over : bool
            True where nothing is left to do.
        reason : str or None
            Why nothing was handed over: the user paused the campaign, or a limit is reached.
        """
        campaign_id = self.session.campaign.campaign_id
        queued = dict(self.engine.units(campaign_id))
        wanted = self.session.wanted()
        # What looks like a failure may be a job that a dying worker left behind.
        looks_failed = any(unit.phase == "failed" and key in wanted for key, unit in queued.items())
        now = time.monotonic()
        if looks_failed or now - self._last_recovery >= self.recover_every_s:
            self._last_recovery = now
            if self._recover():
                queued = dict(self.engine.units(campaign_id))
        self.session.refresh()
        self._take_in(queued)
        self._give_up_what_takes_too_long(queued)
        # First: who looks at a job that a worker takes at once must find whose it is.
        self.session.write_rows()
        reason = self._reason_to_stop()
        n_new = self._hand_over(queued) if reason is None else 0
        self.session.write_rows()
        n_left = len(self.session.state.wanted_units())
        self.heartbeat.n_workers = max(1, min(n_left, self._n_parallel))
        self.heartbeat.write(self.folder)
        if reason is None and (n_left or n_new):
            fed = self.engine.feed(campaign_id)
            if fed.problem is not None:
                self._tell(fed.problem)
        return not n_left, reason

    def _recover(self) -> bool:
        """Let the engine find jobs that lost their workers; say whether there were any."""
        report = self.engine.recover(self.session.campaign.campaign_id)
        for name in report.put_back:
            self._tell(f"{name} had lost its worker: it is back in the queue", always=True)
        for sentence in report.left:
            self._tell(sentence)
        return bool(report.put_back or report.left)

    def _take_in(self, queued: Mapping[str, QueuedUnit]) -> None:
        """Turn what the engine says of units into outcomes."""
        wanted = self.session.wanted()
        over = [key for key, unit in queued.items() if key in wanted and unit.phase in ("finished", "failed")]
        since = self.heartbeat.wordless_since
        self.heartbeat.wordless_since = {key: since[key] for key in over if key in since}
        # Another campaign, or another engine, may have computed a unit meanwhile.
        elsewhere = [key for key in wanted if key in self._handed_over and key not in queued]
        documents = self.session.collections.latest_stage_docs([*over, *elsewhere]) if over or elsewhere else {}
        self._used.add_units(documents, self.session.collections)
        self.heartbeat.core_seconds, self.heartbeat.timings = self._used.core_seconds, self._used.timings
        failures: list[tuple[UnitTicket, str]] = []
        for key in [*over, *elsewhere]:
            ticket, document = wanted[key], documents.get(key)
            if document is not None and document.state != "failed":
                self._finish(ticket, document.reason)
                self.session.state.set_running(key, False)
                self.session.take_in(document)
            elif document is not None and (key not in queued or queued[key].phase == "finished"):
                # The stage itself says that it failed, or another campaign does.
                self.n_failed += 1
                self.session.state.set_running(key, False)
                self.session.take_in(document)
                self.on_event(CampaignEvent("unit_failed", document.reason or "", ticket.stage, ticket.label))
            elif key in queued and queued[key].phase == "failed":
                failures.append((ticket, queued[key].reason or "one of its jobs failed"))
            elif key in queued and self._has_been_wordless(key):
                failures.append((ticket, "its jobs ended without a stage document: mend the package of the stage"))
        if failures:
            self._fail(failures)
        for key, found in queued.items():
            if key in wanted and key not in documents:
                self.session.state.set_running(key, found.phase == "running")
        self.session.refresh()

    def _has_been_wordless(self, key: str) -> bool:
        """Whether a unit ended long ago and its document, perhaps spooled on a worker's disk, did not come."""
        since = self.heartbeat.wordless_since.setdefault(key, time.time())
        return time.time() - since > _WORDLESS_GRACE_S

    def _give_up_what_takes_too_long(self, queued: Mapping[str, QueuedUnit]) -> None:
        """Take units back that are beyond the limit of one unit; their trajectories stay."""
        limit = self.session.campaign.file.limits.maximum_unit_hours
        if limit is None:
            return
        now = time.time()
        for key, unit in queued.items():
            for job in unit.running:
                if job.started_at is not None:
                    self._seconds.setdefault(key, {})[job.engine_id] = now - job.started_at
        wanted = self.session.wanted()
        beyond = [
            wanted[key]
            for key, seconds in self._seconds.items()
            if key in wanted and key in queued and sum(seconds.values()) > 3600.0 * limit
        ]
        if beyond:
            self.engine.cancel(self.session.campaign.campaign_id, [ticket.stage_key for ticket in beyond])
            self._fail([(ticket, given_up_after(limit)) for ticket in beyond])

    def _finish(self, ticket: UnitTicket, reason: str | None) -> None:
        """Count a unit that ended well."""
        self.heartbeat.n_finished += 1
        self.on_event(CampaignEvent("unit_finished", reason or "", ticket.stage, ticket.label))

    def _fail(self, failures: Sequence[tuple[UnitTicket, str]]) -> None:
        """Write down that units failed."""
        for ticket, _ in failures:
            self.session.state.set_running(ticket.stage_key, False)
        self.session.record_failures(failures)
        self.n_failed += len(failures)
        for ticket, reason in failures:
            self.on_event(CampaignEvent("unit_failed", reason, ticket.stage, ticket.label))

    def _hand_over(self, queued: Mapping[str, QueuedUnit]) -> int:
        """Give the engine what is wanted and not there, in portions; what units share comes before them."""
        self._go_on_with_cancelled(queued)
        missing = [unit for unit in self.session.state.wanted_units() if unit.stage_key not in queued]
        n_new = 0
        for start in range(0, len(missing), _UNITS_AT_A_TIME):
            n_new += self._submit(self.session.works(missing[start : start + _UNITS_AT_A_TIME]))
        wanted = self.session.shared_works()
        n_new += self._submit([work for work in wanted if work.ticket.stage_key not in queued])
        there = [queued[work.ticket.stage_key].phase for work in wanted if work.ticket.stage_key in queued]
        if "finished" in there or "failed" in there:
            # What was handed over before this coordinator began is known to be shared work by now.
            self._take_in(queued)
            if len(self.session.shared_works()) < len(wanted):
                n_new += self._hand_over(queued)
        return n_new

    def _submit(self, works: Sequence[Work]) -> int:
        """Give the engine some work; give the number of what it did not have."""
        flows = self._flows(works)
        new = set(self.engine.submit(flows)) if flows else set()
        self._handed_over |= {work.ticket.stage_key for work in works}
        for ticket, _ in flows:
            if ticket.stage_key in new:
                self.on_event(CampaignEvent("unit_started", stage=ticket.stage, label=ticket.label))
        return len(new)

    def _go_on_with_cancelled(self, queued: Mapping[str, QueuedUnit]) -> None:
        """Let units that were cancelled go on: who runs a campaign again wants them."""
        wanted = self.session.wanted()
        cancelled = [key for key, unit in queued.items() if unit.phase == "cancelled" and key in wanted]
        if cancelled:
            self.engine.retry(self.session.campaign.campaign_id, cancelled)

    def _flows(self, works: Iterable[Work]) -> list[tuple[UnitTicket, Flow]]:
        """Make the flows of work; one that cannot be made fails by itself."""
        made = []
        failures: list[tuple[UnitTicket, str]] = []
        for work in works:
            if work.failure is not None:
                failures.append((work.ticket, work.failure))
                continue
            try:
                made.append((work.ticket, work.make_flow()))
            except (OSError, StoreError):
                raise
            except Exception as error:
                reason = reason_of(error)
                failures.append((work.ticket, reason))
        if failures:
            self._fail(failures)
        return made

    def _reason_to_stop(self) -> str | None:
        """Whether the user paused the campaign, or a limit of its file is reached."""
        return reason_to_stop(
            self.session.collections.load_campaign(self.session.campaign.campaign_id),
            self.session.campaign.file.limits,
            file_text=self.session.campaign.file_text,
            elapsed_s=time.monotonic() - self._started,
            core_seconds=self.heartbeat.core_seconds,
            folders=[self.folder, *self._trajectories_here()],
        )

    def _trajectories_here(self) -> list[Path]:
        """Give the folder of the trajectories, where this host sees it."""
        if self.engine.is_remote:
            return []
        folder = Path(self.engine.checkpoint_root)
        return [folder] if folder.is_dir() else []

    def _tell(self, sentence: str, *, always: bool = False) -> None:
        """Tell the user, but the same thing only once in a row."""
        if always or sentence != self._told:
            self._told = sentence
            self.on_event(CampaignEvent("notice", sentence))

    @staticmethod
    def _sleep(caught: StopSignal, seconds: float) -> None:
        """Wait, but not on after a signal."""
        until = time.monotonic() + seconds
        while caught.number is None and time.monotonic() < until:
            time.sleep(min(0.2, max(0.0, until - time.monotonic())))
