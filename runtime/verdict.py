"""What a result is worth, in plain words, from the numbers of the run itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..constants import ROOM_TEMPERATURE_K
from ..transport.results import ArrheniusResult, DiffusionResult
from .systematic_errors import CONVERGED_CELL_ATOMS

_FEW_HOPS = 100
"""Below this many hops the statistical error of D is large by any rule (He & Mo: 38 % at 100)."""

_SHORT_EDGE_ANGSTROM = 15.0
"""Below this an ion and its own image feel the same distortion."""


def verdict(
    *,
    n_atoms: int,
    minimum_edge_angstrom: float,
    temperatures: Sequence[DiffusionResult],
    failures: Mapping[str, str],
    arrhenius: ArrheniusResult | None,
    is_unfinished: bool,
    has_upper_bound: bool = False,
) -> str:
    """Say in a few sentences what a result is worth.

    Parameters
    ----------
    n_atoms : int
        Atoms in the simulated cell.
    minimum_edge_angstrom : float
        Smallest distance between opposite faces in Å.
    temperatures : sequence of DiffusionResult
        Results per temperature.
    failures : mapping of str to str
        Temperatures without a result, with the reason.
    arrhenius : ArrheniusResult or None
        The fit.
    is_unfinished : bool
        Whether a trajectory was still to be continued.
    has_upper_bound : bool
        Whether the temperatures bound σ(300 K) from above.

    Returns
    -------
    str
        Sentences for the reader.
    """
    sentences = [_of_size(n_atoms, minimum_edge_angstrom)]
    if temperatures:
        sentences.append(_of_length(temperatures))
    sentences.append(_of_fit(temperatures, arrhenius, has_upper_bound))
    if failures:
        listed = ", ".join(f"{temperature} K" for temperature in failures)
        sentences.append(f"There is no result at {listed}.")
    if is_unfinished:
        sentences.append("Some trajectories are unfinished: resume the run for the full answer.")
    sentences.append("The intervals are statistical only; the known errors of potential and cell stand beside them.")
    return " ".join(sentences)


def _of_size(n_atoms: int, edge: float) -> str:
    cell = f"The simulated cell holds {n_atoms} atoms and is {edge:.1f} Å wide"
    if n_atoms < CONVERGED_CELL_ATOMS // 2 or edge < 10.0:
        return f"{cell}: a demonstration of the method, not a value to publish."
    if n_atoms < CONVERGED_CELL_ATOMS or edge < _SHORT_EDGE_ANGSTROM:
        return f"{cell}: enough to rank materials, too small for a value that is converged with the cell."
    return f"{cell}, which suits many superionic conductors; check a larger one before relying on the value."


def _of_length(temperatures: Sequence[DiffusionResult]) -> str:
    fewest = min(temperatures, key=lambda result: result.effective_hops)
    lengths = sorted(result.duration_ps for result in temperatures)
    shortest, longest = lengths[0], lengths[-1]
    spread = f"{longest:.3g} ps" if math.isclose(shortest, longest) else f"{shortest:.3g} to {longest:.3g} ps"
    text = (
        f"The analysed length is {spread} per temperature, with {fewest.effective_hops:.0f} effective hops at "
        f"{fewest.temperature_k:g} K, where there are fewest"
    )
    if fewest.effective_hops < _FEW_HOPS:
        return f"{text}: short, so errors of some tens of percent are natural and slow correlations may be missed."
    return f"{text}."


def _of_fit(temperatures: Sequence[DiffusionResult], arrhenius: ArrheniusResult | None, has_upper_bound: bool) -> str:
    energy = None if arrhenius is None else arrhenius.activation_energy_ev
    if arrhenius is None or arrhenius.extrapolated_value is None:
        if energy is not None:
            return (
                f"The activation energy comes out as {energy:.2g} eV, though no ion moves faster in the cold: the runs "
                f"are too short or the temperatures too few, so there is {_instead(has_upper_bound)}."
            )
        bounded = [result for result in temperatures if result.tracer.value_cm2_s is None]
        if temperatures and len(bounded) == len(temperatures):
            return "The ions hardly moved at any temperature, so there are upper bounds only and no σ(300 K)."
        return "Fewer than two temperatures gave a usable diffusivity, so there is no σ(300 K)."
    used = [point.temperature_k for point in arrhenius.points if point.used]
    low, high = arrhenius.extrapolated_interval_95 or (0.0, 0.0)
    factor = f", uncertain by a factor of {math.sqrt(high / low):.1f} either way at 95 %" if low > 0 else ""
    text = f"{_how_found(used)}{factor}"
    if arrhenius.curvature.verdict == "curved":
        return f"{text}; the Arrhenius plot is curved, so a straight line misjudges it."
    if arrhenius.curvature.verdict == "untestable":
        return f"{text}; whether the Arrhenius plot is straight cannot be tested with so few temperatures."
    return f"{text}."


def _instead(has_upper_bound: bool) -> str:
    """Say what there is in place of a value."""
    if has_upper_bound:
        return "no σ(300 K) but an upper bound"
    return "no σ(300 K); runs at 300 K or above would at least limit it"


def _how_found(used: Sequence[float]) -> str:
    """Say from where σ(300 K) is read off the line: beyond its coldest or hottest point, or between them."""
    low, high = min(used), max(used)
    count = f"{len(used)} temperatures"
    if low > ROOM_TEMPERATURE_K:
        way = 1000.0 / ROOM_TEMPERATURE_K - 1000.0 / low
        return f"σ(300 K) is extrapolated from {count}, the lowest {low:g} K, over {way:.2f} of 1000 K/T"
    if high < ROOM_TEMPERATURE_K:
        way = 1000.0 / high - 1000.0 / ROOM_TEMPERATURE_K
        return f"σ(300 K) is extrapolated from {count}, the highest {high:g} K, over {way:.2f} of 1000 K/T"
    return f"σ(300 K) is interpolated between {count}, {low:g} to {high:g} K"
