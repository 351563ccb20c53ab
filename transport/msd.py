"""Mean-squared displacements over all time origins, by fast Fourier transform."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..errors import AnalysisError

_ATOMS_PER_BLOCK = 16
_FRAMES_PER_BLOCK = 512
_FRAMES_OF_MEAN = 64
# Below this share of the variance of the positions, the Fourier route loses digits by cancellation.
_CANCELLATION = 1e-4


def tracer_msd(
    positions_angstrom: NDArray[np.floating],
    lags: NDArray[np.integer] | None = None,
    *,
    indices: NDArray[np.integer] | None = None,
    drift_angstrom: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Mean-squared displacement per axis, over all time origins and averaged over atoms.

    Parameters
    ----------
    positions_angstrom : ndarray, shape (n_frames, n_atoms, 3)
        Unwrapped positions in Å, of any float type.
    lags : ndarray of int, shape (n_lags,), optional
        Lags in frames; all from 0 to n_frames - 1 when not given.
    indices : ndarray of int, optional
        Atoms to average over; all when not given.
    drift_angstrom : ndarray, shape (n_frames, 3), optional
        Displacement to take off every atom, in Å.

    Returns
    -------
    ndarray, shape (n_lags, 3)
        MSD along x, y and z in Å²; its sum over axes is the usual MSD.

    Raises
    ------
    AnalysisError
        When a lag does not fit into the run.

    Notes
    -----
    The power spectra of the atoms are summed before the one inverse transform, so the work is one
    forward transform per atom and axis, and the memory is that of a few atoms.

    References
    ----------
    Calandrini et al., École thématique de la Société Française de la Neutronique 12, 201 (2011),
    10.1051/sfn/201112010.

    Examples
    --------
    >>> import numpy as np
    >>> walk = np.arange(5.0)[:, None, None] * np.array([1.0, 0.0, 0.0])
    >>> tracer_msd(walk, np.array([1, 3])).round(12).tolist()
    [[1.0, 0.0, 0.0], [9.0, 0.0, 0.0]]
    """
    n_atoms = positions_angstrom.shape[1] if indices is None else len(indices)
    tracks = _tracks(positions_angstrom, indices, drift_angstrom)
    total = _summed_msd(tracks, positions_angstrom.shape[0], lags)
    refine = _lags_to_refine(total, positions_angstrom.shape[0], lags)
    if refine.size:
        chosen = refine if lags is None else np.asarray(lags)[refine]
        direct = np.zeros((len(chosen), 3))
        for block in _tracks(positions_angstrom, indices, drift_angstrom):
            direct += _direct_sum(block, chosen)
        total.msd[refine] = direct
    return total.msd / n_atoms


