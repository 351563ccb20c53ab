"""How far a campaign is, read from the store and from its driver's heartbeat, by any process."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from pymongo.errors import PyMongoError

from ...database.campaigns import CampaignCollections
from ...database.project import ProjectFolder
from ...dynamics.results import MdProgress
from ...errors import SettingsError, SuperionError
from ..dispatch.queue_engine import QueueEngine
from .engine_status import EngineStatus, read_engine
from .file.model import CampaignFile
from .folders import campaign_folder
from .heartbeat import DriverHeartbeat, RunningUnit, read_heartbeat
from .lock import is_being_driven
from .prepared import prepare_campaign

_FIELDS = ["candidate_id", "label", "status", "stage", "reason", "stages", "updated_at"]


class StageProgress(BaseModel):
    """How many candidates are where in one stage."""

    stage: str = Field(description="name of the stage")
    waiting: int = Field(default=0, description="its work has not begun")
    running: int = Field(default=0, description="being computed")
    held: int = Field(default=0, description="computed; a rule that compares candidates waits for the others")
    passed: int = Field(default=0, description="went on")
    rejected: int = Field(default=0, description="left here")
    failed: int = Field(default=0, description="could not be computed; `retry --failed` tries again")
    core_seconds_per_unit: float | None = Field(default=None, description="mean time of a unit on this machine, in s")


class RunningTrajectory(BaseModel):
    """A unit that is being computed now."""

    stage: str = Field(description="name of the stage")
    label: str = Field(description="name of the material")
    elapsed_s: float = Field(description="time since it was opened, in s")
    completed_ps: float | None = Field(default=None, description="length of its trajectories so far, in ps")
    requested_ps: float | None = Field(default=None, description="greatest length of those that have begun, in ps")


class FailedCandidate(BaseModel):
    """A candidate that could not be computed, for now."""

    label: str = Field(description="name of the material")
    stage: str | None = Field(
        default=None, description="stage that failed; None where its structures could not be made"
    )
    reason: str = Field(description="why, in one line")


class CampaignStatus(BaseModel):
    """How far a campaign is."""

    campaign_id: str = Field(description="the campaign")
    state: Literal["running", "paused", "idle", "finished"] = Field(
        description="running: a driver on this machine, or a worker of its cluster, is at work or about to be; idle: "
        "something is left to do and nobody does it"
    )
    n_candidates: int = Field(description="all candidates, rejected ones included")
    counts: dict[str, int] = Field(description="candidates by status")
    rejected_before: int = Field(description="candidates turned away before any stage")
    stages: list[StageProgress] = Field(description="in their order")
    running: list[RunningTrajectory] = Field(default_factory=list, description="units being computed")
    failed: list[FailedCandidate] = Field(default_factory=list, description="candidates that failed, by name")
    n_workers: int | None = Field(default=None, description="worker processes of the driver")
    elapsed_s: float | None = Field(default=None, description="time since the driver started, in s")
    units_per_hour: float | None = Field(default=None, description="units finished by this driver, per hour")
    remaining_s: float | None = Field(
        default=None, description="estimated time left in s, from the times of the units so far; None if unknown"
    )
    remaining_is_lower_bound: bool = Field(
        default=False, description="whether a stage of which no unit was finished yet is left out of the time"
    )
    engine: EngineStatus | None = Field(
        default=None, description="what the engine of a cluster tells, where one is used"
    )


class StatusReader:
    """Reads the status of one campaign again and again; rows that have not changed are read once.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    collections : CampaignCollections
        The store.
    project : ProjectFolder or None
        Where its driver leaves its heartbeat; None to read the store alone.
    """

    def __init__(self, campaign_id: str, collections: CampaignCollections, project: ProjectFolder | None) -> None:
        self.campaign_id = campaign_id
        self.collections = collections
        self.folder = None if project is None else campaign_folder(project, campaign_id)
        self._rows: dict[str, dict[str, Any]] = {}
        self._newest: datetime | None = None
        self._file: tuple[str, CampaignFile | None] | None = None
        self._engine: QueueEngine | None = None

    def close(self) -> None:
        """Let go of the engine's connection."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def read(self) -> CampaignStatus:
        """Read the status of now.

        Returns
        -------
        CampaignStatus
            Counts, running units, throughput, time left.

        Raises
        ------
        SettingsError
            If there is no such campaign.
        """
        record = self.collections.load_campaign(self.campaign_id)
        if record is None:
            raise SettingsError(f"There is no campaign {self.campaign_id} in this store.")
        if self._file is None or self._file[0] != record.file_text:
            try:
                self.close()
                self._file = (record.file_text, prepare_campaign(record, store=self.collections.jobs).file)
            except SettingsError:
                # Imported, or of another version: its rows can be counted all the same.
                self._file = (record.file_text, None)
        file = self._file[1]
        self._read_rows()
        rows = list(self._rows.values())
        is_driven = self.folder is not None and is_being_driven(self.folder)
        beat = None if self.folder is None else read_heartbeat(self.folder)
        counts = Counter(row["status"] for row in rows)
        stages = _stages(rows, file, beat)
        left = any(counts[status] for status in ("waiting", "running", "held"))
        state: Literal["running", "paused", "idle", "finished"] = "idle" if left else "finished"
        if is_driven:
            state = "running"
        elif record.paused:
            state = "paused"
        status = CampaignStatus(
            campaign_id=self.campaign_id,
            state=state,
            n_candidates=len(rows),
            counts=dict(sorted(counts.items())),
            rejected_before=sum(row["status"] == "rejected" and not row["units"] for row in rows),
            stages=stages,
            failed=sorted(
                (
                    FailedCandidate(label=row["label"], stage=row["stage"], reason=_one_line(row["reason"]))
                    for row in rows
                    if row["status"] == "failed"
                ),
                key=lambda candidate: candidate.label,
            ),
        )
        if beat is not None:
            status = _with_driver(status, beat, file, is_driven)
        if file is None or file.dispatch.is_local:
            return status
        engine = self._read_engine(file, is_driven)
        if engine.problem is None:
            status = status.model_copy(update=self._as_engine_tells(status, set(engine.running_units)))
        is_coming = bool(engine.units.get("queued")) and engine.standstill is None
        is_at_work = bool(engine.units.get("running")) or is_coming
        return status.model_copy(
            update={
                "engine": engine,
                # Without a coordinator, too, the queue goes on.
                "state": "running" if status.state == "idle" and is_at_work else status.state,
                "running": [],
                "n_workers": None,
            }
        )

    def _as_engine_tells(self, status: CampaignStatus, running_units: set[str]) -> dict[str, Any]:
        """Say what runs now: rows tell what the coordinator saw last, and it may be gone."""
        stages, counts = {stage.stage: stage.model_copy() for stage in status.stages}, Counter(status.counts)
        for row in self._rows.values():
            for name, (state, keys) in row["units"].items():
                now = "running" if running_units & set(keys) else "waiting"
                if state in ("waiting", "running") and now != state and name in stages:
                    stages[name] = stages[name].model_copy(
                        update={
                            state: getattr(stages[name], state) - 1,
                            now: getattr(stages[name], now) + 1,
                        }
                    )
                    if row["status"] == state:
                        counts[state] -= 1
                        counts[now] += 1
        return {"stages": list(stages.values()), "counts": {name: n for name, n in sorted(counts.items()) if n}}

    def _read_engine(self, file: CampaignFile, is_driven: bool) -> EngineStatus:
        """Ask the engine of the campaign's cluster; say so where it cannot be asked."""
        units = {
            key: (stage, row["label"], state)
            for row in self._rows.values()
            for stage, (state, keys) in row["units"].items()
            for key in keys
        }
        try:
            self._engine = self._engine or file.dispatch.open_engine(self.collections)
            return read_engine(self._engine, self.campaign_id, units, coordinator_lives=is_driven)
        except (SuperionError, PyMongoError) as error:
            self.close()
            words = str(error) if isinstance(error, SuperionError) else f"its database says {type(error).__name__}"
            coordinator: Literal["alive", "absent"] = "alive" if is_driven else "absent"
            return EngineStatus(engine=file.dispatch.engine, coordinator=coordinator, problem=words)

    def _read_rows(self) -> None:
        """Read the rows that have changed since the last time."""
        criteria: dict[str, Any] = {"campaign_id": self.campaign_id}
        if self._newest is not None:
            # Rows of one millisecond may have come in two portions.
            criteria["updated_at"] = {"$gte": self._newest}
        for entry in self.collections.candidates.query(criteria, properties=_FIELDS):
            units = {name: (stage["state"], stage.get("stage_keys", ())) for name, stage in entry["stages"].items()}
            self._rows[entry["candidate_id"]] = {
                "status": entry["status"],
                "label": entry["label"],
                "stage": entry.get("stage"),
                "reason": entry.get("reason"),
                "units": units,
            }
            if self._newest is None or entry["updated_at"] > self._newest:
                self._newest = entry["updated_at"]


