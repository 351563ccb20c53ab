"""Where a document comes from: allocation, engine, and what the job took."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from jobflow import Flow, JobStore, Maker, Response, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure
from superion.database.documents import CandidateDoc, Provenance
from superion.runtime.provenance import ENGINE_ID_VARIABLE, ENGINE_VARIABLE, job_provenance
from superion.runtime.timed_job import USAGE, JobUsage, current_usage, job, note_device

LIF = Structure(Lattice.cubic(4.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture(autouse=True)
def outside(monkeypatch):
    for name in (ENGINE_VARIABLE, ENGINE_ID_VARIABLE, "SLURM_JOB_ID", "PBS_JOBID"):
        monkeypatch.delenv(name, raising=False)


def document():
    return CandidateDoc(
        formula="LiF",
        label="salt",
        provenance=job_provenance(LIF),
        structure=LIF.as_dict(),
        mobile_ion="Li",
        ion_charge=1.0,
        mobile_ion_guessed=False,
        origin="a test",
        was_disordered=False,
    )


def work(seconds):
    """Keep one core busy."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(1000))


@dataclass
class BusyMaker(Maker):
    """Works, sleeps, and goes on in a second part."""

    name: str = "busy"
    device: str = "cpu"
    parts: int = 1

    @job(output_schema=CandidateDoc)
    def make(self):
        time.sleep(0.3)
        note_device(self.device)
        work(0.2)
        if self.parts > 1:
            return Response(output=None, replace=BusyMaker(device=self.device, parts=self.parts - 1).make())
        made = document()
        time.sleep(0.25)  # times are rounded to milliseconds
        return made


@dataclass
class QuickMaker(Maker):
    """Gives its document at once."""

    name: str = "quick"

    @job(output_schema=CandidateDoc)
    def make(self):
        return document()


def run(maker, metadata=None):
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    work = maker.make()
    work.update_metadata(metadata or {})
    run_locally(Flow([work]), store=store, ensure_success=True, log=False)
    return sorted(store.query({}), key=lambda entry: entry["index"])


def test_times_until_the_document_and_until_the_end():
    (stored,) = run(BusyMaker())
    provenance = Provenance.model_validate(stored["output"]["provenance"])
    assert provenance.wall_time_s >= 0.5
    assert 0.1 <= provenance.cpu_time_s <= provenance.wall_time_s + 0.1
    assert provenance.gpu_time_s == 0.0
    whole = JobUsage.model_validate(stored["metadata"][USAGE])
    assert whole.wall_time_s >= provenance.wall_time_s + 0.2
    assert whole.host == provenance.host
    assert current_usage() is None


def test_a_gpu_counts_from_when_it_is_held():
    (stored,) = run(BusyMaker(device="cuda:0"))
    provenance = stored["output"]["provenance"]
    assert 0.2 <= provenance["gpu_time_s"] <= provenance["wall_time_s"] - 0.25


def test_parts_have_their_own_times():
    """A continuation inherits the metadata of the part before, but not its times."""
    began = time.monotonic()
    first, second = run(BusyMaker(parts=2))
    elapsed_s = time.monotonic() - began
    assert first["output"] is None
    times_s = [entry["metadata"][USAGE]["wall_time_s"] for entry in (first, second)]
    assert min(times_s) >= 0.5
    assert sum(times_s) <= elapsed_s + 0.01
    assert second["output"]["provenance"]["wall_time_s"] <= second["metadata"][USAGE]["wall_time_s"]


def test_the_body_alone_is_measured_too():
    assert BusyMaker.make.original(BusyMaker()).provenance.wall_time_s >= 0.5
    outside = document().provenance
    assert (outside.wall_time_s, outside.cpu_time_s, outside.gpu_time_s) == (None, None, None)


@pytest.mark.parametrize(
    ("environment", "metadata", "expected"),
    [
        ({}, {}, (None, None, None)),
        ({"SLURM_JOB_ID": "71"}, {"fw_id": 12, "engine": "fireworks"}, ("71", "fireworks", "12")),
        ({"PBS_JOBID": "9.head"}, {"fw_id": 12}, ("9.head", "fireworks", "12")),
        ({}, {"db_id": "5"}, (None, "jobflow_remote", "5")),
        ({ENGINE_VARIABLE: "covalent", ENGINE_ID_VARIABLE: "a-7"}, {"fw_id": 1}, (None, "covalent", "a-7")),
    ],
)
def test_allocation_and_engine(monkeypatch, environment, metadata, expected):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (stored,) = run(QuickMaker(), metadata)
    provenance = stored["output"]["provenance"]
    assert (provenance["queue_job_id"], provenance["engine"], provenance["engine_id"]) == expected


def test_jobflow_remote_is_asked(monkeypatch):
    run_module = pytest.importorskip("jobflow_remote.jobs.run")
    from types import SimpleNamespace

    monkeypatch.setattr(run_module.JfrState(), "job_doc", SimpleNamespace(db_id="31"))
    (stored,) = run(QuickMaker())
    assert (stored["output"]["provenance"]["engine"], stored["output"]["provenance"]["engine_id"]) == (
        "jobflow_remote",
        "31",
    )


def test_documents_from_before_are_read():
    old = {"superion_version": "0.1", "host": "n1", "created_at": "2026-01-01T00:00:00Z"}
    assert Provenance.model_validate(old).wall_time_s is None
