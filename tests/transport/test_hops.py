"""Counting hops: distances, effective numbers, and the fourth moment."""

from __future__ import annotations

import numpy as np
import pytest
from superion.transport.concert import concert_factor
from superion.transport.displacement_run import DisplacementRun
from superion.transport.hops import (
    effective_hops,
    excess_of_squares,
    he_mo_relative_error,
    hop_distance_guess_angstrom,
)
from superion.transport.synthetic import gaussian_walk, lattice_walk


def test_the_distance_is_that_of_neighbouring_sites_across_the_boundary() -> None:
    sites = np.array([[0.0, 0, 0], [5, 0, 0], [0, 5, 0], [5, 5, 0], [9.0, 5, 0]])
    positions = np.repeat(sites[None, :4], 60, axis=0)
    cell = np.diag([7.0, 10.0, 10.0])
    run = DisplacementRun(positions, np.arange(4), np.array([], int), np.ones(4), 0.1, 700.0, 600.0, cell)
    assert hop_distance_guess_angstrom(run) == pytest.approx(2.0)


def test_a_lone_ion_falls_back_on_its_density() -> None:
    run = DisplacementRun(np.zeros((60, 1, 3)), np.array([0]), np.array([], int), np.ones(1), 0.1, 64.0, 600.0)
    assert hop_distance_guess_angstrom(run) == pytest.approx((np.sqrt(2) * 64) ** (1 / 3))


@pytest.mark.parametrize(("hops", "percent"), [(50, 52), (100, 38), (200, 28), (460, 20)])
def test_the_published_rule(hops: int, percent: int) -> None:
    assert round(100 * he_mo_relative_error(hops)) == pytest.approx(percent, abs=1)


def test_no_hops_no_rule() -> None:
    assert he_mo_relative_error(effective_hops(0.0, 10, 3.0)) is None


def test_gaussian_blocks_have_no_excess() -> None:
    blocks = np.random.default_rng(0).standard_normal((200_000, 3))
    assert excess_of_squares(blocks) * 200_000 < 0.1


def test_hops_have_the_excess_of_a_poisson_count() -> None:
    walk = lattice_walk(np.random.default_rng(1), n_ions=200, n_frames=3001, hop_rate_per_ps=0.1)
    blocks = np.diff(walk.positions_angstrom[::20], axis=0).reshape(-1, 3)
    hops = 0.1 * 300 * 200
    per_block = hops / len(blocks) * 2.5**2
    assert excess_of_squares(blocks) / per_block**2 == pytest.approx(1 / hops, rel=0.1)


@pytest.mark.parametrize("group", [1, 3])
def test_concerted_ions_are_counted(group: int) -> None:
    walk = lattice_walk(np.random.default_rng(2), n_ions=60, n_frames=20_001, hop_rate_per_ps=0.05, group_size=group)
    blocks = np.diff(walk.positions_angstrom[::20], axis=0)
    assert concert_factor(blocks) == pytest.approx(group, rel=0.15)


def test_gaussian_walkers_are_not_in_concert() -> None:
    walk = gaussian_walk(np.random.default_rng(3), n_ions=30, n_frames=4001)
    assert concert_factor(np.diff(walk.positions_angstrom[::20], axis=0)) < 1.25
