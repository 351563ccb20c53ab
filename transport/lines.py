"""Straight lines through the points of an MSD by generalised least squares, from every possible start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

LATEST_START_SHARE = 0.35
"""Latest start of a fit, as a share of its longest lag."""


class StraightLines:
    """Lines m(τ) = slope · τ + offset through the lags from each start on.

    Parameters
    ----------
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    msd : ndarray, shape (n_lags,)
        MSD in Å².
    covariance : ndarray, shape (n_lags, n_lags)
        Covariance of the MSD in Å⁴.

    Attributes
    ----------
    latest : int
        Index of the latest start; what is given for later ones is zero.
    slope, variance, chi_squared : ndarray, shape (n_lags,)
        Slope in Å²/step, its variance, and χ² of each line.
    coefficients : ndarray, shape (n_lags, 2)
        Slope and offset of each line.
    spread : ndarray, shape (n_lags, 2, 2)
        Covariance of the coefficients.
    rows : ndarray, shape (n_lags, n_lags)
        The linear maps from the MSD to the slopes.
    white : ndarray, shape (n_lags, 3)
        Lag, one and MSD, so transformed that the errors of the lags from any start on are independent.
    """

    def __init__(self, lags: NDArray[np.integer], msd: NDArray[np.float64], covariance: NDArray[np.float64]) -> None:
        n_lags = len(lags)
        latest = int(np.searchsorted(lags, LATEST_START_SHARE * lags[-1]))
        self.latest = max(0, min(latest, n_lags - 5))
        # In reverse order, one factorisation serves all starts: dropping early lags only shortens it.
        self._scale, self._root = _cholesky(covariance[::-1, ::-1])
        self.white = self.whitened(np.column_stack([lags.astype(float), np.ones(n_lags), msd]))
        normals = np.cumsum((self.white[:, :, None] * self.white[:, None, :])[::-1], axis=0)[::-1]
        self.slope, self.variance, self.chi_squared = np.zeros(n_lags), np.zeros(n_lags), np.zeros(n_lags)
        self.coefficients, self.spread = np.zeros((n_lags, 2)), np.zeros((n_lags, 2, 2))
        self.rows = np.zeros((n_lags, n_lags))
        for start in range(self.latest + 1):
            normal = normals[start]
            spread = np.linalg.inv(normal[:2, :2])
            line = spread @ normal[:2, 2]
            used = n_lags - start
            back = solve_triangular(
                self._root[:used, :used],
                self.white[::-1][:used, :2] @ spread[:, 0],
                lower=True,
                trans="T",
                check_finite=False,
            )
            self.rows[start, start:] = (back / self._scale[:used])[::-1]
            self.coefficients[start], self.spread[start] = line, spread
            self.slope[start], self.variance[start] = line[0], spread[0, 0]
            self.chi_squared[start] = normal[2, 2] - normal[:2, 2] @ line

    def whitened(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform columns over the lags so that the errors of all lags from any start on are independent.

        Parameters
        ----------
        columns : ndarray, shape (n_lags, n_columns)
            Curves at the lags.

        Returns
        -------
        ndarray, shape (n_lags, n_columns)
            The transformed curves.
        """
        reverse = columns[::-1] / self._scale[:, None]
        return np.asarray(solve_triangular(self._root, reverse, lower=True, check_finite=False)[::-1])


def _cholesky(covariance: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    jitter = 1e-10
    while True:
        try:
            return scale, np.linalg.cholesky(correlation + jitter * np.eye(len(scale)))
        except np.linalg.LinAlgError:
            jitter *= 100.0
