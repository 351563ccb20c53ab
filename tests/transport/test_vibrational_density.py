"""Vibrations and radial distributions of two trajectories, compared."""

from __future__ import annotations

import numpy as np
import pytest
from superion.errors import AnalysisError
from superion.transport.radial_difference import radial_difference
from superion.transport.radial_distribution import radial_distribution
from superion.transport.vibrational_density import density_difference, vibrational_density


def waves(frequencies_thz, masses, n_frames=2000, interval_ps=0.01):
    time = np.arange(n_frames) * interval_ps
    tracks = [np.sin(2 * np.pi * frequency * time) for frequency in frequencies_thz]
    return np.repeat(np.stack(tracks, axis=1)[:, :, None], 3, axis=2) / np.sqrt(masses)[None, :, None]


def test_a_density_has_its_peaks_where_the_atoms_vibrate_and_is_normalised():
    masses = np.array([7.0, 32.0])
    density = vibrational_density(waves([12.0, 4.0], masses), masses, 0.01, resolution_thz=1.0)
    width = density.frequency_thz[1]
    assert density.density_per_thz.sum() * width == pytest.approx(1.0)
    peaks = density.frequency_thz[np.argsort(density.density_per_thz)[-2:]]
    assert sorted(peaks) == [4.0, 12.0]
    heights = density.density_per_thz[[4, 12]]
    assert heights[0] == pytest.approx(heights[1], rel=1e-2)


def test_densities_differ_by_the_part_that_lies_elsewhere():
    masses = np.ones(2)
    low, high = (vibrational_density(waves([value, value], masses), masses, 0.01) for value in (5.0, 20.0))
    mixed = vibrational_density(waves([5.0, 20.0], masses), masses, 0.01)
    assert density_difference(low, low) == pytest.approx(0.0)
    assert density_difference(low, high) == pytest.approx(1.0, abs=0.01)
    assert density_difference(low, mixed) == pytest.approx(0.5, abs=0.01)


def test_short_runs_and_resting_atoms_are_refused():
    masses = np.ones(2)
    with pytest.raises(AnalysisError, match=r"needs 1 ps of velocities, and there are 0\.3 ps"):
        vibrational_density(waves([5.0, 5.0], masses, n_frames=30), masses, 0.01)
    with pytest.raises(AnalysisError, match="velocities are zero"):
        vibrational_density(np.zeros((200, 2, 3)), masses, 0.01)


def test_radial_distributions_differ_by_the_neighbours_that_moved():
    generator = np.random.default_rng(1)
    cell = np.eye(3) * 10.0
    indices = np.arange(40)
    gas, other = (generator.random((20, 40, 3)) * 10.0 for _ in range(2))
    one, two = (radial_distribution(frames, cell, indices, indices, bin_width_angstrom=0.25) for frames in (gas, other))
    assert radial_difference(one, one) == 0.0
    assert radial_difference(one, two) < 0.1
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)[:40] * 2.5
    crystal = radial_distribution(np.array([grid] * 2), cell, indices, indices, bin_width_angstrom=0.25)
    assert radial_difference(one, crystal) > 0.5
    coarse = radial_distribution(gas, cell, indices, indices, bin_width_angstrom=0.5)
    with pytest.raises(AnalysisError, match="different shells"):
        radial_difference(one, coarse)
