"""A continuation goes on from its checkpoint, or says where that is."""

from __future__ import annotations

import shutil

import pytest
from jobflow import Flow
from pymatgen.io.ase import AseAtomsAdaptor
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.errors import TrajectoryError
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.runtime.continuation import CheckpointPlace
from superion.runtime.stop_criteria import StopCriteria
from superion.workflows.dispatch.codec import decode_flow, encode_flow
from support.step_clock import let_steps_take


@pytest.fixture
def interrupted(tmp_path, cosine_system, monkeypatch):
    """The continuation of a run that its wall-time limit ended, and the place of its checkpoint."""
    let_steps_take(monkeypatch, 0.001)
    structure = AseAtomsAdaptor.get_structure(cosine_system.atoms)
    candidate = PrepareMaker.make.original(PrepareMaker(), structure, "cosine")
    maker = MdMaker(
        potential=cosine_system.specification,
        protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
        stop=StopCriteria(target_relative_error=None),
        limits=RunLimits(duration_ps=40.0, segment_ps=1.0, max_runtime_s=0.3),
        checkpoint_root=str(tmp_path / "trajectories"),
    )
    response = maker.make.original(maker, candidate, 900.0)
    (continuation,) = response.replace.jobs if isinstance(response.replace, Flow) else (response.replace,)
    return continuation


def test_the_place_travels_with_the_job(interrupted, tmp_path):
    again = decode_flow(encode_flow(interrupted))
    place = again.function_args[-1]
    assert isinstance(place, CheckpointPlace)
    assert place.folder.startswith(str(tmp_path))
    assert 0.0 < place.completed_ps < 40.0
    place.expect_here()


def test_a_checkpoint_on_another_disk_is_told_and_not_begun_anew(interrupted, tmp_path):
    (tmp_path / "trajectories").rename(tmp_path / "on another node")
    with pytest.raises(TrajectoryError, match="disk that all nodes share, or copy the folder"):
        interrupted.maker.make.original(interrupted.maker, *interrupted.function_args)
    assert not list(tmp_path.glob("trajectories/*"))
    # Once it is there, the job goes on.
    shutil.copytree(tmp_path / "on another node", tmp_path / "trajectories")
    place = interrupted.function_args[-1]
    response = interrupted.maker.make.original(interrupted.maker, *interrupted.function_args)
    assert response.output.run.completed_ps > place.completed_ps
    assert response.output.run.resumed_from_step > 0


def test_a_shorter_trajectory_of_the_same_name_on_another_node_is_told(interrupted):
    place = interrupted.function_args[-1]
    assert place.last_step > 0
    # The folder that this node has was left by an earlier part.
    elsewhere = place.model_copy(update={"host": "another-node", "last_step": place.last_step + 10})
    with pytest.raises(TrajectoryError, match=rf"another-node, with {elsewhere.last_step} steps.* is another one"):
        elsewhere.expect_here()
    # One that all nodes share has what is wanted, whoever wrote it.
    place.model_copy(update={"host": "another-node"}).expect_here()
