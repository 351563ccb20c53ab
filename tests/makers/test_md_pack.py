"""A pack of trajectories: one job that advances them, one document for each."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import make_cosine_system
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from superion.database.documents import TrajectoryDoc
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.dynamics.trajectory import Trajectory
from superion.flows.md_pack import PackedMdMaker
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.runtime import stop_request
from superion.runtime.atoms import as_structure
from superion.runtime.heartbeat import PROGRESS_FOLDER_VARIABLE, read_heartbeat
from superion.runtime.resource_kind import resource_kind_of
from superion.runtime.stop_criteria import StopCriteria
from support.step_clock import let_steps_take

PLUGIN = Path(__file__).parents[1] / "support" / "langevin_plugin"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed engine that advances four at once, and no signal of an earlier test."""
    monkeypatch.syspath_prepend(PLUGIN)
    monkeypatch.setattr(stop_request, "_stop_was_requested", False)


@pytest.fixture
def candidates():
    from pymatgen.io.ase import AseAtomsAdaptor

    structures = [make_cosine_system(sites_per_edge=edge, repulsion_ev=0.0).atoms for edge in (3, 4)]
    return [
        PrepareMaker.make.original(PrepareMaker(), AseAtomsAdaptor.get_structure(atoms), f"cell {index}")
        for index, atoms in enumerate(structures)
    ]


def md_maker(root: Path, **limits) -> MdMaker:
    return MdMaker(
        potential=make_cosine_system(repulsion_ev=0.0).specification,
        protocol=MdSettings(engine="lattice_langevin", thermostat="langevin", time_step_fs=4.0, frame_interval_fs=40.0),
        limits=RunLimits(**{"duration_ps": 1.0, "segment_ps": 0.5} | limits),
        stop=StopCriteria(target_relative_error=None),
        checkpoint_root=str(root),
    )


def run(flow, folder: Path) -> tuple[dict, dict]:
    """Run a flow; give the last output of each job and the number of parts that it took, by its name."""
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    responses = run_locally(flow, store=store, root_dir=folder, log=False)
    uuids = {job.name: job.uuid for job, _ in flow.iterflow() if job.uuid in responses}
    outputs = {name: store.get_output(uuid, load=True) for name, uuid in uuids.items()}
    return outputs, {name: len(responses[uuid]) for name, uuid in uuids.items()}


def test_one_job_advances_them_and_each_has_its_document(candidates, tmp_path, monkeypatch):
    monkeypatch.setenv(PROGRESS_FOLDER_VARIABLE, str(tmp_path / "beats"))
    flow = PackedMdMaker(md=md_maker(tmp_path / "pack")).make(candidates, [700.0, 900.0, 1100.0])
    pack, *_ = (job for job, _ in flow.iterflow())
    assert resource_kind_of(pack) == "md"
    outputs, parts = run(flow, tmp_path)
    assert set(parts.values()) == {1}
    beat = read_heartbeat(tmp_path / "beats" / f"{pack.uuid}.json")
    assert beat.progress.completed_ps == beat.progress.requested_ps == pytest.approx(6.0)
    assert len({trajectory.key for trajectory in beat.trajectories}) == 6

    documents = [_document(outputs[name]) for name in outputs if name != "MD pack"]
    assert len(documents) == 3, "the jobs of a temperature have one name for both materials: the last one is kept"
    for document in documents:
        assert document.run.stop_reason == "max_length"
        assert document.run.resumed_from_step == 250, "the pack has run it, its own job repeats nothing"
        assert document.run.engine.name == document.protocol.engine == "lattice_langevin"
    last = documents[-1]
    assert (last.label, last.protocol.temperature_k, last.protocol.replica) == ("cell 1", 1100.0, 0)
    alone = MdMaker.make.original(md_maker(tmp_path / "alone"), candidates[1], 1100.0)
    assert alone.run.segments == last.run.segments


def _document(output: dict) -> TrajectoryDoc:
    return TrajectoryDoc.model_validate({name: value for name, value in output.items() if not name.startswith("@")})


def test_wall_time_continues_the_whole_pack(candidates, tmp_path, monkeypatch):
    """Stopped again and again, also before all have begun, it gives the trajectories of one piece."""
    let_steps_take(monkeypatch, 0.001)
    maker = md_maker(tmp_path / "pack", max_runtime_s=0.15)
    outputs, parts = run(PackedMdMaker(md=maker).make(candidates, [700.0, 900.0, 1100.0]), tmp_path)
    assert parts["MD pack"] > 2
    places = outputs["MD pack"]
    assert [place["last_step"] for place in places] == [250] * 6
    whole = MdMaker.make.original(md_maker(tmp_path / "whole"), candidates[1], 1100.0, 0)
    pieces = Trajectory(tmp_path / "pack" / whole.run.key)
    assert (pieces.positions() == Trajectory(whole.run.folder).positions()).all()


def test_one_that_is_refused_fails_its_own_job_and_no_other(candidates, tmp_path):
    foreign = as_structure(candidates[0].structure)
    foreign.replace_species({"Li": "Na"})
    foreign = candidates[0].model_copy(update={"structure": foreign.as_dict(), "mobile_ion": "Na"})
    flow = PackedMdMaker(md=md_maker(tmp_path / "pack")).make([candidates[0], foreign], [900.0])
    _, good, bad = (job for job, _ in flow.iterflow())
    bad.name = "refused"
    outputs, _ = run(flow, tmp_path)
    assert outputs["MD pack"][1] is None
    assert outputs[good.name]["run"]["state"] == "completed"
    assert "refused" not in outputs
