"""The summed power spectrum of many long tracks, by transforms short enough for the processor's cache."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_LONGEST_AT_ONCE = 2**15


class PowerSpectrum:
    """Σ |X(f)|² over real tracks padded with zeros, per axis, and the correlation on a ring that it stands for.

    A long transform reads and writes the whole track at each of its passes. It is therefore split in two: with
    t = a + n_columns · b and f = c + n_rows · d, first over b at each a, then, turned by exp(−2πi a c / size), over a
    at each c. The frequencies come out in another order, which a sum over tracks need not mind.

    Parameters
    ----------
    size : int
        Length of the padded tracks, with small prime factors.
    n_tracks : int
        Most tracks added at once.

    Examples
    --------
    >>> spectrum = PowerSpectrum(4, 1)
    >>> spectrum.add(np.array([1.0, 2.0, 3.0, 0.0]) * np.ones((1, 3, 1)))
    >>> spectrum.ring_correlation()[0].round(12).tolist()
    [14.0, 8.0, 6.0, 8.0]
    """

    def __init__(self, size: int, n_tracks: int) -> None:
        self._size = size
        self._n_columns = _greatest_divisor(size, math.isqrt(size)) if size > _LONGEST_AT_ONCE else 1
        self._n_rows = size // self._n_columns
        n_kept = self._n_rows // 2 + 1
        self._spectrum = np.empty((n_tracks, n_kept, self._n_columns), dtype=np.complex128)
        self._power = np.zeros((3, n_kept, 2 * self._n_columns))
        turns = np.outer(np.arange(n_kept), np.arange(self._n_columns)) / size
        self._turn = np.exp(-2j * np.pi * turns)

    def add(self, block: NDArray[np.float64]) -> None:
        """Add tracks.

        Parameters
        ----------
        block : ndarray, shape (n_tracks, 3, size)
            Padded tracks.
        """
        spectrum = self._spectrum[: len(block)]
        squares = spectrum.view(np.float64)
        for axis in range(3):
            np.fft.rfft(block[:, axis].reshape(len(block), self._n_rows, self._n_columns), axis=1, out=spectrum)
            if self._n_columns > 1:
                np.multiply(spectrum, self._turn, out=spectrum)
                np.fft.fft(spectrum, axis=2, out=spectrum)
            np.multiply(squares, squares, out=squares)
            for track in squares:
                self._power[axis] += track

    def ring_correlation(self) -> NDArray[np.float64]:
        """Return the correlation of what was added, in which the end of the padded tracks meets their start.

        Returns
        -------
        ndarray, shape (3, size)
            Σ x(t) · x(t + lag modulo size) along each axis.
        """
        power = self._power[..., ::2] + self._power[..., 1::2]
        frequency = np.arange(power.shape[1])[:, None] + self._n_rows * np.arange(self._n_columns)
        ordered = np.empty((3, self._size))
        ordered[:, frequency] = power
        ordered[:, -frequency % self._size] = power
        return np.fft.irfft(ordered[:, : self._size // 2 + 1], self._size, axis=1)


def _greatest_divisor(number: int, limit: int) -> int:
    return next(divisor for divisor in range(limit, 0, -1) if number % divisor == 0)