def _one_line(reason: str | None) -> str:
    """Take the first line of a reason; the rest is in the logs."""
    return (reason or "no reason is known").strip().splitlines()[0]


def _stages(rows: list[dict[str, Any]], file: CampaignFile | None, beat: DriverHeartbeat | None) -> list[StageProgress]:
    """Count candidates by stage and state."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        for name, (state, _) in row["units"].items():
            found.setdefault(name, Counter())[state] += 1
    names = [entry.stage for entry in file.stages] if file is not None else list(found)
    stages = []
    for name in names:
        timing = beat.timings.get(name) if beat is not None else None
        mean = timing.core_seconds / timing.n_units if timing is not None and timing.n_units else None
        stages.append(StageProgress(stage=name, **found.get(name, Counter()), core_seconds_per_unit=mean))
    return stages


def _with_driver(
    status: CampaignStatus, beat: DriverHeartbeat, file: CampaignFile | None, is_driven: bool
) -> CampaignStatus:
    """Add what the driver tells: running units, throughput, time left."""
    remaining, is_lower_bound = remaining_seconds(status.stages, file, beat.n_workers)
    update: dict[str, Any] = {"remaining_s": remaining, "remaining_is_lower_bound": is_lower_bound}
    if is_driven:
        elapsed = time.time() - beat.started_at
        update |= {
            "running": [_trajectory(unit) for unit in beat.running],
            "n_workers": beat.n_workers,
            "elapsed_s": elapsed,
            "units_per_hour": 3600.0 * beat.n_finished / elapsed if elapsed > 0 else None,
        }
    return status.model_copy(update=update)


def _trajectory(unit: RunningUnit) -> RunningTrajectory:
    """Read the heartbeats of a unit's trajectories."""
    beats = []
    for path in Path(unit.folder).glob("progress/*.json"):
        try:
            beats.append(MdProgress.model_validate(json.loads(path.read_text(encoding="utf-8"))["progress"]))
        except (OSError, ValueError, KeyError, ValidationError):
            # Gone with its unit, in this very moment.
            continue
    return RunningTrajectory(
        stage=unit.stage,
        label=unit.label,
        elapsed_s=max(0.0, time.time() - unit.started_at),
        completed_ps=sum(beat.completed_ps for beat in beats) if beats else None,
        requested_ps=sum(beat.requested_ps for beat in beats) if beats else None,
    )


