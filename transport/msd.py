"""Mean-squared displacements over all time origins, by fast Fourier transform."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError
from .correlation import LaggedProducts

_CACHED_BYTES = 2**20
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
    return tracer_and_collective(positions_angstrom, lags, indices=indices, drift_angstrom=drift_angstrom)[0]


def tracer_and_collective(
    positions_angstrom: NDArray[np.floating],
    lags: NDArray[np.integer] | None = None,
    *,
    indices: NDArray[np.integer] | None = None,
    drift_angstrom: NDArray[np.floating] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute `tracer_msd` and `collective_position` in one pass over the positions.

    Parameters
    ----------
    positions_angstrom : ndarray, shape (n_frames, n_atoms, 3)
        Unwrapped positions in Å.
    lags : ndarray of int, shape (n_lags,), optional
        Lags in frames; all when not given.
    indices : ndarray of int, optional
        Atoms to look at; all when not given.
    drift_angstrom : ndarray, shape (n_frames, 3), optional
        Displacement to take off every atom, in Å.

    Returns
    -------
    msd : ndarray, shape (n_lags, 3)
        MSD along x, y and z in Å².
    position : ndarray, shape (n_frames, 3)
        Collective position in Å.

    Raises
    ------
    AnalysisError
        When a lag does not fit into the run.
    """
    n_frames = len(positions_angstrom)
    wanted = np.arange(n_frames) if lags is None else np.asarray(lags)
    if wanted.size and (int(np.min(wanted)) < 0 or int(np.max(wanted)) >= n_frames):
        raise AnalysisError(f"A lag of {int(np.max(wanted))} frames does not fit into a run of {n_frames} frames.")
    n_atoms = positions_angstrom.shape[1] if indices is None else len(indices)
    products = LaggedProducts(n_frames, wanted, _atoms_at_once(n_frames, n_atoms))
    summed = np.zeros((3, n_frames))
    for block in _tracks(positions_angstrom, indices, drift_angstrom, products.size):
        if wanted.size:
            products.add(block)
        for track in block[..., :n_frames]:
            summed += track
    head = np.concatenate([np.zeros((3, 1)), np.cumsum(products.squares, axis=1)], axis=1)
    # Σ_t x(t)² over the first and over the last n - lag frames.
    ends = head[:, n_frames - wanted] + (head[:, -1:] - head[:, wanted])
    msd = np.maximum((ends.T - 2.0 * products.sums()) / (n_frames - wanted)[:, None], 0.0)
    msd[wanted == 0] = 0.0
    poor = np.any(msd < _CANCELLATION * products.squares.mean(axis=1), axis=1) & (wanted > 0)
    if np.any(poor):
        msd[poor] = 0.0
        for block in _tracks(positions_angstrom, indices, drift_angstrom, n_frames):
            msd[poor] += _direct_msd(block, wanted[poor])
    return msd / n_atoms, (summed - summed[:, :1]).T / np.sqrt(n_atoms)


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
    none = np.empty(0, dtype=np.intp)
    return tracer_and_collective(positions_angstrom, none, indices=indices, drift_angstrom=drift_angstrom)[1]


def _atoms_at_once(n_frames: int, n_atoms: int) -> int:
    """So many that their tracks along one axis stay in the processor's cache."""
    return min(n_atoms, max(1, _CACHED_BYTES // (8 * n_frames)))


def _tracks(
    positions: NDArray[np.floating],
    indices: NDArray[np.integer] | None,
    drift: NDArray[np.floating] | None,
    length: int,
) -> Iterator[NDArray[np.float64]]:
    """Yield a few atoms at a time as (atoms, 3, length) float64, without drift and roughly about their means.

    After the frames come zeros. The array is reused: what was yielded is gone when the next is asked for.
    """
    chosen = np.arange(positions.shape[1]) if indices is None else np.asarray(indices)
    n_frames = len(positions)
    sample = slice(None, None, max(1, n_frames // _FRAMES_OF_MEAN))
    drifted = None if drift is None else np.ascontiguousarray(np.asarray(drift, dtype=np.float64).T)
    at_once = _atoms_at_once(n_frames, len(chosen))
    size = -(-_ATOMS_PER_BLOCK // at_once) * at_once
    columns = np.empty((min(size, len(chosen)), 3, n_frames), dtype=positions.dtype)
    tile = np.empty((_FRAMES_PER_BLOCK, len(columns), 3), dtype=positions.dtype)
    tracks = np.zeros((at_once, 3, length))
    for first in range(0, len(chosen), size):
        part = _as_slice(chosen[first : first + size])
        block = columns[: len(chosen[first : first + size])]
        # Any constant would do: the mean keeps the numbers small, and so the cancellation in the MSD.
        centre = positions[sample, part].mean(axis=0, dtype=np.float64)
        if drifted is not None:
            centre -= drifted[:, sample].mean(axis=1)
        # By blocks of frames, first brought together: transposing from afar would miss the cache at each number.
        for start in range(0, n_frames, _FRAMES_PER_BLOCK):
            frames = slice(start, start + _FRAMES_PER_BLOCK)
            near = tile[: len(positions[frames]), : len(block)]
            near[:] = positions[frames, part]
            block[:, :, frames] = near.transpose(1, 2, 0)
        for start in range(0, len(block), at_once):
            some = block[start : start + at_once]
            few = tracks[: len(some), :, :n_frames]
            few[:] = some
            few -= centre[start : start + at_once, :, None]
            if drifted is not None:
                few -= drifted
            yield tracks[: len(some)]


def _as_slice(indices: NDArray[np.integer]) -> slice | NDArray[np.integer]:
    """Return a slice where indices are consecutive: a view where fancy indexing would copy."""
    if indices.size and np.all(np.diff(indices) == 1):
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return indices


def _direct_msd(block: NDArray[np.float64], lags: NDArray[np.integer]) -> NDArray[np.float64]:
    msd = np.empty((len(lags), 3))
    for row, lag in enumerate(lags):
        step = block[:, :, lag:] - block[:, :, :-lag]
        msd[row] = np.vecdot(step, step).sum(axis=0) / step.shape[2]
    return msd
