"""Units and jobs as the queue's database knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jobflow import OnMissing
from jobflow_remote.jobs.state import JobState

from .connection import Queue

MARK = "metadata.superion"
"""Where a flow's document says which unit it is."""

LOOKED_UP_AT_A_TIME = 20_000
"""Uuids in one query: below the greatest size of a message to the server."""

_FLOW_FIELDS = ("uuid", "state", "ids", "created_on", "lock_id", MARK)
_JOB_FIELDS = (
    "uuid",
    "index",
    "db_id",
    "state",
    "parents",
    "worker",
    "run_dir",
    "remote.process_id",
    "remote.error",
    "remote.queue_err",
    "error",
    "previous_state",
    "start_time",
    "updated_on",
    "job.name",
    "job.config.on_missing_references",
)


@dataclass(frozen=True)
class JobRecord:
    """One job of a unit.

    Parameters
    ----------
    uuid, index, db_id : str, int, str
        Its identity; a continuation keeps the uuid and raises the index.
    name : str
        Name of the job.
    state : JobState
        jobflow-remote's word.
    parents : tuple of str
        Uuids of the jobs that it waits for.
    is_tolerant : bool
        Whether it takes missing inputs.
    worker : str
        Name of its worker.
    run_dir : str or None
        Its folder on the worker.
    process_id : str or None
        Number in the queue.
    error : str
        Traceback or words of the runner; empty where all is well.
    queue_words : str
        What the queue printed about it, where the runner kept that.
    previous_state : JobState or None
        State before a remote error.
    started_at, updated_at : float or None
        Times in s since 1970.
    """

    uuid: str
    index: int
    db_id: str
    name: str
    state: JobState
    parents: tuple[str, ...] = ()
    is_tolerant: bool = False
    worker: str = ""
    run_dir: str | None = None
    process_id: str | None = None
    error: str = ""
    queue_words: str = ""
    previous_state: JobState | None = None
    started_at: float | None = None
    updated_at: float | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> JobRecord:
        """Read a document of the jobs' collection.

        Parameters
        ----------
        document : mapping
            At least the fields that `load_units` asks for.

        Returns
        -------
        JobRecord
            The job.
        """
        remote = document.get("remote") or {}
        before = document.get("previous_state")
        config = (document.get("job") or {}).get("config") or {}
        return cls(
            uuid=document["uuid"],
            index=document["index"],
            db_id=document["db_id"],
            name=(document.get("job") or {}).get("name") or "",
            state=JobState(document["state"]),
            parents=tuple(document.get("parents") or ()),
            is_tolerant=config.get("on_missing_references", OnMissing.ERROR.value) != OnMissing.ERROR.value,
            worker=document.get("worker") or "",
            run_dir=document.get("run_dir"),
            process_id=remote.get("process_id"),
            error=document.get("error") or remote.get("error") or "",
            queue_words=remote.get("queue_err") or "",
            previous_state=JobState(before) if before else None,
            started_at=_seconds(document.get("start_time")),
            updated_at=_seconds(document.get("updated_on")),
        )


