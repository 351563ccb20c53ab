"""Percolation on periodic grids: known networks, and invariance under everything that leaves a crystal the same."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.structures.percolation import percolation_dimension, percolation_thresholds


def grid(shape=(5, 6, 7)):
    return np.zeros(shape, dtype=bool)


def test_nothing_filled_does_not_percolate():
    assert percolation_dimension(grid()) == 0


def test_an_island_over_the_corner_of_the_cell_does_not_percolate():
    filled = grid()
    for place in itertools.product((0, -1), repeat=3):
        filled[place] = True
    assert percolation_dimension(filled) == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_channels_and_planes(axis):
    channel, plane = grid(), grid()
    places = [1, 1, 1]
    places[axis] = slice(None)
    channel[tuple(places)] = True
    plane[tuple(slice(None) if other != axis else 2 for other in range(3))] = True
    assert percolation_dimension(channel) == 1
    assert percolation_dimension(plane) == 2
    assert percolation_dimension(channel | plane) == 3


def test_two_crossing_channels_that_do_not_touch_are_one_dimensional_each():
    filled = grid((8, 8, 8))
    filled[:, 1, 1] = True
    filled[1, :, 5] = True
    assert percolation_dimension(filled) == 1


def test_a_diagonal_channel_is_one_dimensional():
    filled = grid((6, 6, 6))
    for index in range(6):
        filled[index, index, index] = True
    assert percolation_dimension(filled) == 1


def test_a_helix_that_closes_after_two_cells_percolates():
    """It winds through two cells before it meets itself, so no single cell is crossed at once."""
    filled = grid((8, 8, 4))
    filled[0:4, 1, 0] = True
    filled[4, 1:5, 0] = True
    filled[4:8, 5, 0] = True
    # from (7, 5) over the face to (0, 5), and back over the other face to (0, 1)
    filled[0, 5:8, 0] = True
    filled[0, 0:2, 0] = True
    assert percolation_dimension(filled) >= 1


@given(st.integers(0, 10_000), st.floats(0.05, 0.4))
@settings(max_examples=25)
def test_shifts_mirrors_and_permutations_change_nothing(seed, fraction):
    generator = np.random.default_rng(seed)
    filled = generator.random((5, 5, 6)) < fraction
    dimension = percolation_dimension(filled)
    shifted = np.roll(filled, tuple(generator.integers(0, 5, 3)), (0, 1, 2))
    assert percolation_dimension(shifted) == dimension
    assert percolation_dimension(filled[::-1]) == dimension
    assert percolation_dimension(filled.transpose(2, 0, 1)) == dimension
    # a cell of twice the size is the same crystal
    assert percolation_dimension(np.concatenate([filled, filled])) == dimension


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_thresholds_are_ordered_tight_and_blind_to_a_shift_of_energy(seed):
    field = np.random.default_rng(seed).random((4, 5, 4)) * 2.0
    heights = percolation_thresholds(field)
    assert heights[0] <= heights[1] <= heights[2] <= np.ptp(field) + 1e-3
    assert percolation_thresholds(field + 7.0) == pytest.approx(heights, abs=2e-3)
    above = field - field.min()
    for dimension, height in enumerate(heights, start=1):
        assert percolation_dimension(above <= height) >= dimension
        assert percolation_dimension(above <= height - 2e-3) < dimension


def test_beyond_the_reach_is_infinite():
    field = np.full((4, 4, 4), 9.0)
    field[:, 0, 0] = 0.0
    assert percolation_thresholds(field, greatest=5.0) == pytest.approx((0.001, math.inf, math.inf), abs=1e-3)
