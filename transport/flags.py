"""What a reader should be warned of: frameworks that move, runs that are too short, drift."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .curves import RunCurves
from .results import DiffusivityEstimate
from .scatter import MotionScatter

TOO_SHORT = "too short to tell diffusion from vibration"
"""Flag of a run whose longest fitted lag is hardly longer than a vibration."""

UNEVEN_IONS = "some ions stay mobile and others do not"
"""Flag of a run whose ions keep mobilities of their own for a quarter of it and longer."""

UNEQUAL_HALVES = "the halves of the run disagree"
"""Flag of a run that moves at another pace in its second half."""

_NOTABLE_DIFFERENCE = 0.2
"""Relative variance of the ions' mobilities below which nobody need be told."""

_SIGNIFICANCE = 3.0
"""Standard errors from which a difference counts: one sound run in some hundreds is beyond."""

_ROTATING_ANGSTROM2 = 9.0
"""What the MSD of free rotors cannot exceed: twice the square of the longest bond, some 2.1 Å, of a polyatomic ion."""

_STEADY_GROWTH = 0.85
"""Ratio of late to early growth of an MSD from which it goes on. Rotors slow enough to look like diffusion, but with
4 Å² behind them, are below in 19 of 20 runs; an MSD of more than `_ROTATING_ANGSTROM2` needs no such ratio."""

_NOTABLE_DRIFT_ANGSTROM = 3.0
_DIFFUSIVE_EXPONENT = 0.6
_EXPONENTS_OF_DIFFUSION = (0.5, 1.4)


def framework_flags(data: RunCurves, greatest_msd_angstrom2: float) -> tuple[list[str], str | None]:
    """Judge whether the framework moves on for ever.

    Parameters
    ----------
    data : RunCurves
        The curves.
    greatest_msd_angstrom2 : float
        MSD in Å² that a framework of a solid does not exceed while it still grows.

    Returns
    -------
    flags : list of str
        Flags for the result.
    reason : str or None
        Why the run may not enter an Arrhenius fit.
    """
    if data.framework is None:
        return [], None
    total = data.framework.sum(axis=1)
    late = int(np.searchsorted(data.lags, data.lags[-1] / 4))
    if total[-1] <= 0 or total[late] <= 0:
        return [], None
    exponent = math.log(total[-1] / total[late]) / math.log(data.lags[-1] / data.lags[late])
    beyond_rotation = total[-1] > _ROTATING_ANGSTROM2 or _late_growth(data.lags, total) > _STEADY_GROWTH
    if total[-1] > greatest_msd_angstrom2 and exponent > _DIFFUSIVE_EXPONENT and beyond_rotation:
        return ["framework diffusing"], (
            f"the framework has moved by {total[-1]:.1f} Å² and is still moving: it melts, rotates or changes phase"
        )
    return [], None


def motion_flags(data: RunCurves, tracer: DiffusivityEstimate, shortest_lag_ps: float) -> list[str]:
    """Collect what a reader should know of the ions' motion.

    Parameters
    ----------
    data : RunCurves
        The curves.
    tracer : DiffusivityEstimate
        Tracer diffusivity.
    shortest_lag_ps : float
        Lag in ps below which displacements are vibrations.

    Returns
    -------
    list of str
        Flags for the result.
    """
    flags = list(tracer.flags)
    if tracer.withheld_reason is not None:
        flags.append("value withheld")
    if data.fit_lags[-1] * data.step_ps < 4.0 * shortest_lag_ps:
        flags.append(TOO_SHORT)
    if max(float(np.linalg.norm(drift[-1])) for drift in data.drifts) > _NOTABLE_DRIFT_ANGSTROM:
        flags.append("drifting")
    return flags


def non_diffusive_reason(data: RunCurves) -> str | None:
    """Judge by its growth whether an MSD that no straight line fits is diffusive all the same.

    Noise that the model of the covariance underrates can spoil a fit; it does not change how the MSD grows.

    Parameters
    ----------
    data : RunCurves
        The curves.

    Returns
    -------
    str or None
        Why the run may not enter an Arrhenius fit; None where the MSD grows about in proportion to time.
    """
    lags, total = data.fit_lags, data.tracer[data.fit_rows].sum(axis=1)
    middle = len(lags) // 2
    if total[middle] <= 0 or total[-1] <= 0 or lags[-1] <= lags[middle]:
        return None
    exponent = math.log(total[-1] / total[middle]) / math.log(lags[-1] / lags[middle])
    low, high = _EXPONENTS_OF_DIFFUSION
    if low <= exponent <= high:
        return None
    return f"the displacements are not diffusive: their mean square grows as time to the power {exponent:.1f}"


def evenness_flags(scatter: MotionScatter, tracer: DiffusivityEstimate) -> list[str]:
    """Warn of motion that is spread unevenly over the ions or over the run.

    Parameters
    ----------
    scatter : MotionScatter
        Scatter of the motion.
    tracer : DiffusivityEstimate
        Tracer diffusivity.

    Returns
    -------
    list of str
        Flags for the result.
    """
    flags = []
    spread = scatter.activity
    if spread is not None and spread.lasting > max(_NOTABLE_DIFFERENCE, _SIGNIFICANCE * spread.lasting_error):
        flags.append(UNEVEN_IONS)
    first, second = scatter.halves
    # Half a run has twice the variance, and two halves differ by both.
    if tracer.relative_error is not None and first > 0 < second:
        difference = abs(math.log(second / first))
        if difference > _SIGNIFICANCE * 2.0 * tracer.relative_error:
            flags.append(UNEQUAL_HALVES)
    return flags


def _late_growth(lags: NDArray[np.integer], msd: NDArray[np.float64]) -> float:
    """Growth per time from half of the longest lag on, over that from an eighth to a half of it."""
    eighth, half = np.interp(lags[-1] / np.array([8.0, 2.0]), lags, msd)
    early, late = (half - eighth) / 3.0, (msd[-1] - half) / 4.0
    return float(late / early) if early > 0 else math.inf
