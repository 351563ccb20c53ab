"""The active loop's decisions, and runs of students under the watch of a committee."""

from __future__ import annotations

from dataclasses import replace

import pytest
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.makers.active_loop import ActiveLoopMaker, ActiveLoopSettings
from superion.makers.explore import ExploreMaker, WatchSettings
from superion.makers.label import LabelMaker
from superion.makers.prepare import PrepareMaker
from superion.makers.sample_configurations import SampleConfigurationsMaker
from superion.potentials.mace_model import load_mace_model
from superion.potentials.model_file import write_model_file
from superion.potentials.training.labelled_frames import labels_of, read_labelled_frames, write_labelled_frames
from superion.potentials.training.records import Exploration, FrameSet, Student
from superion.runtime.frame_files import read_frame_set, write_frame_set
from superion.runtime.sampling_settings import SamplingSettings
from support.labelled_alloy import EMT, alloy_crystal, alloy_frames, labelled_alloy
from support.tiny_mace import build_tiny_mace

from superion.errors import TrainingError  # isort: skip


def call(maker, *args):
    """Run a job's body without jobflow around it."""
    return type(maker).make.original(maker, *args)


@pytest.fixture(scope="module")
def alloy():
    return call(PrepareMaker(mobile_ion="Cu", ion_charge=1.0), alloy_crystal(), "alloy")


@pytest.fixture
def dataset(tmp_path):
    return write_frame_set(labelled_alloy(20, tmp_path / "labels"), str(tmp_path))


def student(seed: int, path: str = "student.safetensors") -> Student:
    return Student(path=path, weights_sha256=f"{seed}", seed=seed, validation_force_rmse_ev_per_angstrom=0.05)


def exploration(temperature_k: float, stop_reason: str = "max_length", **changes) -> Exploration:
    fields = {
        "temperature_k": temperature_k,
        "requested_ps": 20.0,
        "completed_ps": 20.0 if stop_reason == "max_length" else 3.0,
        "stop_reason": stop_reason,
        "message": "A force was large.",
        "threshold_ev_per_angstrom": 0.2,
        "largest_deviation_ev_per_angstrom": 0.1,
        "folder": "nowhere",
    }
    return Exploration(**fields | changes)


LOOP = ActiveLoopMaker(temperatures_k=(600.0, 800.0, 1000.0), settings=ActiveLoopSettings(maximum_rounds=2))
FRAMES = FrameSet(path="new.extxyz", n_frames=7, dataset_sha256="f")


def decide(alloy, explorations, number=0):
    response = call(LOOP, [alloy], FRAMES, [student(1), student(2)], explorations, number, [])
    return [job.name for job in response.replace.jobs], response.replace


def test_a_round_trains_a_committee_and_explores_the_hottest_and_beyond(alloy):
    jobs = LOOP.begin([alloy, alloy], FRAMES)
    assert [job.name for job in jobs] == [
        "train round 0, student 1",
        "train round 0, student 2",
        "explore 1000 K round 0, structure 1",
        "explore 1200 K round 0, structure 1",
        "explore 1000 K round 0, structure 2",
        "explore 1200 K round 0, structure 2",
        "active loop round 0",
    ]
    assert [job.function_args[1] for job in jobs[:2]] == [1, 2]
    assert jobs[2].maker.limits.duration_ps == LOOP.settings.stable_ps


def test_a_quiet_student_goes_on_to_the_other_temperatures_and_then_to_its_validation(alloy):
    quiet = [exploration(1000.0), exploration(1200.0, is_beyond=True)]
    names, _ = decide(alloy, quiet)
    assert names == ["explore 800 K round 0", "explore 600 K round 0", "active loop round 0, all temperatures"]
    names, flow = decide(alloy, [*quiet, exploration(800.0), exploration(600.0)])
    assert names == ["validate potential", "register potential"]
    assert flow.jobs[0].function_args[4] == []


def test_an_event_is_labelled_and_trained_on_from_the_last_weights(alloy):
    runs = [exploration(1000.0, "committee_disagrees", frames=FRAMES), exploration(1200.0, is_beyond=True)]
    names, flow = decide(alloy, runs)
    assert names[:3] == ["label round 1", "train round 1, student 1", "train round 1, student 2"]
    assert names[-1] == "active loop round 1"
    assert [job.function_args[2] for job in flow.jobs[1:3]] == [student(1), student(2)]
    assert flow.jobs[1].maker.settings.max_epochs == LOOP.settings.continued_epochs
    (first,) = flow.jobs[-1].function_args[5]
    assert (first.n_frames_added, first.events) == (7, ("committee_disagrees after 3 ps at 1000 K",))


def test_after_the_last_round_the_student_is_rejected(alloy):
    names, flow = decide(alloy, [exploration(1000.0, "exploded", frames=FRAMES)], number=1)
    assert names == ["validate potential", "register potential"]
    (reason,) = flow.jobs[0].function_args[4]
    assert reason.startswith("after 2 rounds of training a run at 1000 K still ended after 3 of 20 ps (exploded:")


def test_what_the_teacher_does_too_is_the_material_and_not_the_student(alloy):
    melted = exploration(1200.0, "melted", is_beyond=True, teacher_shows_it=True, frames=FRAMES)
    names, _ = decide(alloy, [exploration(1000.0), melted])
    assert names[-1] == "active loop round 0, all temperatures"
    assert not melted.is_event
    assert exploration(1200.0, "melted", is_beyond=True, teacher_shows_it=False).is_event


