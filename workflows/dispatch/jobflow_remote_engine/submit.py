"""Handing flows over to jobflow-remote, many in a few round trips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jobflow import Flow
from jobflow.core.flow import get_flow
from jobflow.core.reference import find_and_get_references
from jobflow_remote.jobs.data import get_initial_flow_doc_dict, get_initial_job_doc_dict
from jobflow_remote.remote.data import check_additional_stores
from pymongo.errors import BulkWriteError

from ....errors import SettingsError
from ....runtime.resource_kind import resource_kind_of, resource_kinds
from ..queue_engine import UnitTicket
from .connection import Queue
from .generated import WORKERS
from .records import MARK
from .worker_names import worker_name

AT_A_TIME = 100
"""Units in one message to the server."""

_DUPLICATE_KEY = 11000


def ensure_unit_indexes(controller: Queue) -> None:
    """Index flows by what units are found by; two flows of one unit cannot be.

    Parameters
    ----------
    controller : Queue
        The queue.
    """
    only_units = {f"{MARK}.stage_key": {"$exists": True}}
    controller.flows.create_index(f"{MARK}.stage_key", unique=True, partialFilterExpression=only_units)
    controller.flows.create_index(f"{MARK}.campaign_ids")


def submit_units(
    controller: Queue,
    cluster: str,
    units: Iterable[tuple[UnitTicket, Flow]],
    resources: Mapping[str, dict[str, Any]] | None = None,
) -> list[str]:
    """Hand units over; those that are there already are left as they are, and noted as wanted by this campaign, too.

    Parameters
    ----------
    controller : Queue
        The queue.
    cluster : str
        Cluster whose workers take them.
    units : iterable of tuple of UnitTicket and Flow
        The units.
    resources : mapping or None
        By kind of job, what to ask of the queue where that differs from the project's workers.

    Returns
    -------
    list of str
        Keys of the new ones.

    Raises
    ------
    SettingsError
        If the project has no worker, or no additional store, that a job needs.
    """
    new: list[str] = []
    some: list[tuple[UnitTicket, Flow]] = []
    for unit in units:
        some.append(unit)
        if len(some) == AT_A_TIME:
            new += _submit_some(controller, cluster, some, resources or {})
            some = []
    return new + (_submit_some(controller, cluster, some, resources or {}) if some else [])


def _submit_some(
    controller: Queue,
    cluster: str,
    units: Sequence[tuple[UnitTicket, Flow]],
    resources: Mapping[str, dict[str, Any]],
) -> list[str]:
    by_key = {ticket.stage_key: (ticket, flow) for ticket, flow in units}
    key_field = f"{MARK}.stage_key"
    there = {
        document["metadata"]["superion"]["stage_key"]: document
        for document in controller.flows.find({key_field: {"$in": list(by_key)}}, {MARK: 1})
    }
    _join(controller, {key: by_key[key][0] for key in there}, there)
    fresh = {key: unit for key, unit in by_key.items() if key not in there}
    if not fresh:
        return []
    prepared = {key: _prepare(controller, cluster, flow, resources) for key, (_, flow) in fresh.items()}
    n_jobs = sum(len(list(flow.iterflow())) for flow in prepared.values())
    counter = controller.auxiliary.find_one_and_update({"next_id": {"$exists": True}}, {"$inc": {"next_id": n_jobs}})
    number = counter["next_id"]
    flow_documents, job_documents = [], []
    for key, flow in prepared.items():
        jobs = []
        for job, parents in flow.iterflow():
            db_id = f"{controller.project.queue.db_id_prefix or ''}{number}"
            number += 1
            worker = worker_name(cluster, resource_kind_of(job))
            jobs.append(get_initial_job_doc_dict(job, parents, db_id, worker, None, None, 0))
        document = get_initial_flow_doc_dict(flow, jobs)
        document["metadata"]["superion"] = _mark(fresh[key][0], flow)
        flow_documents.append(document)
        job_documents.append(jobs)
    # The flow comes first: a job without its flow would confuse the runner.
    refused = _insert(controller, flow_documents)
    kept = [i for i in range(len(flow_documents)) if i not in refused]
    if kept:
        controller.jobs.insert_many([job for i in kept for job in job_documents[i]])
    keys = list(prepared)
    lost = {keys[i]: fresh[keys[i]][0] for i in refused}
    if lost:
        # Another coordinator was quicker by an instant.
        _join(controller, lost, {})
    return [keys[i] for i in kept]


def _join(controller: Queue, tickets: Mapping[str, UnitTicket], there: Mapping[str, Any]) -> None:
    """Note that campaigns want units that are there already."""
    by_campaign: dict[str, list[str]] = {}
    for key, ticket in tickets.items():
        mark = there.get(key, {}).get("metadata", {}).get("superion", {})
        if ticket.campaign_id not in (mark.get("campaign_ids") or ()):
            by_campaign.setdefault(ticket.campaign_id, []).append(key)
    for campaign_id, keys in by_campaign.items():
        controller.flows.update_many(
            {f"{MARK}.stage_key": {"$in": keys}}, {"$addToSet": {f"{MARK}.campaign_ids": campaign_id}}
        )


def _insert(controller: Queue, documents: list[dict[str, Any]]) -> set[int]:
    """Insert flows; give the positions of those whose unit was there already."""
    try:
        controller.flows.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failures = (error.details or {}).get("writeErrors", [])
        if any(failure["code"] != _DUPLICATE_KEY for failure in failures):
            raise
        return {failure["index"] for failure in failures}
    return set()


def _prepare(controller: Queue, cluster: str, flow: Flow, resources: Mapping[str, dict[str, Any]]) -> Flow:
    """Send each job of a flow to the worker of its kind."""
    # What units share lies in the store by now: it is of another flow.
    ready = get_flow(flow, allow_external_references=True)
    own = {
        kind: {"worker": worker_name(cluster, kind)} | ({"resources": resources[kind]} if kind in resources else {})
        for kind in resource_kinds()
    }
    # The jobs that a job makes while it runs come with its settings: they must not ask for what only its kind needs.
    others = {kind: _with_resources(controller, config) if resources else config for kind, config in own.items()}
    for job, _ in ready.iterflow():
        kind = resource_kind_of(job)
        worker = own[kind]["worker"]
        if worker not in controller.project.workers:
            raise SettingsError(
                f"The jobflow-remote project {controller.project.name} has no worker {worker} for the job {job.name}: "
                f"write the project anew for this cluster with `superion cluster init`."
            )
        missing = check_additional_stores(job, controller.jobstore)
        if missing:
            raise SettingsError(
                f"The job store of the jobflow-remote project {controller.project.name} has no additional store "
                f"{missing[0]!r}, which the job {job.name} needs: add it to the project file."
            )
        changes = {f"manager_config->{key}": value for key, value in (own[kind] | {WORKERS: others}).items()}
        job.update_config({"_set": changes}, dict_mod=True, dynamic=False)
    return ready


def _with_resources(controller: Queue, config: dict[str, Any]) -> dict[str, Any]:
    """Say what to ask of the queue where nobody said it: what the project's worker asks."""
    worker = controller.project.workers.get(config["worker"])
    return {"resources": (worker and worker.resources) or {}} | config


def _mark(ticket: UnitTicket, flow: Flow) -> dict[str, Any]:
    references = find_and_get_references(flow.output) if flow.output is not None else ()
    last = next(iter(references)).uuid if references else flow.job_uuids[-1]
    return {
        "stage_key": ticket.stage_key,
        "campaign_ids": [ticket.campaign_id],
        "stage": ticket.stage,
        "candidate_id": ticket.candidate_id,
        "label": ticket.label,
        "last_job": last,
    }
