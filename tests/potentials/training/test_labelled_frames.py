"""Labelled frames: read, written, and refused in one sentence where nothing can be learned from them."""

from __future__ import annotations

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from superion.errors import TrainingError
from superion.potentials.training.frame_digest import frame_digest
from superion.potentials.training.labelled_frames import (
    FORCES,
    STRESS,
    TEACHER,
    Labels,
    check_labelled_frames,
    dataset_sha256,
    labels_of,
    read_labelled_frames,
    with_labels,
    write_labelled_frames,
)
from superion.potentials.training.split import split_frames


def frame(seed: int, *, stress: bool = True, teacher: str = "emt"):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=seed)
    atoms.calc = EMT()
    labels = Labels(atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress() if stress else None)
    return with_labels(atoms, labels, teacher=teacher)


@pytest.fixture
def frames():
    return [frame(seed) for seed in range(12)]


def test_a_file_gives_back_what_was_written(frames, tmp_path):
    read = read_labelled_frames(write_labelled_frames(tmp_path / "frames.extxyz", frames))
    assert [frame_digest(one) for one in read] == [frame_digest(one) for one in frames]
    assert dataset_sha256(read) == dataset_sha256(list(reversed(frames)))
    for one, other in zip(frames, read, strict=True):
        np.testing.assert_allclose(
            labels_of(other).forces_ev_per_angstrom, labels_of(one).forces_ev_per_angstrom, atol=1e-7
        )
        np.testing.assert_allclose(labels_of(other).stress_ev_per_angstrom3, labels_of(one).stress_ev_per_angstrom3)
    check_labelled_frames(read)


def test_ase_names_are_understood(tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    atoms.calc = EMT()
    energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
    ase.io.write(tmp_path / "ase.extxyz", [atoms])
    labels = labels_of(read_labelled_frames(tmp_path / "ase.extxyz")[0])
    assert labels.energy_ev == pytest.approx(energy)
    np.testing.assert_allclose(labels.forces_ev_per_angstrom, forces, atol=1e-7)
    np.testing.assert_allclose(labels.stress_ev_per_angstrom3, stress, atol=1e-7)


def nan_forces(frames):
    frames[3].arrays[FORCES][0, 0] = np.nan


def some_without_stress(frames):
    del frames[3].info[STRESS]


def other_teacher(frames):
    frames[3].info[TEACHER] = "pbe"


def no_forces(frames):
    del frames[3].arrays[FORCES]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (nan_forces, "force of frame 4 in mine.extxyz is not a number"),
        (some_without_stress, "Only 11 of 12 frames in mine.extxyz have a stress"),
        (other_teacher, "labelled by 'emt' and 'pbe', whose energies cannot be compared"),
        (no_forces, "Frame 4 in mine.extxyz has no energy or no forces"),
        (
            lambda frames: frames.__delitem__(slice(4, None)),
            "There are 4 labelled frames in mine.extxyz, and a training",
        ),
    ],
)
def test_frames_that_teach_nothing_are_one_sentence(frames, spoil, sentence):
    spoil(frames)
    with pytest.raises(TrainingError, match=sentence):
        check_labelled_frames(frames, "mine.extxyz")


def test_elements_that_a_model_lacks_are_named(frames):
    with pytest.raises(TrainingError, match="tiny model does not know Cu"):
        check_labelled_frames(frames, known_elements=["Li", "S"], model="tiny model")


def test_files_that_cannot_be_read_are_one_sentence(tmp_path):
    with pytest.raises(TrainingError, match="no file of labelled frames"):
        read_labelled_frames(tmp_path / "missing.extxyz")
    (tmp_path / "broken.extxyz").write_text("three\nnonsense\n")
    with pytest.raises(TrainingError, match="cannot be read as extended XYZ"):
        read_labelled_frames(tmp_path / "broken.extxyz")


def test_a_frame_keeps_its_part_as_the_set_grows():
    frames = [frame(seed) for seed in range(60)]
    small, large = split_frames(frames[:40]), split_frames(frames)

    def digests(part):
        return {frame_digest(one) for one in part}

    assert digests(small.held_out) <= digests(large.held_out)
    assert digests(small.validation) <= digests(large.validation)
    assert sum(len(part) for part in (large.training, large.validation, large.held_out)) == 60
    tiny = split_frames(frames[:3])
    assert [len(part) for part in (tiny.training, tiny.validation, tiny.held_out)] == [1, 1, 1]