def remaining_seconds(
    stages: list[StageProgress], file: CampaignFile | None, n_workers: int
) -> tuple[float | None, bool]:
    """Estimate the time left: expected units of each stage, times what such a unit took so far, over the workers.

    Who passes a stage later is taken to be as many as passed so far, and no more than its rules can let through.

    Parameters
    ----------
    stages : list of StageProgress
        Counts and mean times, in the order of the stages.
    file : CampaignFile or None
        The campaign, for rules that keep the best.
    n_workers : int
        Worker processes.

    Returns
    -------
    seconds : float or None
        None where no stage that has work left has shown its speed.
    is_lower_bound : bool
        Whether some stage with work left had to be left out.
    """
    entries = {entry.stage: entry for entry in file.stages} if file is not None else {}
    core_seconds, arriving, is_lower_bound, any_known = 0.0, 0.0, False, False
    for stage in stages:
        todo = arriving + stage.waiting + stage.running
        over = stage.passed + stage.rejected + stage.failed
        arriving = todo * (stage.passed / over if over else 1.0) + stage.held
        for rule in entries[stage.stage].rules if stage.stage in entries else ():
            number = rule.number_kept(round(todo + over + stage.held))
            if number is not None:
                arriving = min(arriving, max(0, number - stage.passed))
        if not todo:
            continue
        if stage.core_seconds_per_unit is None:
            is_lower_bound = True
        else:
            any_known = True
            core_seconds += todo * stage.core_seconds_per_unit
    if not any_known:
        return (None, True) if is_lower_bound else (0.0, False)
    return core_seconds / n_workers, is_lower_bound