def collective_msd(
    positions_angstrom: NDArray[np.floating],
    lags: NDArray[np.integer] | None = None,
    *,
    indices: NDArray[np.integer] | None = None,
    drift_angstrom: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Mean-squared displacement of the summed position, divided by the number of atoms.

    Its slope gives the charge diffusivity of equal charges; for uncorrelated atoms it equals `tracer_msd`
    on average.

    Parameters
    ----------
    positions_angstrom : ndarray, shape (n_frames, n_atoms, 3)
        Unwrapped positions in Å.
    lags : ndarray of int, shape (n_lags,), optional
        Lags in frames; all when not given.
    indices : ndarray of int, optional
        Atoms to sum over; all when not given.
    drift_angstrom : ndarray, shape (n_frames, 3), optional
        Displacement to take off every atom, in Å.

    Returns
    -------
    ndarray, shape (n_lags, 3)
        |Σ Δr|² / n_atoms along x, y and z in Å².

    Examples
    --------
    >>> import numpy as np
    >>> both = np.arange(4.0)[:, None, None] * np.ones((1, 2, 3))
    >>> collective_msd(both, np.array([1])).round(12).tolist()
    [[2.0, 2.0, 2.0]]
    """
    summed = collective_position(positions_angstrom, indices=indices, drift_angstrom=drift_angstrom)
    return tracer_msd(summed[:, None, :], lags)


def collective_position(
    positions_angstrom: NDArray[np.floating],
    *,
    indices: NDArray[np.integer] | None = None,
    drift_angstrom: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Sum the displacements of the atoms since the first frame, over the root of their number.

    Parameters
    ----------
    positions_angstrom : ndarray, shape (n_frames, n_atoms, 3)
        Unwrapped positions in Å.
    indices : ndarray of int, optional
        Atoms to sum over; all when not given.
    drift_angstrom : ndarray, shape (n_frames, 3), optional
        Displacement to take off every atom, in Å.

    Returns
    -------
    ndarray, shape (n_frames, 3)
        Collective position in Å.
    """
    chosen = slice(None) if indices is None else _as_slice(np.asarray(indices))
    n_atoms = positions_angstrom.shape[1] if indices is None else len(indices)
    summed = np.empty((positions_angstrom.shape[0], 3))
    for first in range(0, len(summed), _FRAMES_PER_BLOCK):
        block = positions_angstrom[first : first + _FRAMES_PER_BLOCK, chosen].astype(np.float64)
        summed[first : first + len(block)] = np.einsum("tax->tx", block)
    summed -= summed[0].copy()
    if drift_angstrom is not None:
        summed -= n_atoms * np.asarray(drift_angstrom)
    return summed / np.sqrt(n_atoms)


def _tracks(
    positions: NDArray[np.floating],
    indices: NDArray[np.integer] | None,
    drift: NDArray[np.floating] | None,
) -> Iterator[NDArray[np.float64]]:
    """Yield a few atoms at a time as (atoms, 3, n_frames) float64, without drift and roughly about their means.

    The array is reused: what was yielded is gone when the next is asked for.
    """
    chosen = np.arange(positions.shape[1]) if indices is None else np.asarray(indices)
    n_frames = len(positions)
    sample = slice(None, None, max(1, n_frames // _FRAMES_OF_MEAN))
    drifted = None if drift is None else np.ascontiguousarray(np.asarray(drift, dtype=np.float64).T)
    buffer = np.empty((_ATOMS_PER_BLOCK, 3, n_frames))
    for first in range(0, len(chosen), _ATOMS_PER_BLOCK):
        part = _as_slice(chosen[first : first + _ATOMS_PER_BLOCK])
        tracks = buffer[: len(chosen[first : first + _ATOMS_PER_BLOCK])]
        # Any constant would do: the mean keeps the numbers small, and so the cancellation in the MSD.
        centre = positions[sample, part].mean(axis=0, dtype=np.float64)
        if drifted is not None:
            centre -= drifted[:, sample].mean(axis=1)
        # By blocks of frames: transposing the whole at once would miss the processor's cache at each number.
        for start in range(0, n_frames, _FRAMES_PER_BLOCK):
            frames = slice(start, start + _FRAMES_PER_BLOCK)
            block = tracks[:, :, frames]
            block[:] = positions[frames, part].transpose(1, 2, 0)
            block -= centre[:, :, None]
            if drifted is not None:
                block -= drifted[:, frames]
        yield tracks


def _as_slice(indices: NDArray[np.integer]) -> slice | NDArray[np.integer]:
    """Return a slice where indices are consecutive: a view where fancy indexing would copy."""
    if indices.size and np.all(np.diff(indices) == 1):
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return indices


class _SummedMsd:
    """Sum over atoms of the time-averaged MSD, and of the variance of the positions."""

    def __init__(self, msd: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
        self.msd = msd
        self.variance = variance


def _summed_msd(tracks: Iterator[NDArray[np.float64]], n_frames: int, lags: NDArray[np.integer] | None) -> _SummedMsd:
    wanted = np.arange(n_frames) if lags is None else np.asarray(lags)
    longest = int(np.max(wanted)) if wanted.size else 0
    if wanted.size and (int(np.min(wanted)) < 0 or longest >= n_frames):
        raise AnalysisError(f"A lag of {longest} frames does not fit into a run of {n_frames} frames.")
    size = fft.next_fast_len(n_frames + longest, real=True)
    power = np.zeros((3, size // 2 + 1))
    squares = np.zeros((3, n_frames))
    for block in tracks:
        squares += np.einsum("axt,axt->xt", block, block)
        for track in block:
            spectrum = fft.rfft(track, size, axis=1, workers=1)
            power += spectrum.real**2
            power += spectrum.imag**2
    correlation = fft.irfft(power, size, axis=1, workers=1)[:, wanted]
    head = np.concatenate([np.zeros((3, 1)), np.cumsum(squares, axis=1)], axis=1)
    # Σ_t x(t)² over the first and over the last n - lag frames.
    ends = head[:, n_frames - wanted] + (head[:, -1:] - head[:, wanted])
    msd = ((ends - 2.0 * correlation) / (n_frames - wanted)).T
    msd[wanted == 0] = 0.0
    return _SummedMsd(np.maximum(msd, 0.0), squares.mean(axis=1))


def _lags_to_refine(total: _SummedMsd, n_frames: int, lags: NDArray[np.integer] | None) -> NDArray[np.intp]:
    wanted = np.arange(n_frames) if lags is None else np.asarray(lags)
    poor = np.any(total.msd < _CANCELLATION * total.variance, axis=1) & (wanted > 0)
    return np.flatnonzero(poor)


def _direct_sum(block: NDArray[np.float64], lags: NDArray[np.integer]) -> NDArray[np.float64]:
    sums = np.empty((len(lags), 3))
    for row, lag in enumerate(lags):
        step = block[:, :, lag:] - block[:, :, :-lag]
        sums[row] = np.einsum("axt,axt->x", step, step) / step.shape[2]
    return sums
