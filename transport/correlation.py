"""Sums of x(t) · x(t + lag) over a run at chosen lags, by Fourier transform where that is cheaper than directly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from .power_spectrum import PowerSpectrum

_POINT_COST = 45
"""Multiplications and additions that take as long as transforming one point and summing its power (measured)."""

_CALL_COST = 20_000
"""And as long as the calls of numpy for one directly summed lag."""


class LaggedProducts:
    """Sums of x(t) · x(t + lag) over times and tracks, per axis, fed block by block.

    A transform of the run as it is would see it as a ring, where C(lag) comes mixed with C(size − lag), products of
    the run's last points with its first. Padding with zeros up to the longest lag keeps them apart and makes the
    transform longer. With less padding the result is as exact if the smaller of the two is summed directly, which is
    cheap unless the lag is near half the run. The padding that is cheapest for the lags wanted is chosen.

    Parameters
    ----------
    n_frames : int
        Length of the tracks.
    lags : ndarray of int, shape (n_lags,)
        Lags in frames, from 0 to n_frames - 1.
    n_atoms : int
        Most atoms added at once.

    Attributes
    ----------
    size : int
        Length to which tracks are to be padded with zeros.
    squares : ndarray, shape (3, n_frames)
        Σ x(t)² over the tracks so far.

    Examples
    --------
    >>> products = LaggedProducts(4, np.array([1, 3]), 1)
    >>> track = np.pad(np.array([1.0, 2.0, 3.0, 4.0]), (0, products.size - 4))
    >>> products.add(track * np.ones((1, 3, 1)))
    >>> products.sums()[:, 0].round(12).tolist()
    [20.0, 4.0]
    """

    def __init__(self, n_frames: int, lags: NDArray[np.integer], n_atoms: int) -> None:
        self._lags = np.asarray(lags, dtype=np.intp)
        self._n_frames = n_frames
        self.size = _cheapest_size(n_frames, self._lags, 3 * n_atoms)
        self._direct_lags = np.unique(_shorter_sum(self._lags, self.size)[self._lags > self.size - n_frames])
        self._direct = np.zeros((len(self._direct_lags), n_atoms, 3))
        self._spectrum = PowerSpectrum(self.size, n_atoms)
        self._scratch = np.empty(n_frames)
        self.squares = np.zeros((3, n_frames))

    def add(self, block: NDArray[np.float64]) -> None:
        """Add tracks.

        Parameters
        ----------
        block : ndarray, shape (n_atoms, 3, size)
            Tracks about any constant, and zeros after their n_frames; small numbers lose fewest digits.
        """
        for axis, squares in enumerate(self.squares):
            for track in block[:, axis, : self._n_frames]:
                squares += np.multiply(track, track, out=self._scratch)
        for row, lag in enumerate(self._direct_lags):
            early, late = block[..., : self._n_frames - lag], block[..., lag : self._n_frames]
            self._direct[row, : len(block)] += np.vecdot(early, late)
        self._spectrum.add(block)

    def sums(self) -> NDArray[np.float64]:
        """Return the sums over all tracks so far.

        Returns
        -------
        ndarray, shape (n_lags, 3)
            Σ x(t) · x(t + lag) along each axis.
        """
        sums = self._spectrum.ring_correlation()[:, self._lags].T
        mixed = self._lags > self.size - self._n_frames
        shorter = _shorter_sum(self._lags[mixed], self.size)
        direct = self._direct.sum(axis=1)[np.searchsorted(self._direct_lags, shorter)]
        sums[mixed] = np.where((self._lags[mixed] == shorter)[:, None], direct, sums[mixed] - direct)
        return sums


def _shorter_sum(lags: NDArray[np.intp], size: int | NDArray[np.intp]) -> NDArray[np.intp]:
    """Of a lag and the one that a ring of that size mixes with it, that with fewer terms."""
    return np.maximum(lags, size - lags)


def _cheapest_size(n_frames: int, lags: NDArray[np.intp], tracks_at_once: int) -> int:
    size, sizes = n_frames - 1, []
    while size < n_frames + int(np.max(lags, initial=0)):
        size = next_fast_len(size + 1, real=True)
        sizes.append(size)
    tried = np.array(sizes)
    mixed = lags > tried[:, None] - n_frames
    terms = n_frames - _shorter_sum(lags, tried[:, None]) + _CALL_COST // tracks_at_once
    direct = np.sum(np.where(mixed, terms, 0), axis=1)
    return sizes[int(np.argmin(direct + _POINT_COST * tried))]
