"""The generators of the calibration: their truths are true, and what is claimed of them holds."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.calibration import Coverage
from superion.transport.flags import UNEQUAL_HALVES, UNEVEN_IONS
from superion.transport.msd import tracer_msd
from superion.transport.synthetic import lattice_walk

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from mechanisms.catalogue import CATALOGUE, GASES, GROUPS, TAILS, UNEVEN
from mechanisms.judge import judge
from mechanisms.lattice_gas import CORRELATION_FACTORS, correlation_factor, lattice_gas
from mechanisms.rotors import BOND_ANGSTROM, rotating_framework

N_FULL = 1000
SOUND = [*GASES, *TAILS, *GROUPS]


def assert_holds(rate: Coverage, n: int, sigmas: float) -> None:
    for found, low, high, nominal in ((rate.coverage_68, 0.64, 0.72, 0.68), (rate.coverage_95, 0.93, 0.97, 0.95)):
        slack = sigmas * math.sqrt(nominal * (1 - nominal) / n)
        assert low - slack <= found <= min(high + slack, 1.0), rate


# A gas remembers for some ten picoseconds: only late lags show its diffusivity.
@pytest.mark.parametrize(
    "name", ["waits power law", "groups of 4", "exchanging in 50 ps", "underdamped", "anisotropic"]
)
def test_trajectories_have_the_diffusivity_they_claim(name: str) -> None:
    walks = CATALOGUE[name](np.random.default_rng(1), 40, 400)
    lags = np.array([200, 250])
    early, late = np.mean([tracer_msd(walk.positions_angstrom, lags).sum(axis=1) for walk in walks], axis=0)
    assert (late - early) / (6 * 5.0) * 1e-4 == pytest.approx(walks[0].tracer_cm2_s, rel=0.2)


def test_charge_of_a_gas_is_exact() -> None:
    gases = lattice_gas(np.random.default_rng(2), 200, 200, vacant=0.2)
    ends = np.array([walk.positions_angstrom[-1].sum(axis=0) for walk in gases])
    n_ions = gases[0].positions_angstrom.shape[1]
    measured = np.mean(np.sum(ends**2, axis=1)) / (6 * 19.9 * n_ions) * 1e-4
    assert measured == pytest.approx(gases[0].charge_cm2_s, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("gas", CORRELATION_FACTORS)
def test_correlation_factors_of_gases(gas: tuple[str, int, float]) -> None:
    lattice, cells, vacant = gas
    runs = lattice_gas(np.random.default_rng(3), 200, 4000, lattice=lattice, cells=cells, vacant=vacant)
    assert correlation_factor(runs, slice(300, 800)) == pytest.approx(CORRELATION_FACTORS[gas], abs=0.02)


@pytest.mark.parametrize("name", ["gas sc 20% vacant", "waits hyperexponential", "groups of 4"])
def test_a_few_intervals_hold(name: str) -> None:
    verdict = judge(name, 30, 1000, seed=5)
    assert_holds(verdict.tracer, 30, sigmas=3)
    assert_holds(verdict.axes, 30, sigmas=3)


@pytest.mark.parametrize("name", ["trapped for good", "pace jumps fivefold"])
def test_uneven_motion_is_flagged(name: str) -> None:
    verdict = judge(name, 12, 1000, seed=6)
    flag = UNEVEN_IONS if name == "trapped for good" else UNEQUAL_HALVES
    assert verdict.flagged.get(flag, 0.0) >= 0.7


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("n_frames", [500, 2000])
@pytest.mark.parametrize("name", SOUND)
def test_intervals_hold(name: str, n_frames: int) -> None:
    verdict = judge(name, N_FULL, n_frames)
    for rate in (verdict.tracer, verdict.axes, verdict.charge, verdict.charge_axes):
        assert_holds(rate, N_FULL, sigmas=2)
    assert verdict.flagged.get(UNEVEN_IONS, 0.0) <= 0.05
    assert verdict.flagged.get(UNEQUAL_HALVES, 0.0) <= 0.05


@pytest.mark.slow
@pytest.mark.timeout(7200)
# Ions that change their state many times in a run are no longer uneven.
@pytest.mark.parametrize("name", [name for name in UNEVEN if name != "exchanging in 50 ps"])
def test_uneven_motion_is_flagged_and_its_scatter_counts(name: str) -> None:
    verdict = judge(name, N_FULL, 2000)
    flag = UNEQUAL_HALVES if name.startswith("pace") else UNEVEN_IONS
    assert verdict.flagged.get(flag, 0.0) >= 0.8
    assert verdict.tracer.coverage_68 >= 0.60


def test_sulfur_of_a_rotor_moves_by_twice_its_bond_squared() -> None:
    run = rotating_framework(np.random.default_rng(7), 1500, turn_ps=5.0)
    sulfur = run.framework_indices.reshape(-1, 5)[:, 1:].ravel()
    msd = tracer_msd(run.positions_angstrom, np.array([800]), indices=sulfur).sum()
    assert msd == pytest.approx(2 * BOND_ANGSTROM**2, rel=0.25)


@pytest.mark.parametrize(("n_runs", "turn_ps"), [(8, 60.0), pytest.param(250, 100.0, marks=pytest.mark.slow)])
def test_slow_rotors_are_no_melt(n_runs: int, turn_ps: float) -> None:
    settings = DiffusionSettings(equilibration_ps=0.0)
    flagged = 0
    for seed in range(n_runs):
        run = rotating_framework(np.random.default_rng([8, seed]), 2000, turn_ps=turn_ps)
        result = analyze_diffusion([run], mobile_ion="Li", ion_charge=1, settings=settings)
        flagged += "framework diffusing" in result.flags
    assert flagged <= max(1, 0.05 * n_runs)


@pytest.mark.parametrize("n_walks", [60, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("group", "hop_angstrom"), [(1, 2.0), (1, 4.0), (4, 2.5)])
def test_bounds_hold_where_one_event_measures_them(group: int, hop_angstrom: float, n_walks: int) -> None:
    """Four expected events, of a length or a group size that the guess does not know."""
    held, seen = 0, 0
    for seed in range(n_walks):
        walk = lattice_walk(
            np.random.default_rng([9, group, seed]),
            n_ions=24,
            n_frames=500,
            hop_rate_per_ps=4.0 * group / (24 * 49.9),
            hop_distance_angstrom=hop_angstrom,
            rattle_angstrom=0.3,
            group_size=group,
        )
        sites = 2.5 / hop_angstrom
        run = walk.as_run()
        grid = np.stack(np.unravel_index(np.arange(24), (3, 3, 3)), axis=1)
        run.positions_angstrom[:, :24] += (sites - 1.0) * hop_angstrom * grid
        settings = DiffusionSettings(equilibration_ps=0.0)
        result = analyze_diffusion([run], mobile_ion="Li", ion_charge=1, settings=settings)
        held += result.tracer.upper_bound_95_cm2_s >= walk.tracer_cm2_s
        seen += 1
    assert held / seen >= 0.93 - 2 * math.sqrt(0.95 * 0.05 / seen)


def test_a_bound_without_any_hop_says_what_it_supposes() -> None:
    walk = lattice_walk(np.random.default_rng(10), n_ions=10, n_frames=500, hop_rate_per_ps=0.0, rattle_angstrom=0.3)
    settings = DiffusionSettings(equilibration_ps=0.0)
    result = analyze_diffusion([walk.as_run()], mobile_ion="Li", ion_charge=1, settings=settings)
    assert "ions hop one at a time, by 2" in result.tracer.withheld_reason
