"""A running job leaves word of how far it is, where a launcher listens."""

from __future__ import annotations

import json

import pytest
from jobflow import run_locally
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from superion.database.documents import RelaxDoc
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.dynamics.results import MdProgress
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.makers.relax import RelaxMaker
from superion.runtime import heartbeat
from superion.runtime.heartbeat import PROGRESS_FOLDER_VARIABLE, RelaxationProgress, heartbeat_writer, read_heartbeat
from superion.runtime.stop_criteria import StopCriteria


@pytest.fixture
def listened(tmp_path, monkeypatch):
    """A folder where a launcher listens."""
    folder = tmp_path / "progress"
    monkeypatch.setenv(PROGRESS_FOLDER_VARIABLE, str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def candidate(cosine_system):
    structure = AseAtomsAdaptor.get_structure(cosine_system.atoms)
    structure.perturb(0.2)
    return PrepareMaker.make.original(PrepareMaker(), structure, "cosine")


def test_a_relaxation_tells_every_step(cosine_system, candidate, listened, monkeypatch):
    told = []
    whole = heartbeat.write_text_atomically

    def keep(path, text, *, durable):
        told.append(json.loads(text)["progress"])
        whole(path, text, durable=durable)

    monkeypatch.setattr(heartbeat, "write_text_atomically", keep)
    monkeypatch.setattr("superion.makers.relax.heartbeat_writer", lambda: heartbeat_writer(0.0))
    maker = RelaxMaker(potential=cosine_system.specification, relax_cell=False, checkpoint_root=str(listened / "kept"))
    work = maker.make(candidate)
    document = run_locally(work, log=False, ensure_success=True)[work.uuid][1].output
    assert isinstance(document, RelaxDoc)
    assert document.converged
    assert [beat["step"] for beat in told] == list(range(document.n_steps + 1))
    assert told[0]["max_force_ev_per_angstrom"] > 10 * told[-1]["max_force_ev_per_angstrom"]
    last = read_heartbeat(listened / f"{work.uuid}.json").progress
    assert isinstance(last, RelaxationProgress)
    assert last.max_force_ev_per_angstrom == pytest.approx(document.max_force_ev_per_angstrom)
    assert (last.maximum_steps, last.force_tolerance_ev_per_angstrom) == (500, 0.03)


def test_listening_changes_no_relaxation(cosine_system, candidate, listened, monkeypatch):
    heard, alone = (
        RelaxMaker(potential=cosine_system.specification, relax_cell=False, checkpoint_root=str(listened / kept)).make(
            candidate
        )
        for kept in ("one", "another")
    )
    first = run_locally(heard, log=False, ensure_success=True)[heard.uuid][1].output
    monkeypatch.delenv(PROGRESS_FOLDER_VARIABLE)
    second = run_locally(alone, log=False, ensure_success=True)[alone.uuid][1].output
    assert Structure.from_dict(first.structure) == Structure.from_dict(second.structure)
    assert (listened / f"{heard.uuid}.json").exists()
    assert not (listened / f"{alone.uuid}.json").exists()


def test_a_trajectory_tells_its_length(cosine_system, candidate, listened):
    maker = MdMaker(
        potential=cosine_system.specification,
        protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
        limits=RunLimits(duration_ps=0.4),
        stop=StopCriteria(target_relative_error=None),
        checkpoint_root=str(listened / "kept"),
    )
    work = maker.make(candidate, 500.0)
    run_locally(work, log=False, ensure_success=True)
    last = read_heartbeat(listened / f"{work.uuid}.json").progress
    assert isinstance(last, MdProgress)
    assert last.completed_ps == last.requested_ps == pytest.approx(0.4)


def test_nobody_listens(monkeypatch):
    monkeypatch.delenv(PROGRESS_FOLDER_VARIABLE, raising=False)
    assert heartbeat_writer() is None
