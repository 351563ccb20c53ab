"""The provenance of a document that a job makes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from jobflow import CURRENT_JOB, Job
from pymatgen.core import Structure

from ..database.documents import Provenance
from ..database.provenance import collect_provenance
from ..potentials.specification import PotentialProvenance
from ..structures.fingerprint import structure_fingerprint
from .timed_job import current_usage

ENGINE_VARIABLE = "SUPERION_ENGINE"
"""Environment variable by which a launcher says what engine it belongs to."""

ENGINE_ID_VARIABLE = "SUPERION_ENGINE_ID"
"""Environment variable with the engine's number of the job, where the job's metadata do not hold it."""

_QUEUE_IDS = ("SLURM_JOB_ID", "PBS_JOBID")


def job_provenance(
    structure: Structure | None = None, potential: PotentialProvenance | None = None, seeds: Iterable[int] = ()
) -> Provenance:
    """Collect where a document comes from: the running job, its allocation, its engine, and what it took until now.

    Parameters
    ----------
    structure : Structure or None
        The structure that the numbers are of; None where they are of no single one.
    potential : PotentialProvenance or None
        The potential behind them.
    seeds : iterable of int
        Seeds of all random streams used.

    Returns
    -------
    Provenance
        Ready to be stored.
    """
    job = CURRENT_JOB.job
    return collect_provenance(
        potential=potential,
        seeds=sorted(set(seeds)),
        structure_fingerprint=None if structure is None else structure_fingerprint(structure),
        campaign_id=None if job is None else job.metadata.get("campaign_id"),
        job_uuid=None if job is None else job.uuid,
        origin=_allocation() | _engine(job) | _times(),
    )


def _allocation() -> dict[str, str | float | None]:
    """Name the allocation of the queue."""
    return {"queue_job_id": next((os.environ[name] for name in _QUEUE_IDS if os.environ.get(name)), None)}


def _engine(job: Job | None) -> dict[str, str | float | None]:
    """Name the engine, and its number of the job."""
    metadata = {} if job is None else job.metadata
    engine = os.environ.get(ENGINE_VARIABLE) or metadata.get("engine")
    number = os.environ.get(ENGINE_ID_VARIABLE)
    for field, name in (("fw_id", "fireworks"), ("db_id", "jobflow_remote")):
        if number is None and metadata.get(field) is not None:
            engine, number = engine or name, str(metadata[field])
    if number is None and (document := _document_of_jobflow_remote()) is not None:
        engine, number = engine or "jobflow_remote", str(document)
    return {"engine": engine, "engine_id": number}


def _document_of_jobflow_remote() -> str | None:
    """Ask jobflow-remote, where it runs this job, for its number."""
    module = sys.modules.get("jobflow_remote.jobs.run")
    document = None if module is None else module.JfrState().job_doc
    return None if document is None else str(document.db_id)


def _times() -> dict[str, str | float | None]:
    """Say what the job took until now; nothing for a job that nobody measures."""
    usage = current_usage()
    return {} if usage is None else usage.model_dump(exclude={"host"})