@dataclass(frozen=True)
class UnitRecord:
    """One unit: a flow with its jobs.

    Parameters
    ----------
    stage_key : str
        Key of the unit.
    flow_uuid : str
        The flow.
    flow_state : str
        jobflow-remote's word.
    stage : str
        Name of the stage, or what shared work makes.
    material : str
        Name of the material, or what shared work is about.
    last_job : str
        Uuid of the job whose output is the unit's document.
    campaign_ids : tuple of str
        Campaigns that want it.
    is_cancelled : bool
        Whether somebody took it back.
    put_back : dict of str to int
        How often recovery put each job back, by uuid.
    retried : dict of str to int
        How often it let the runner take its last step once more, by uuid.
    n_jobs : int
        Number of its jobs.
    created_at : float
        When it was submitted, in s since 1970.
    jobs : tuple of JobRecord
        Its jobs, in the order of submission; not loaded where the flow is completed.
    """

    stage_key: str
    flow_uuid: str
    flow_state: str
    stage: str = ""
    material: str = ""
    last_job: str = ""
    campaign_ids: tuple[str, ...] = ()
    is_cancelled: bool = False
    put_back: Mapping[str, int] = field(default_factory=dict)
    retried: Mapping[str, int] = field(default_factory=dict)
    n_jobs: int = 0
    created_at: float = 0.0
    jobs: tuple[JobRecord, ...] = ()

    @property
    def label(self) -> str:
        """Stage and material, for sentences."""
        return f"{self.stage} of {self.material}"

    @property
    def latest(self) -> dict[str, JobRecord]:
        """By uuid, the job with the highest index: what it was replaced by counts."""
        return {job.uuid: job for job in sorted(self.jobs, key=lambda job: job.index)}

    def with_jobs(self, jobs: Iterable[JobRecord]) -> UnitRecord:
        """Give the same unit with its jobs.

        Parameters
        ----------
        jobs : iterable of JobRecord
            Its jobs.

        Returns
        -------
        UnitRecord
            A copy.
        """
        return UnitRecord(**{**self.__dict__, "jobs": tuple(jobs)})


def load_units(
    controller: Queue,
    campaign_id: str,
    stage_keys: Iterable[str] | None = None,
    *,
    with_completed: bool = False,
) -> list[UnitRecord]:
    """Load units in two round trips, however many there are.

    Parameters
    ----------
    controller : Queue
        The queue.
    campaign_id : str
        The campaign.
    stage_keys : iterable of str or None
        Only these; None for all.
    with_completed : bool
        Whether to load the jobs of completed flows, too.

    Returns
    -------
    list of UnitRecord
        In the order of submission.
    """
    query: dict[str, Any] = {f"{MARK}.campaign_ids": campaign_id}
    if stage_keys is not None:
        query[f"{MARK}.stage_key"] = {"$in": list(stage_keys)}
    units: list[UnitRecord] = []
    uuids: dict[str, str] = {}
    for document in controller.flows.find(query, dict.fromkeys(_FLOW_FIELDS, 1)):
        unit = _unit_of(document)
        if with_completed or unit.flow_state != "COMPLETED":
            uuids |= {uuid: unit.flow_uuid for _, uuid, _ in document["ids"]}
        units.append(unit)
    jobs: dict[str, list[JobRecord]] = {}
    for some in _batched(list(uuids), LOOKED_UP_AT_A_TIME):
        for document in controller.jobs.find({"uuid": {"$in": some}}, dict.fromkeys(_JOB_FIELDS, 1)):
            jobs.setdefault(uuids[document["uuid"]], []).append(JobRecord.from_document(document))
    loaded = [unit.with_jobs(sorted(jobs.get(unit.flow_uuid, ()), key=_order)) for unit in units]
    return sorted(loaded, key=lambda unit: unit.created_at)


def _unit_of(document: Mapping[str, Any]) -> UnitRecord:
    mark = document["metadata"]["superion"]
    return UnitRecord(
        stage_key=mark["stage_key"],
        flow_uuid=document["uuid"],
        flow_state=document["state"],
        stage=mark.get("stage", ""),
        material=mark.get("label", ""),
        last_job=mark["last_job"],
        campaign_ids=tuple(mark.get("campaign_ids") or ()),
        is_cancelled=bool(mark.get("is_cancelled")),
        put_back=mark.get("put_back") or {},
        retried=mark.get("retried") or {},
        # A runner that dies while it adds a continuation names it twice.
        n_jobs=len({(uuid, index) for _, uuid, index in document["ids"]}),
        created_at=_seconds(document.get("created_on")) or 0.0,
    )


def _order(job: JobRecord) -> tuple[int, str]:
    digits = "".join(letter for letter in job.db_id if letter.isdigit())
    return int(digits or 0), job.db_id


def _seconds(moment: datetime | None) -> float | None:
    """Take a time of the database, in UTC though it does not say so."""
    return None if moment is None else moment.replace(tzinfo=UTC).timestamp()


def _batched(items: list[str], size: int) -> Iterable[list[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
