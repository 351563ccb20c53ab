"""Trajectories are found where they were made, also once their folder has become a project."""

from __future__ import annotations

import pytest
from pymatgen.io.ase import AseAtomsAdaptor
from superion.database.project import find_project
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.makers.relax import RelaxMaker
from superion.runtime.checkpoint_root import checkpoint_root_of, default_checkpoint_root
from superion.runtime.stop_criteria import StopCriteria
from superion.scripts.trajectory import find_trajectory


def call(maker, *args):
    """Run a job's body without jobflow around it."""
    return type(maker).make.original(maker, *args)


def md_maker(system, duration_ps):
    return MdMaker(
        potential=system.specification,
        protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
        limits=RunLimits(duration_ps=duration_ps, segment_ps=0.4),
        stop=StopCriteria(target_relative_error=None),
        checkpoint_root=str(default_checkpoint_root()),
    )


@pytest.fixture
def candidate(cosine_system):
    return call(PrepareMaker(), AseAtomsAdaptor.get_structure(cosine_system.atoms), "cosine")


def test_a_trajectory_made_before_the_project_is_continued(cosine_system, candidate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = call(md_maker(cosine_system, 0.4), candidate, 800.0).run
    assert first.folder == str(tmp_path / "superion_trajectories" / first.key)
    find_project(create=True)
    longer = call(md_maker(cosine_system, 0.8), candidate, 800.0).run
    assert (longer.folder, longer.resumed_from_step) == (first.folder, 100)
    assert find_trajectory(first.key[:10]) == tmp_path / "superion_trajectories" / first.key
    another = call(md_maker(cosine_system, 0.4), candidate, 900.0).run
    assert another.folder == str(tmp_path / ".superion" / "trajectories" / another.key)
    assert another.resumed_from_step == 0


def test_a_relaxation_made_before_the_project_is_found(cosine_system, candidate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    maker = RelaxMaker(potential=cosine_system.specification, relax_cell=False, maximum_steps=5)
    first = call(maker, candidate)
    (kept,) = (tmp_path / "superion_trajectories" / "relaxations").iterdir()
    stamp = kept.stat().st_mtime_ns
    find_project(create=True)
    again = call(maker, candidate)
    assert again.energy_ev == first.energy_ev
    assert kept.stat().st_mtime_ns == stamp
    assert not (tmp_path / ".superion" / "trajectories" / "relaxations").exists()


def test_the_project_comes_first_where_both_hold_an_entry(tmp_path):
    project, before = tmp_path / ".superion" / "trajectories", tmp_path / "superion_trajectories"
    (before / "key").mkdir(parents=True)
    assert checkpoint_root_of("key", project) == before
    (project / "key").mkdir(parents=True)
    assert checkpoint_root_of("key", project) == project


def test_a_folder_that_the_user_named_is_the_only_one(tmp_path):
    (tmp_path / "superion_trajectories" / "key").mkdir(parents=True)
    assert checkpoint_root_of("key", tmp_path / "mine") == tmp_path / "mine"
