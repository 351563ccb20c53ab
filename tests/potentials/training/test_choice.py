"""Distorted cells, descriptors, farthest points, close contacts, committees, verdicts, labels on disk."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from superion.errors import PotentialError, SettingsError, TrainingError
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.potentials.training.architecture import list_architectures, load_architecture
from superion.potentials.training.close_contacts import closest_distances, too_close
from superion.potentials.training.committee import deviation_threshold, force_deviation, largest_deviations
from superion.potentials.training.descriptors import frame_descriptors
from superion.potentials.training.distortions import distorted, scaled_to_strain, with_vacancies
from superion.potentials.training.farthest_points import farthest_points
from superion.potentials.training.label_store import LabelStore
from superion.potentials.training.verdict import at_most, judge

EMT = PotentialSpecification(name="ase", model="ase.calculators.emt.EMT")


@pytest.fixture
def salt():
    return bulk("LiCl", "rocksalt", a=5.13, cubic=True)


def test_distortions_stay_within_their_bounds(salt):
    generator = np.random.default_rng(1)
    for _ in range(20):
        cell = distorted(salt, generator, largest_volume_strain=0.03, displacement_angstrom=0.05)
        assert abs(cell.get_volume() / salt.get_volume() - 1.0) < 0.035
        assert np.abs(cell.get_scaled_positions() - salt.get_scaled_positions()).max() > 0.0
    assert scaled_to_strain(salt, -0.05).get_volume() == pytest.approx(0.95 * salt.get_volume())
    lacking = with_vacancies(salt, "Li", 2, generator)
    assert lacking.get_chemical_symbols().count("Li") == 2
    with pytest.raises(TrainingError, match="4 Li atoms, from which 4 cannot be taken"):
        with_vacancies(salt, "Li", 4, generator)


def test_farthest_points_cover_the_ends_and_pass_over_what_is_there():
    points = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [9.0]])
    assert sorted(farthest_points(points, 3)) == [0, 3, 5] or sorted(farthest_points(points, 3)) == [0, 4, 5]
    assert farthest_points(points, 2, already=np.array([[0.0], [9.0]])) in ([3, 2], [4, 2], [3, 4], [4, 3])
    assert farthest_points(np.zeros((4, 2)), 3) == [0]
    assert farthest_points(np.zeros((0, 2)), 3) == []


def test_descriptors_ignore_rotation_and_order_and_tell_frames_apart(salt):
    shaken = salt.copy()
    shaken.rattle(0.2, seed=2)
    turned = shaken.copy()
    turned.rotate(30, "z", rotate_cell=True)
    swapped = shaken[[1, 0, *range(2, len(shaken))]]
    rows = frame_descriptors([salt, shaken, turned, swapped])
    np.testing.assert_allclose(rows[2], rows[1], atol=1e-6)
    np.testing.assert_allclose(rows[3], rows[1], atol=1e-6)
    assert np.linalg.norm(rows[0] - rows[1]) > 1.0


def test_close_contacts_are_named(salt):
    reference = closest_distances([salt])
    assert reference == {"Cl-Cl": 3.627, "Cl-Li": 2.565, "Li-Li": 3.627}
    assert too_close(salt, reference) is None
    pushed = salt.copy()
    pushed.positions[0] += (pushed.positions[1] - pushed.positions[0]) * 0.4
    assert too_close(pushed, reference).startswith("a Cl-Li pair at 1.54 Å")


def test_committee_is_silent_where_it_agrees(salt):
    calculators = [load_potential(EMT).calculator() for _ in range(3)]
    copper = bulk("Cu", cubic=True)
    copper.rattle(0.1, seed=1)
    assert largest_deviations([copper], calculators)[0] == pytest.approx(0.0, abs=1e-12)
    forces = np.random.default_rng(3).normal(size=(4, 5, 3))
    by_hand = [
        np.sqrt(np.mean([np.sum((forces[m, a] - forces[:, a].mean(axis=0)) ** 2) for m in range(4)])) for a in range(5)
    ]
    np.testing.assert_allclose(force_deviation(forces), by_hand)
    assert deviation_threshold(np.array([np.inf, 0.01]), minimum_ev_per_angstrom=0.2) == 0.2
    assert deviation_threshold(np.array([3.0, 4.0])) == 0.6


def test_labels_are_computed_once_for_each_teacher(tmp_path):
    copper = bulk("Cu", cubic=True)
    copper.rattle(0.1, seed=1)
    first = LabelStore(tmp_path, load_potential(EMT))
    labels = first.label(copper)
    assert (first.n_computed, first.label(copper).energy_ev) == (1, labels.energy_ev)
    again = LabelStore(tmp_path, load_potential(EMT))
    np.testing.assert_array_equal(again.label(copper).forces_ev_per_angstrom, labels.forces_ev_per_angstrom)
    assert again.n_computed == 0
    (kept,) = tmp_path.glob("*/*.json")
    kept.write_text(kept.read_text()[:20])
    again.label(copper)
    assert again.n_computed == 1
    softer = EMT.model_copy(update={"options": {"asap_cutoff": True}})
    other = LabelStore(tmp_path, load_potential(softer))
    other.label(copper)
    assert other.n_computed == 1
    assert other.teacher != again.teacher


def test_a_teacher_that_gives_nan_is_refused(tmp_path):
    options = {"wrong": "nan forces", "barriers_ev": {"Cu": 1.0}, "spacing_angstrom": 3.0}
    nan = PotentialSpecification(name="ase", model="support.nan_calculator.NanCalculator", options=options)
    with pytest.raises(PotentialError, match="not numbers"):
        LabelStore(tmp_path, load_potential(nan)).label(bulk("Cu", cubic=True))
    assert list(tmp_path.rglob("*.json")) == []


def test_a_verdict_can_fail():
    assert judge([at_most("force error", 0.1, 0.15)]).verdict == "accepted"
    failed = judge([at_most("force error in eV/Å", 0.3, 0.15), at_most("drift", float("nan"), 1.0)], ["it exploded"])
    assert failed.verdict == "rejected"
    assert failed.reasons == (
        "it exploded",
        "the force error in eV/Å is 0.3, above 0.15",
        "the drift could not be measured",
    )


def test_architectures_can_all_be_converted_and_bad_ones_are_one_sentence(tmp_path):
    for one in list_architectures():
        assert (one.max_ell, one.correlation, one.pair_repulsion) == (3, 3, True)
    with pytest.raises(SettingsError, match="There is no architecture 'tinny': did you mean 'tiny'"):
        load_architecture("tinny")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("r_max: -1\n")
    with pytest.raises(SettingsError, match="is wrong at 'r_max'"):
        load_architecture(wrong)
    wrong.write_text("- a list\n")
    with pytest.raises(SettingsError, match="not a valid YAML mapping"):
        load_architecture(wrong)
