"""A smooth model of a mean-squared displacement: free diffusion plus relaxations that saturate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear, nnls

_DECAY_TIMES = 12.0


@dataclass(frozen=True)
class MsdModel:
    """m(τ) = slope · τ + Σ amplitude · (1 − exp(−τ / time)).

    Rattling in a cage saturates fast, correlated back-hops more slowly; both have non-negative amplitudes,
    which makes m the MSD of a process that exists, and its covariance positive.

    Parameters
    ----------
    slope : float
        MSD gained per step by free diffusion, in Å².
    amplitudes : ndarray, shape (n_terms,)
        Saturation values in Å².
    times : ndarray, shape (n_terms,)
        Relaxation times in steps.
    """

    slope: float
    amplitudes: NDArray[np.float64]
    times: NDArray[np.float64]

    def __call__(self, steps: NDArray[np.number]) -> NDArray[np.float64]:
        """Evaluate the model.

        Parameters
        ----------
        steps : ndarray
            Lag times in steps.

        Returns
        -------
        ndarray
            MSD in Å².
        """
        lag = np.asarray(steps, dtype=float)
        value = self.slope * lag
        for amplitude, time in zip(self.amplitudes, self.times, strict=True):
            if amplitude > 0:
                value = value - amplitude * np.expm1(-lag / time)
        return value

    @property
    def memory(self) -> int:
        """Steps after which increments are uncorrelated: many times the slowest relaxation."""
        present = self.times[self.amplitudes > 0]
        return int(np.ceil(_DECAY_TIMES * present[-1])) if present.size else 0


def fit_msd_model(
    lags: NDArray[np.integer], msd: NDArray[np.float64], shape: MsdModel | None = None, n_times: int = 10
) -> MsdModel:
    """Fit the model to MSD points by non-negative least squares of the relative deviations.

    Parameters
    ----------
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    msd : ndarray, shape (n_lags,)
        MSD in Å².
    shape : MsdModel, optional
        Model of a less noisy curve of the same motion: only one common factor of its relaxations is then fitted.
    n_times : int
        Relaxation times, spaced logarithmically over the lags.

    Returns
    -------
    MsdModel
        The smooth curve.
    """
    lag = lags.astype(float)
    if shape is None:
        times = np.geomspace(0.3, max(lags[-1] / 4.0, 1.0), n_times)
        relaxations = -np.expm1(-lag[:, None] / times)
    else:
        times = shape.times
        relaxations = (shape(lag) - shape.slope * lag)[:, None]
    design = np.column_stack([lag, relaxations])
    # Long lags scatter more: their relative deviation is worth less.
    weight = 1.0 / (np.maximum(msd, 1e-12 * max(float(np.max(msd)), 1e-300)) * np.sqrt(lag / lag[0]))
    try:
        solution, _ = nnls(design * weight[:, None], msd * weight)
    except RuntimeError:
        # Relaxations so alike that the active set cycles: an interior-point solver does not care.
        solution = lsq_linear(design * weight[:, None], msd * weight, bounds=(0.0, np.inf)).x
    if not np.any(solution > 0):
        solution[0] = max(float(msd[-1]) / float(lag[-1]), 1e-300)
    amplitudes = solution[1:] if shape is None else solution[1] * shape.amplitudes
    return MsdModel(float(solution[0]), amplitudes, times)