@pytest.fixture(scope="module")
def committee(tmp_path_factory):
    """Two real students with random weights: they disagree on everything."""
    folder = tmp_path_factory.mktemp("committee")
    students = []
    for seed in (1, 2):
        given = build_tiny_mace(folder / f"{seed}.model", seed=seed, elements=("Cu", "Au"))
        header = write_model_file(folder / f"{seed}.safetensors", load_mace_model(given), {})
        students.append(
            Student(path=str(folder / f"{seed}.safetensors"), weights_sha256=header.weights_sha256, seed=seed)
        )
    return students


def test_a_run_ends_where_the_committee_disagrees_and_gives_frames(alloy, dataset, committee, tmp_path):
    def explore(watch):
        maker = ExploreMaker(
            teacher=EMT,
            protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=20.0),
            limits=RunLimits(duration_ps=0.4, segment_ps=0.1),
            watch=WatchSettings(deviation_ratio=1.000001, contact_fraction=0.3, frame_stride=1, **watch),
            checkpoint_root=str(tmp_path),
        )
        return call(maker, alloy, committee, dataset, 20.0)

    quiet = explore({"minimum_deviation_ev_per_angstrom": 1e6})
    assert (quiet.stop_reason, quiet.completed_ps, quiet.frames) == ("max_length", 0.4, None)
    assert quiet.largest_deviation_ev_per_angstrom > 0.0
    limits = {"minimum_deviation_ev_per_angstrom": 1e-9, "maximum_deviation_ev_per_angstrom": 1e-9, "wide_ratio": 1e12}
    tolerant = explore(limits | {"uncertain_fraction": 0.999})
    assert tolerant.stop_reason == "committee_disagrees", "every frame is uncertain"
    assert "21 of the 21 frames looked at so far; 19 are allowed" in tolerant.message
    assert tolerant.frames.n_frames == tolerant.n_uncertain_frames == 21
    loud = call(
        ExploreMaker(
            protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=20.0, seed=7),
            limits=RunLimits(duration_ps=0.4, segment_ps=0.1),
            watch=WatchSettings(
                minimum_deviation_ev_per_angstrom=1e-9, deviation_ratio=1.000001, contact_fraction=0.999
            ),
            checkpoint_root=str(tmp_path),
        ),
        alloy,
        committee,
        dataset,
        300.0,
    )
    assert loud.stop_reason in ("committee_disagrees", "atoms_too_close")
    assert loud.is_event
    assert 0 < loud.frames.n_frames == len(read_frame_set(loud.frames))


def test_samples_differ_and_are_labelled_once(alloy, tmp_path):
    sampler = SampleConfigurationsMaker(
        teacher=EMT,
        temperatures_k=(300.0, 600.0),
        settings=SamplingSettings(n_frames=12, duration_ps=0.2, skip_ps=0.0, n_distorted=6, volume_strains=(0.02,)),
        protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=20.0),
        checkpoint_root=str(tmp_path),
    )
    frames = call(sampler, [alloy])
    assert (frames.n_frames, frames.elements, frames.compositions) == (12, ("Au", "Cu"), ("Cu3Au",))
    longer = replace(sampler, settings=sampler.settings.model_copy(update={"duration_ps": 0.4}))
    assert call(longer, [alloy]).dataset_sha256 != frames.dataset_sha256
    assert call(sampler, [alloy]).dataset_sha256 == frames.dataset_sha256, "also when its runs have been continued"
    label = LabelMaker(teacher=EMT, checkpoint_root=str(tmp_path))
    labelled = call(label, [frames])
    assert (labelled.n_computed, labelled.n_frames) == (12, 12)
    assert all(labels_of(frame) is not None for frame in read_frame_set(labelled))
    again = call(label, [frames], labelled)
    assert (again.n_computed, again.dataset_sha256) == (0, labelled.dataset_sha256)
    strict = call(LabelMaker(teacher=EMT, largest_force_ev_per_angstrom=0.01, checkpoint_root=str(tmp_path)), [frames])
    assert (strict.n_computed, strict.n_left_out) == (0, 12 - strict.n_frames)


def test_labels_of_a_file_are_added_and_foreign_elements_are_refused(tmp_path):
    path = write_labelled_frames(tmp_path / "mine.extxyz", labelled_alloy(3, tmp_path / "labels"))
    maker = LabelMaker(teacher=EMT, labelled_frames=str(path), checkpoint_root=str(tmp_path))
    frames = write_frame_set(alloy_frames(2, seed=9), str(tmp_path))
    together = call(maker, [frames])
    assert together.n_frames == 5
    untagged = read_labelled_frames(path)
    for frame in untagged:
        del frame.info["teacher"]
    write_labelled_frames(path, untagged)
    again = call(maker, [frames])
    assert {frame.info["teacher"] for frame in read_frame_set(again)} == {together.teacher}
    foreign = alloy_frames(1)
    foreign[0].symbols[0] = "Li"
    mace = build_tiny_mace(tmp_path / "cu.model", elements=("Cu", "Au"))
    teacher = {"name": "mace", "model": str(mace)}
    with pytest.raises(TrainingError, match="The teacher mace does not know Li: choose a teacher"):
        call(LabelMaker(teacher=teacher, checkpoint_root=str(tmp_path)), [write_frame_set(foreign, str(tmp_path))])
