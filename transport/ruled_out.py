"""Decide whether a material can still reach the conductivity that is asked for."""

from __future__ import annotations

import math

from ..constants import BOLTZMANN_EV_PER_K, ROOM_TEMPERATURE_K
from ..errors import AnalysisError
from .conductivity import conductivity_per_diffusivity
from .intervals import confidence_bound, upper_bound_where_withheld
from .results import DiffusionResult, DiffusivityEstimate

FALSE_RULED_OUT_RATE = 0.05
"""Greatest probability, over all looks at one run, of ruling out a material that reaches the target."""


def greatest_sigma_300k_ms_cm(
    sigma_upper_ms_cm: float, temperature_k: float, minimum_barrier_ev: float = 0.10
) -> float:
    """Greatest σ(300 K) compatible with an upper bound of σ at a higher temperature.

    An Arrhenius law in σT with the smallest barrier thinkable falls least on the way down to 300 K.

    Parameters
    ----------
    sigma_upper_ms_cm : float
        Upper bound of the conductivity at `temperature_k`, in mS/cm.
    temperature_k : float
        Temperature of the run in K, not below 300 K.
    minimum_barrier_ev : float
        Smallest activation energy thinkable, in eV.

    Returns
    -------
    float
        Upper bound of σ(300 K) in mS/cm.

    Raises
    ------
    AnalysisError
        When the temperature is below 300 K, where the bound would not hold.

    Examples
    --------
    >>> round(greatest_sigma_300k_ms_cm(100.0, 600.0), 3)
    28.911
    """
    if temperature_k < ROOM_TEMPERATURE_K:
        raise AnalysisError(f"A run at {temperature_k:g} K cannot bound σ(300 K) from above; run at 300 K or higher.")
    per_kelvin = 1.0 / ROOM_TEMPERATURE_K - 1.0 / temperature_k
    barrier_factor = math.exp(-minimum_barrier_ev / BOLTZMANN_EV_PER_K * per_kelvin)
    return temperature_k / ROOM_TEMPERATURE_K * sigma_upper_ms_cm * barrier_factor


def is_ruled_out(
    sigma_upper_ms_cm: float,
    temperature_k: float,
    target_sigma_300k_ms_cm: float,
    minimum_barrier_ev: float = 0.10,
) -> bool:
    """Whether σ(300 K) cannot reach the target, given an upper bound at a higher temperature.

    Parameters
    ----------
    sigma_upper_ms_cm : float
        Upper bound of the conductivity at `temperature_k`, in mS/cm; for repeated looks at one run, that of
        `sequential_sigma_upper_ms_cm`.
    temperature_k : float
        Temperature of the run in K.
    target_sigma_300k_ms_cm : float
        Conductivity asked for at 300 K, in mS/cm.
    minimum_barrier_ev : float
        Smallest activation energy thinkable, in eV.

    Returns
    -------
    bool
        True where the material is ruled out.

    Examples
    --------
    >>> is_ruled_out(1.0, 600.0, 1.0)
    True
    """
    return greatest_sigma_300k_ms_cm(sigma_upper_ms_cm, temperature_k, minimum_barrier_ev) < target_sigma_300k_ms_cm


def sequential_confidence(look: int, false_rate: float = FALSE_RULED_OUT_RATE) -> float:
    """One-sided confidence to use at the n-th look, so that all looks together err at most at `false_rate`.

    The error is spent as false_rate · 6 / (π n)², which sums to `false_rate` over endless looks.

    Parameters
    ----------
    look : int
        Number of the look, from 1.
    false_rate : float
        Probability of error over all looks.

    Returns
    -------
    float
        Confidence of this look's bound.

    Examples
    --------
    >>> round(sequential_confidence(1), 4), round(sequential_confidence(5), 4)
    (0.9696, 0.9988)
    """
    return 1.0 - false_rate * 6.0 / (math.pi * look) ** 2


def sequential_sigma_upper_ms_cm(result: DiffusionResult, look: int, false_rate: float = FALSE_RULED_OUT_RATE) -> float:
    """Upper bound that holds for the Nernst-Einstein and the collective conductivity, at all looks together.

    Where ions move in concert (Haven ratio below 1), the conductivity is the collective one and exceeds that of the
    tracer. The greater of the two bounds lies below the greater of the two truths no more often than that one's
    own bound does, so both cost no more of the error than one.

    Parameters
    ----------
    result : DiffusionResult
        Analysis of the run so far.
    look : int
        Number of this look, from 1.
    false_rate : float
        Probability that any look's bound lies below the greater of the two true conductivities.

    Returns
    -------
    float
        Upper bound in mS/cm; infinite where nothing can be said.

    Examples
    --------
    Four ions always hop together: the collective conductivity is four times the tracer's.

    >>> import numpy as np
    >>> from superion.transport.calibration import analyze_walk
    >>> from superion.transport.synthetic import lattice_walk
    >>> walk = lattice_walk(np.random.default_rng(1), n_ions=24, n_frames=400, rattle_angstrom=0.3, group_size=4)
    >>> result = analyze_walk(walk)
    >>> sequential_sigma_upper_ms_cm(result, 1) > 2.0 * result.nernst_einstein.upper_bound_95_ms_cm
    True
    """
    if (result.tracer.upper_bound_95_cm2_s or 0.0) <= 0:
        return math.inf
    confidence = sequential_confidence(look, false_rate)
    # The same for both: density of ions, charge and temperature.
    per_diffusivity = conductivity_per_diffusivity(
        result.n_ions, result.ion_charge, result.volume_angstrom3, result.temperature_k
    )
    return max(_upper_cm2_s(estimate, confidence) for estimate in (result.tracer, result.charge)) * per_diffusivity


def _upper_cm2_s(estimate: DiffusivityEstimate, confidence: float) -> float:
    """Bound one diffusivity from above, whether its value is claimed or withheld."""
    if estimate.law is None:
        return math.inf
    bound = upper_bound_where_withheld if estimate.value_cm2_s is None else confidence_bound
    return bound(estimate.law, confidence)
