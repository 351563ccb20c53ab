"""The yardsticks are true: long synthetic walks have the diffusivities they claim."""

from __future__ import annotations

import numpy as np
import pytest
from superion.transport.msd import collective_msd, tracer_msd
from superion.transport.synthetic import SyntheticWalk, back_hop_walk, gaussian_walk, lattice_walk

WALKS = {
    "gaussian": lambda rng: gaussian_walk(rng, n_ions=400, n_frames=3000),
    "lattice": lambda rng: lattice_walk(rng, n_ions=400, n_frames=3000, hop_rate_per_ps=0.3, rattle_angstrom=0.3),
    "back hops": lambda rng: back_hop_walk(rng, n_ions=400, n_frames=3000, residence_time_ps=2, rattle_angstrom=0.3),
}


def slope(walk: SyntheticWalk, early: int, late: int) -> float:
    msd = tracer_msd(walk.positions_angstrom, np.array([early, late])).sum(axis=1)
    return float((msd[1] - msd[0]) / (6 * (late - early) * walk.frame_interval_ps)) * 1e-4


@pytest.mark.parametrize("name", WALKS)
def test_the_long_time_slope_is_the_claimed_diffusivity(name: str) -> None:
    walk = WALKS[name](np.random.default_rng(11))
    assert slope(walk, 150, 300) == pytest.approx(walk.tracer_cm2_s, rel=0.04)


def test_back_hops_start_stationary() -> None:
    rng = np.random.default_rng(5)
    walk = back_hop_walk(rng, n_ions=20_000, n_frames=41, residence_time_ps=2.0, return_probability=0.8)
    steps = ((walk.positions_angstrom[10:] - walk.positions_angstrom[:-10]) ** 2).sum(axis=2).mean(axis=1)
    assert steps[:5].mean() == pytest.approx(steps[-5:].mean(), rel=0.05)


@pytest.mark.parametrize(("correlation", "group"), [(0.3, 1), (0.0, 4)])
def test_the_charge_diffusivity_is_the_claimed_one(correlation: float, group: int) -> None:
    values = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        walk = (
            gaussian_walk(rng, n_ions=8, n_frames=200, correlation=correlation)
            if group == 1
            else lattice_walk(rng, n_ions=8, n_frames=200, hop_rate_per_ps=1.0, group_size=group)
        )
        msd = collective_msd(walk.positions_angstrom, np.array([1])).sum() / 6 / walk.frame_interval_ps * 1e-4
        values.append(msd / walk.charge_cm2_s)
    assert np.mean(values) == pytest.approx(1.0, abs=4 * np.std(values) / np.sqrt(300))
    assert walk.charge_cm2_s / walk.tracer_cm2_s > 2


def test_the_same_seed_gives_the_same_walk() -> None:
    one, two = (back_hop_walk(np.random.default_rng(9), n_ions=3, n_frames=50).positions_angstrom for _ in range(2))
    np.testing.assert_array_equal(one, two)
