"""Count how often σ(300 K) of a crowded gas is held, and how often its Arrhenius line is called curved.

Run from `benchmarks/`, with 100 series of each kind (some ten minutes on one core):

    OMP_NUM_THREADS=1 python -m mechanisms.arrhenius 100
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from superion.constants import BOLTZMANN_EV_PER_K
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.arrhenius import ArrheniusQuantity, fit_arrhenius
from superion.transport.arrhenius_points import arrhenius_inputs
from superion.transport.conductivity import conductivity_per_diffusivity
from superion.transport.results import ArrheniusResult, DiffusionResult

from .lattice_gas import lattice_gas

BARRIER_EV = 0.25
ATTEMPTS_PER_PS_AT_600_K = 0.2
SERIES_K = {
    3: (600.0, 800.0, 1000.0),
    4: (600.0, 700.0, 850.0, 1000.0),
    6: (500.0, 600.0, 700.0, 800.0, 900.0, 1000.0),
}
QUANTITIES: tuple[ArrheniusQuantity, ...] = ("nernst_einstein_ms_cm", "collective_ms_cm")
_N_FRAMES = 2000
_BEND_K, _BENT_BARRIER_EV = 800.0, 3.0 * BARRIER_EV
_VOLUME_PER_ION_ANGSTROM3 = 40.0


@dataclass(frozen=True)
class SeriesVerdict:
    """What was counted for one quantity over many series.

    Parameters
    ----------
    coverage_68, coverage_95 : float
        Share of the intervals of σ(300 K) that hold the truth.
    bias : float
        Mean of ln σ(300 K) over the truth.
    curved, warned : float
        Share of the series that are called curved, and that carry any warning on the line.
    """

    coverage_68: float
    coverage_95: float
    bias: float
    curved: float
    warned: float


def attempts_per_ps(temperature_k: float, *, bent: bool = False) -> float:
    """Give the attempts of an ion to hop; where the line is bent, the barrier is three times as high in the cold."""

    def factor(barrier_ev: float, above_k: float, at_k: float) -> float:
        return math.exp(-barrier_ev / BOLTZMANN_EV_PER_K * (1.0 / at_k - 1.0 / above_k))

    if bent and temperature_k < _BEND_K:
        at_bend = ATTEMPTS_PER_PS_AT_600_K * factor(BARRIER_EV, 600.0, _BEND_K)
        return at_bend * factor(_BENT_BARRIER_EV, _BEND_K, temperature_k)
    return ATTEMPTS_PER_PS_AT_600_K * factor(BARRIER_EV, 600.0, temperature_k)


def draw_series(
    rng: np.random.Generator, temperatures_k: tuple[float, ...], n_series: int, *, bent: bool = False
) -> tuple[list[list[DiffusionResult]], dict[ArrheniusQuantity, float]]:
    """Analyse series of gases with one site in five vacant; returns them and the true conductivities at 300 K."""
    settings = DiffusionSettings(equilibration_ps=0.0)
    series: list[list[DiffusionResult]] = [[] for _ in range(n_series)]
    for temperature in temperatures_k:
        rate = attempts_per_ps(temperature, bent=bent)
        for results, walk in zip(
            series, lattice_gas(rng, n_series, _N_FRAMES, vacant=0.2, attempts_per_ps=rate), strict=True
        ):
            run = walk.as_run(temperature_k=temperature, volume_per_ion_angstrom3=_VOLUME_PER_ION_ANGSTROM3)
            results.append(analyze_diffusion([run], mobile_ion="Li", ion_charge=1.0, settings=settings))
    n_ions = run.n_ions
    cooled = attempts_per_ps(300.0) / rate
    unit = conductivity_per_diffusivity(n_ions, 1.0, n_ions * _VOLUME_PER_ION_ANGSTROM3, 300.0)
    truths = (walk.tracer_cm2_s, walk.charge_cm2_s)
    return series, {name: truth * cooled * unit for name, truth in zip(QUANTITIES, truths, strict=True)}


def judge_series(fits: list[ArrheniusResult], truth: float) -> SeriesVerdict:
    """Count over many lines that share their truth; a line that is not extrapolated holds nothing."""
    held_68, held_95, errors = 0, 0, []
    for fit in fits:
        if fit.extrapolated_value is None:
            continue
        low, high = fit.extrapolated_interval_68
        held_68 += low <= truth <= high
        low, high = fit.extrapolated_interval_95
        held_95 += low <= truth <= high
        errors.append(math.log(fit.extrapolated_value / truth))
    return SeriesVerdict(
        held_68 / len(fits),
        held_95 / len(fits),
        float(np.mean(errors)),
        sum(fit.curvature.verdict == "curved" for fit in fits) / len(fits),
        sum(bool(fit.flags) for fit in fits) / len(fits),
    )


def main() -> None:
    """Judge as many series as the command line says, straight ones of each size and bent ones of four temperatures."""
    n_series = int(sys.argv[1])
    print("| temperatures | line | quantity | 68 % | 95 % | bias of ln σ | curved | any warning |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for size, bent in ((3, False), (4, False), (6, False), (4, True)):
        series, truths = draw_series(np.random.default_rng([41, size, bent]), SERIES_K[size], n_series, bent=bent)
        for quantity, truth in truths.items():
            found = judge_series(
                [fit_arrhenius(arrhenius_inputs(results, quantity), quantity=quantity) for results in series], truth
            )
            held = f"{found.coverage_68:.3f} | {found.coverage_95:.3f} | {found.bias:+.3f}"
            print(
                f"| {size} | {'bent' if bent else 'straight'} | {quantity.removesuffix('_ms_cm')} | "
                f"{'– | – | –' if bent else held} | {found.curved:.3f} | {found.warned:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
