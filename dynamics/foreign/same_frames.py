"""Frames that two trajectories share, whatever their format, order of atoms, origin or wrapping."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WAVES = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1), (1, -1, 0), (0, 1, -1), (1, 1, 1))
"""Waves of the cell whose amplitudes tell one frame from another."""

_ROUNDING_ANGSTROM = 1.0e-4
"""Error that the digits of a file leave in a position."""

_FRAMES_PER_BLOCK = 256


def frame_signatures(
    positions_angstrom: NDArray[np.floating], cell_angstrom: NDArray[np.floating]
) -> tuple[NDArray[np.float64], float]:
    """Describe each frame by a few numbers that only its crystal decides.

    They are the moduli of the structure factor at long waves: blind to the order of the atoms, to cell vectors added to
    any of them, to the origin and to a rotation of cell and atoms together.

    Parameters
    ----------
    positions_angstrom : (n_frames, n_atoms, 3) array
        Positions in Å.
    cell_angstrom : (3, 3) array
        Cell vectors as rows, in Å.

    Returns
    -------
    signatures : (n_frames, 9) array
        Dimensionless.
    tolerance : float
        Distance of two signatures within which the frames are the same to the digits of a file.

    Examples
    --------
    >>> import numpy as np
    >>> positions = np.random.default_rng(0).random((1, 4, 3)) * 5.0
    >>> again = positions[:, ::-1] + [5.0, 0.0, 1.0]
    >>> cell = 5.0 * np.eye(3)
    >>> np.allclose(frame_signatures(positions, cell)[0], frame_signatures(again, cell)[0])
    True
    """
    inverse = np.linalg.inv(cell_angstrom)
    signatures = np.empty((len(positions_angstrom), len(_WAVES)))
    for start in range(0, len(positions_angstrom), _FRAMES_PER_BLOCK):
        block = np.asarray(positions_angstrom[start : start + _FRAMES_PER_BLOCK], dtype=np.float64) @ inverse
        phases = np.exp(2j * np.pi * block)
        for column, wave in enumerate(_WAVES):
            product = np.ones(block.shape[:2], dtype=complex)
            for axis, power in enumerate(wave):
                if power:
                    product *= phases[..., axis] if power > 0 else phases[..., axis].conj()
            signatures[start : start + len(block), column] = np.abs(product.sum(axis=1))
    n_atoms = positions_angstrom.shape[1]
    shortest = 1.0 / float(np.max(np.linalg.norm(inverse, axis=0)))
    # Rounding adds up as a random walk over the atoms; five of its standard deviations, over all waves.
    tolerance = 5.0 * 2.0 * np.pi * 2.0 * _ROUNDING_ANGSTROM / shortest * np.sqrt(n_atoms * len(_WAVES))
    return signatures, float(tolerance)


def matching_frames(
    one: tuple[NDArray[np.float64], float], other: tuple[NDArray[np.float64], float]
) -> NDArray[np.intp]:
    """Find each frame of one trajectory in another.

    Parameters
    ----------
    one, other : tuple
        Results of `frame_signatures`.

    Returns
    -------
    (n_frames,) int array
        For each frame of the first its index in the second; -1 where it is not there.
    """
    from scipy.spatial import cKDTree

    distances, places = cKDTree(other[0]).query(one[0], distance_upper_bound=max(one[1], other[1]))
    return np.where(np.isfinite(distances), places, -1)
