"""Does the interval of σ(300 K) hold the truth as often as it says?  From trajectories to the extrapolation."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm
from superion.constants import BOLTZMANN_EV_PER_K, CM2_PER_S_FROM_ANGSTROM2_PER_PS
from superion.transport.analysis import analyze_diffusion
from superion.transport.arrhenius import fit_arrhenius
from superion.transport.arrhenius_points import arrhenius_inputs
from superion.transport.conductivity import conductivity_per_diffusivity
from superion.transport.synthetic import SyntheticWalk, back_hop_walk, gaussian_walk, lattice_walk

BARRIER_EV = 0.25
N_IONS = 16
HOP_ANGSTROM = 2.5
VOLUME_PER_ION_ANGSTROM3 = 40.0
CI_DRAWS = 60
FULL_DRAWS = 1500


def hopping(generator: np.random.Generator, rate_per_ps: float) -> SyntheticWalk:
    return lattice_walk(generator, n_ions=N_IONS, n_frames=1000, hop_rate_per_ps=rate_per_ps, rattle_angstrom=0.3)


def plain(generator: np.random.Generator, rate_per_ps: float) -> SyntheticWalk:
    """Half of them Brownian, half independent hops, as in `superion.transport.calibration`."""
    if generator.random() < 0.5:
        return lattice_walk(generator, n_ions=N_IONS, n_frames=1000, hop_rate_per_ps=rate_per_ps)
    diffusivity_cm2_s = rate_per_ps * HOP_ANGSTROM**2 / 6 * CM2_PER_S_FROM_ANGSTROM2_PER_PS
    return gaussian_walk(generator, n_ions=N_IONS, n_frames=1000, diffusivity_cm2_s=diffusivity_cm2_s)


def taken_back(generator: np.random.Generator, rate_per_ps: float) -> SyntheticWalk:
    """Three hops in five are taken back after a picosecond; the others have the given rate."""
    residence_time_ps = 0.4 / rate_per_ps - 1.0
    return back_hop_walk(
        generator, n_ions=N_IONS, n_frames=1000, residence_time_ps=residence_time_ps, rattle_angstrom=0.3
    )


@dataclass(frozen=True)
class Coverage:
    in_68: float
    in_95: float
    mean_error: float
    n_fits: int


def coverage(
    walk: object, quantity: str, temperatures: tuple[float, ...], rate_600_per_ps: float, n_draws: int, seed: int
) -> Coverage:
    generator = np.random.default_rng(seed)
    hits_68, hits_95, errors = 0, 0, []
    for _ in range(n_draws):
        results = []
        for temperature in temperatures:
            rate = rate_600_per_ps * math.exp(-BARRIER_EV / BOLTZMANN_EV_PER_K * (1 / temperature - 1 / 600))
            drawn = walk(generator, rate)
            run = drawn.as_run(temperature_k=temperature, volume_per_ion_angstrom3=VOLUME_PER_ION_ANGSTROM3)
            results.append(analyze_diffusion([run], mobile_ion="Li", ion_charge=1.0))
        fit = fit_arrhenius(arrhenius_inputs(results, quantity), quantity=quantity)
        if fit.extrapolated_value is None:
            continue
        # The walks have no correlation between ions: tracer and charge diffusivity are the same.
        cooling = math.exp(-BARRIER_EV / BOLTZMANN_EV_PER_K * (1 / 300 - 1 / temperatures[-1]))
        truth = (
            drawn.tracer_cm2_s
            * cooling
            * conductivity_per_diffusivity(N_IONS, 1.0, N_IONS * VOLUME_PER_ION_ANGSTROM3, 300.0)
        )
        low, high = fit.extrapolated_interval_68
        hits_68 += low <= truth <= high
        errors.append(math.log(fit.extrapolated_value / truth) / (0.5 * math.log(high / low)))
        low, high = fit.extrapolated_interval_95
        hits_95 += low <= truth <= high
    n_fits = len(errors)
    return Coverage(hits_68 / n_fits, hits_95 / n_fits, float(np.mean(errors)), n_fits)


def chance(nominal: float, n_draws: int) -> float:
    """Three standard errors of a coverage found with so many draws."""
    return float(norm.ppf(0.9987) * math.sqrt(nominal * (1 - nominal) / n_draws))


@pytest.mark.parametrize(
    ("quantity", "rate"),
    [("nernst_einstein_ms_cm", 0.02), pytest.param("collective_ms_cm", 0.05, marks=pytest.mark.slow)],
)
def test_interval_of_sigma_300k_in_short(quantity: str, rate: float) -> None:
    found = coverage(hopping, quantity, (600.0, 800.0, 1000.0), rate, CI_DRAWS, seed=31)
    assert found.n_fits >= 0.95 * CI_DRAWS
    assert 0.64 - chance(0.68, CI_DRAWS) <= found.in_68 <= 0.72 + chance(0.68, CI_DRAWS)
    assert found.in_95 >= 0.93 - chance(0.95, CI_DRAWS)
    assert abs(found.mean_error) < 0.15 + 3 / math.sqrt(CI_DRAWS)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("walk", "quantity", "temperatures", "rate"),
    [
        (hopping, "nernst_einstein_ms_cm", (600.0, 800.0, 1000.0), 0.02),
        (hopping, "nernst_einstein_ms_cm", (600.0, 750.0, 900.0, 1100.0), 0.01),
        (hopping, "collective_ms_cm", (600.0, 800.0, 1000.0), 0.05),
        (plain, "nernst_einstein_ms_cm", (600.0, 800.0, 1000.0), 0.02),
        (taken_back, "nernst_einstein_ms_cm", (600.0, 800.0, 1000.0), 0.02),
    ],
)
def test_interval_of_sigma_300k_in_full(
    walk: object, quantity: str, temperatures: tuple[float, ...], rate: float
) -> None:
    found = coverage(walk, quantity, temperatures, rate, FULL_DRAWS, seed=32)
    assert found.n_fits >= 0.99 * FULL_DRAWS
    assert 0.64 <= found.in_68 <= 0.72
    assert 0.93 <= found.in_95 <= 0.97
