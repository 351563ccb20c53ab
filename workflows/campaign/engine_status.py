"""What the engine of a cluster says of a campaign: units by phase, jobs in hand, and what nobody has taken in yet."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from ...dynamics.results import MdProgress
from ..dispatch.queue_engine import QueuedUnit, QueueEngine

_OPEN_STATES = ("waiting", "running", "held")


class RunningJobStatus(BaseModel):
    """A job that a worker of the cluster has in hand."""

    stage: str = Field(description="name of the stage")
    label: str = Field(description="name of the material")
    job: str = Field(description="name of the job")
    engine_id: str = Field(description="the engine's number of it")
    queue_id: str | None = Field(default=None, description="number of its allocation in the queue")
    host: str | None = Field(default=None, description="host")
    elapsed_s: float | None = Field(default=None, description="time since it started, in s")
    silent_s: float | None = Field(
        default=None, description="time since its last word, in s; None where it has not told anything yet"
    )
    completed_ps: float | None = Field(default=None, description="length of its trajectory so far, in ps")
    requested_ps: float | None = Field(default=None, description="greatest length of its trajectory, in ps")
    ps_per_hour: float | None = Field(default=None, description="its speed, in ps per hour")


class EngineStatus(BaseModel):
    """A campaign in its engine."""

    engine: str = Field(description="name of the engine")
    units: dict[str, int] = Field(default_factory=dict, description="units by phase")
    running: list[RunningJobStatus] = Field(default_factory=list, description="jobs that workers have in hand")
    n_not_taken_in: int = Field(
        default=0, description="units that are over in the engine and that the rows do not tell of yet"
    )
    coordinator: Literal["alive", "absent"] = Field(
        description="whether a coordinator on this machine takes results in and hands new units over"
    )
    running_units: list[str] = Field(
        default_factory=list, exclude=True, description="stage keys of units of which a worker has a job in hand"
    )
    standstill: str | None = Field(default=None, description="why nobody works on what waits")
    problem: str | None = Field(default=None, description="why the engine could not be asked")


def read_engine(
    engine: QueueEngine, campaign_id: str, units: Mapping[str, tuple[str, str, str]], *, coordinator_lives: bool
) -> EngineStatus:
    """Ask an engine for a campaign.

    Parameters
    ----------
    engine : QueueEngine
        The engine.
    campaign_id : str
        The campaign.
    units : mapping of str to tuple of str
        By stage key: stage, label, and the state that the row tells.
    coordinator_lives : bool
        Whether a coordinator is at work.

    Returns
    -------
    EngineStatus
        The status.
    """
    queued = engine.units(campaign_id)
    beats = engine.progress([job.uuid for unit in queued.values() for job in unit.running])
    running = []
    for key, unit in queued.items():
        stage, label, _ = units.get(key, (unit.stage, unit.label or key[:12], ""))
        for job in unit.running:
            beat = beats.get(job.uuid)
            trajectory = beat.progress if beat is not None and isinstance(beat.progress, MdProgress) else None
            running.append(
                RunningJobStatus(
                    stage=stage,
                    label=label,
                    job=job.name,
                    engine_id=job.engine_id,
                    queue_id=job.queue_id,
                    host=job.host,
                    elapsed_s=_since(job.started_at),
                    silent_s=None if beat is None else _since(beat.written_at),
                    completed_ps=None if trajectory is None else trajectory.completed_ps,
                    requested_ps=None if trajectory is None else trajectory.requested_ps,
                    ps_per_hour=None if trajectory is None else trajectory.ps_per_hour,
                )
            )
    return EngineStatus(
        engine=engine.name,
        units=phases_of(queued),
        running=running,
        n_not_taken_in=sum(
            unit.phase in ("finished", "failed") and key in units and units[key][2] in _OPEN_STATES
            for key, unit in queued.items()
        ),
        running_units=[key for key, unit in queued.items() if unit.phase == "running"],
        coordinator="alive" if coordinator_lives else "absent",
        standstill=engine.standstill(campaign_id, coordinator_lives=coordinator_lives),
    )


def _since(instant: float | None) -> float | None:
    """Give the time since an instant, in s; the clocks of two hosts may differ a little."""
    return None if instant is None else max(0.0, time.time() - instant)


def phases_of(units: Mapping[str, QueuedUnit]) -> dict[str, int]:
    """Count units by phase.

    Parameters
    ----------
    units : mapping of str to QueuedUnit
        What an engine tells.

    Returns
    -------
    dict of str to int
        Counts, of phases that occur.
    """
    return dict(sorted(Counter(str(unit.phase) for unit in units.values()).items()))
