"""Running a campaign on this machine: units to a pool of workers, their outcomes to decisions, decisions to rows."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jobflow import Flow
from pydantic import ValidationError

from ...database.campaigns import CampaignCollections
from ...database.documents.stage import StageDoc
from ...database.project import ProjectFolder
from ...dynamics.results import MdProgress
from ...errors import SettingsError, StoreError, UnreadableRunError, reason_of
from ..dispatch.codec import JobOutcome, decode_flow, encode_flow
from ..dispatch.driver import GRACE_S, PoolDriver
from ..dispatch.events import RunEvent
from ..dispatch.flow_run import FlowRun, describe_store
from ..dispatch.job_graph import JobEntry
from ..dispatch.local_settings import LocalDispatch
from ..dispatch.processors import slots_for
from ..dispatch.queue_engine import UnitTicket
from ..dispatch.run_folder import RunFolder, lock_run
from ..dispatch.worker_pool import WorkerPool
from .decisions import CampaignState
from .events import CampaignEvent, CampaignRunReport, CampaignWatcher
from .file.model import CampaignFile
from .file.potential_readiness import unready_potentials
from .folders import campaign_folder, unit_folder
from .heartbeat import DriverHeartbeat, RunningUnit, StageTiming, read_heartbeat
from .limits import given_up_after, reason_to_stop
from .lock import campaign_lock
from .pause import load_unpaused
from .prepared import PreparedCampaign, prepare_campaign
from .session import CampaignSession
from .work import Work

_ROWS_EVERY_S = 1.0
_HEARTBEAT_EVERY_S = 1.0
_LIMITS_EVERY_S = 2.0


@dataclass
class _OpenUnit:
    """A unit, or shared work, that is being computed."""

    ticket: UnitTicket
    lock: int
    started: float
    run: FlowRun = field(init=False)
    core_seconds: float = 0.0
    seconds_now: float = 0.0
    is_replayed: bool = False
    document: StageDoc | None = None


def run_campaign(
    campaign_id: str,
    collections: CampaignCollections,
    project: ProjectFolder,
    *,
    workers: int | None = None,
    on_event: CampaignWatcher | None = None,
    on_progress: Callable[[str, MdProgress], None] | None = None,
) -> CampaignRunReport:
    """Compute what a campaign needs, here, until nothing is left or something stops it.

    It may be killed at any instant and run again: what is in the store is not computed again, and trajectories
    continue from their checkpoints. A unit that fails becomes a row with its reason; the rest goes on.

    Parameters
    ----------
    campaign_id : str
        A submitted campaign.
    collections : CampaignCollections
        The store.
    project : ProjectFolder
        Where units leave their files.
    workers : int or None
        Number of processes; None for what the campaign file says.
    on_event : callable or None
        Told of units that start and end.
    on_progress : callable or None
        Told of the progress of trajectories, by label.

    Returns
    -------
    CampaignRunReport
        How it ended.

    Raises
    ------
    SettingsError
        If there is no such campaign, or it is paused.
    StoreError
        If another process runs it, or the disk or the store cannot be written.
    """
    record = load_unpaused(campaign_id, collections)
    campaign = prepare_campaign(record, checkpoint_root=str(project.trajectories), store=collections.jobs)
    folder = campaign_folder(project, campaign_id)
    try:
        # Workers of a driver that was killed first write their checkpoints.
        with campaign_lock(folder, campaign_id, wait_s=GRACE_S) as lock:
            session = CampaignSession(campaign, collections)
            runner = _Runner(session, project, folder, lock, on_event or (lambda event: None), on_progress)
            return runner.run(workers)
    except OSError as error:
        raise StoreError(
            f"The campaign {campaign_id} cannot write to {project.folder} ({error.strerror or error}): free some "
            f"space, then go on with `superion campaign run {campaign_id}`; nothing computed so far is lost."
        ) from error


@dataclass
class _Runner:
    """The state of one run of a campaign."""

    session: CampaignSession
    project: ProjectFolder
    folder: Path
    lock: int
    on_event: CampaignWatcher
    on_progress: Callable[[str, MdProgress], None] | None
    heartbeat: DriverHeartbeat = field(init=False)
    driver: PoolDriver = field(init=False)
    open_units: dict[int, _OpenUnit] = field(default_factory=dict)
    unwritten: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    n_failed: int = 0
    _last: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    @property
    def campaign(self) -> PreparedCampaign:
        """The campaign."""
        return self.session.campaign

    @property
    def collections(self) -> CampaignCollections:
        """The store."""
        return self.session.collections

    @property
    def state(self) -> CampaignState:
        """Where the candidates stand."""
        return self.session.state

    # ------------------------------------------------------------------ the run

    def run(self, workers: int | None) -> CampaignRunReport:
        """Load, compute, and sum up."""
        file = self.campaign.file
        devices = {used.specification.device.split(":")[0] for used in file.used_potentials()}
        uses_gpu = not devices.isdisjoint({"auto", "cuda"})
        slots = slots_for(uses_gpu, workers or _workers_of(file), 1)
        self._load(len(slots))
        n_waiting = len(self.state.wanted_units())
        for potential, why in unready_potentials(file) if n_waiting else ():
            raise SettingsError(
                f"The campaign {self.campaign.campaign_id} cannot run here for {potential.subject}: {why}."
            )
        pool = WorkerPool(slots, self.folder, (self.lock,))
        self.on_event(CampaignEvent("started", f"{n_waiting} units are ready, {len(slots)} worker processes"))
        self.driver = driver = PoolDriver(pool, self._next_run, self._on_over, self._on_round)
        try:
            caught = driver.drive()
        finally:
            self._leave_units()
            with contextlib.suppress(OSError, StoreError):
                self.session.write_rows()
                self._beat()
        reason = driver.stop_reason
        if caught.name is not None:
            reason = f"it was stopped by {caught.name}"
        if reason is None and self.unwritten:
            reason = f"the disk had no room for {len(self.unwritten)} units: free some space"
        if reason is None and self.elsewhere:
            reason = f"another campaign of this project computes {len(self.elsewhere)} of its units"
        counts = self.collections.count_by_status(self.campaign.campaign_id)
        self.session.save_counts(counts)
        return CampaignRunReport(
            state="finished" if reason is None else "stopped",
            reason=reason,
            n_finished=self.heartbeat.n_finished,
            n_failed=self.n_failed,
            counts=counts,
            elapsed_s=time.monotonic() - self._started,
            unwritten=tuple(self.unwritten),
        )

    def _load(self, n_workers: int) -> None:
        """Read candidates and outcomes, and bring the rows up to date with the rules of now."""
        self.session.load()
        before = read_heartbeat(self.folder)
        self.heartbeat = DriverHeartbeat(
            n_workers=n_workers,
            core_seconds=before.core_seconds if before else 0.0,
            timings=before.timings if before else {},
        )
        self._beat()

    def _on_round(self) -> str | None:
        """Keep rows and heartbeat current; say why the run should stop, if it should."""
        if self._is_due("rows", _ROWS_EVERY_S):
            self.session.write_rows()
        if self._is_due("heartbeat", _HEARTBEAT_EVERY_S):
            self._beat()
        if not self._is_due("limits", _LIMITS_EVERY_S):
            return None
        self._give_up_what_takes_too_long()
        return self._reason_to_stop()

    def _give_up_what_takes_too_long(self) -> None:
        """Stop units that are beyond the limit of one unit: a potential that never returns holds nobody else up."""
        limit = self.campaign.file.limits.maximum_unit_hours
        if limit is None:
            return
        for opened in self.open_units.values():
            seconds = opened.seconds_now + self.driver.pool.seconds_spent_on(opened.run)
            if opened.run.given_up is None and seconds > 3600.0 * limit:
                self.driver.give_up(opened.run, given_up_after(limit))

    def _is_due(self, name: str, every_s: float) -> bool:
        now = time.monotonic()
        if now - self._last.get(name, -every_s) < every_s:
            return False
        self._last[name] = now
        return True

    def _reason_to_stop(self) -> str | None:
        """Whether the user paused the campaign, or a limit of its file is reached."""
        return reason_to_stop(
            self.collections.load_campaign(self.campaign.campaign_id),
            self.campaign.file.limits,
            file_text=self.campaign.file_text,
            elapsed_s=time.monotonic() - self._started,
            core_seconds=self.heartbeat.core_seconds,
            folders=[self.project.folder],
        )

    # -------------------------------------------------------------------- units

    def _next_run(self) -> FlowRun | None:
        """Open the next unit; None while there is none."""
        while (work := self.session.next_work(is_idle=not self.open_units)) is not None:
            run = self._open(work)
            if run is not None:
                return run
        return None

    def _open(self, work: Work) -> FlowRun | None:
        """Make the flow of a unit, or find the one that was begun; None where that fails or another has it."""
        ticket = work.ticket
        if work.failure is not None:
            self._record_failure(ticket, work.failure)
            return None
        folder = RunFolder(unit_folder(self.project, ticket.stage_key))
        folder.path.mkdir(parents=True, exist_ok=True)
        try:
            lock = lock_run(folder)
        except StoreError:
            # Another campaign of this project computes it; the next run finds its outcome.
            self.elsewhere.append(f"{ticket.stage} of {ticket.label}")
            return None
        opened = _OpenUnit(ticket, lock, time.time())
        try:
            flow = self._begun_flow(folder, opened, work)
            if flow is None:
                flow = work.make_flow()
                folder.create(encode_flow(flow), flow_name=flow.name, store=describe_store(self.collections.jobs))
            run = self._begin(folder, opened, flow)
        except (OSError, StoreError):
            os.close(lock)
            raise
        except Exception as error:
            os.close(lock)
            reason = reason_of(error)
            self._record_failure(ticket, reason)
            return None
        self.state.set_running(ticket.stage_key, True)
        self.on_event(CampaignEvent("unit_started", stage=ticket.stage, label=ticket.label))
        return run

    def _begun_flow(self, folder: RunFolder, opened: _OpenUnit, work: Work) -> Flow | None:
        """Read the flow that an earlier process began for a unit; None where it must be made anew."""
        if not folder.flow_file.exists():
            return None
        try:
            text = folder.read_flow()
            moved = _moved_path(work, text)
            if moved is None:
                return decode_flow(text)
            why = f"It was begun when {moved} lay elsewhere."
        except UnreadableRunError as error:
            why = str(error)
        outcomes = folder.outcome_files().values()
        # Its jobs have other uuids than those of the flow that takes its place. The flow goes last: until then a kill
        # here is harmless.
        old = [*outcomes, *(folder.path / "failures").glob("*.json"), folder.flow_file]
        if outcomes:
            place = folder.set_aside(old, why)
            words = f"{why.rstrip('.')}; {len(outcomes)} outcomes of its jobs were moved to {place}, and it begins anew"
            self._notice(opened.ticket, words)
        else:
            for path in old:
                path.unlink()
        return None

    def _notice(self, ticket: UnitTicket, message: str) -> None:
        """Tell of something that happened to a unit and does not end it."""
        self.on_event(CampaignEvent("notice", message, ticket.stage, ticket.label))

    def _begin(self, folder: RunFolder, opened: _OpenUnit, flow: Flow) -> FlowRun:
        """Take in what is there of a unit's flow."""
        run = FlowRun(
            folder,
            self.collections.jobs,
            flow,
            on_event=lambda event: self._on_run_event(opened.ticket, event),
            on_outcome=self._on_outcome,
        )
        opened.run = run
        # Replays tell outcomes, so the unit must be known by now.
        self.open_units[id(run)] = opened
        try:
            run.open()
        except BaseException:
            del self.open_units[id(run)]
            raise
        opened.is_replayed = True
        return run

    def _on_outcome(self, entry: JobEntry, outcome: JobOutcome) -> None:
        """Keep the stage document of a unit, and count the time of its jobs."""
        opened = next(unit for unit in self.open_units.values() if unit.run.graph.entries.get(entry.key) is entry)
        opened.core_seconds += outcome.wall_time_s
        if opened.is_replayed:
            opened.seconds_now += outcome.wall_time_s
            self.heartbeat.core_seconds += outcome.wall_time_s
        output = outcome.document.get("output")
        if not isinstance(output, dict) or output.get("doc_type") != "stage" or outcome.response.replace is not None:
            return
        plain = {name: value for name, value in output.items() if not name.startswith("@")}
        try:
            document = StageDoc.model_validate(plain)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise UnreadableRunError(
                f"The document of {entry.job.name} is no stage document of this version ({where}: {first['msg']})."
            ) from error
        is_output = entry.job.uuid in opened.run.output_uuids
        # A last job that grew into others leaves the document to one of them.
        if document.stage_key == opened.ticket.stage_key or (is_output and opened.document is None):
            opened.document = document

    def _on_run_event(self, ticket: UnitTicket, event: RunEvent) -> None:
        """Pass on the progress of trajectories, and what could not be read."""
        if event.kind == "outcome_set_aside":
            self._notice(ticket, f"{event.job_name}: {event.message}")
        if event.kind == "job_progress" and event.progress is not None and self.on_progress is not None:
            self.on_progress(event.job_name, event.progress)

    def _on_over(self, run: FlowRun) -> None:
        """Take in what became of a unit."""
        opened = self.open_units.pop(id(run))
        ticket = opened.ticket
        os.close(opened.lock)
        self.state.set_running(ticket.stage_key, False)
        document = opened.document
        if document is not None and document.stage_key == ticket.stage_key:
            self.session.take_in(document)
            timing = self.heartbeat.timings.setdefault(ticket.stage, StageTiming())
            timing.n_units += 1
            timing.core_seconds += opened.core_seconds
            self.heartbeat.n_finished += 1
            if document.state == "failed":
                self.n_failed += 1
                self.on_event(CampaignEvent("unit_failed", document.reason or "", ticket.stage, ticket.label))
                return
            # All of it is in the store now; ten thousand folders of finished units help nobody.
            run.folder.remove()
            with contextlib.suppress(OSError):
                run.folder.path.parent.rmdir()
            self.on_event(CampaignEvent("unit_finished", document.reason or "", ticket.stage, ticket.label))
        elif any(failure.get("is_disk_full") for failure in run.failures.values()):
            # No fault of the candidate's: the next run tries again.
            self.unwritten.append(f"{ticket.stage} of {ticket.label}")
            self.on_event(CampaignEvent("unit_stopped", "the disk is full", ticket.stage, ticket.label))
        else:
            self._record_failure(ticket, self._why(run, document))

    def _why(self, run: FlowRun, document: StageDoc | None) -> str:
        """Say in one sentence why a unit gave no document of its own."""
        if document is not None:
            return f"the stage gave the document of another key, {document.stage_key[:12]}: mend the package it is from"
        if run.given_up is not None:
            return run.given_up
        failures = run.report().failures
        if failures:
            return f"{failures[0].name}: {failures[0].reason}"
        return "its jobs ended without a stage document: mend the package that the stage is from"

    def _record_failure(self, ticket: UnitTicket, reason: str) -> None:
        """Store that a unit failed, and why."""
        self.session.record_failures([(ticket, reason)])
        self.n_failed += 1
        self.on_event(CampaignEvent("unit_failed", reason, ticket.stage, ticket.label))

    def _leave_units(self) -> None:
        """Let go of the units that a stop left open."""
        for opened in self.open_units.values():
            os.close(opened.lock)
            self.state.set_running(opened.ticket.stage_key, False)
        self.open_units.clear()

    # --------------------------------------------------------------------- news

    def _beat(self) -> None:
        """Tell other processes what is going on."""
        self.heartbeat.running = [
            RunningUnit(
                stage=opened.ticket.stage,
                candidate_id=opened.ticket.candidate_id,
                label=opened.ticket.label,
                folder=str(opened.run.folder.path),
                started_at=opened.started,
            )
            for opened in self.open_units.values()
        ]
        self.heartbeat.write(self.folder)


def _workers_of(file: CampaignFile) -> int | None:
    """Give the number of worker processes that a campaign file asks for on this machine."""
    return file.dispatch.workers if isinstance(file.dispatch, LocalDispatch) else None


def _moved_path(work: Work, begun: str) -> str | None:
    """Name a file with which a flow would be made now, and that it was not begun with."""
    missing = [path for path in work.paths if json.dumps(path) not in begun]
    if not missing:
        return None
    # Shared work need not hold all paths of the stage that declares it.
    fresh = encode_flow(work.make_flow())
    return next((path for path in missing if json.dumps(path) in fresh), None)
