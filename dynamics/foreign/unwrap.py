"""Following atoms across periodic boundaries by the nearest image between frames."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError

AMBIGUOUS_STEP = 0.45
"""A step between frames this close to half a cell vector cannot be told from one in the opposite direction."""

LONG_STEP = 0.25
"""A step between frames this long, as a fraction of a cell vector, deserves a note."""

FRAMES_PER_BLOCK = 64
"""Frames worked on at once, so that no second copy of the trajectory is made."""

_SURELY_NEAREST = 0.1
"""Fractional coordinates below this, in a reduced cell, are those of the nearest image and far from ambiguous."""


@dataclass(frozen=True)
class LongestStep:
    """The step between frames that comes nearest to another image of its atom.

    Parameters
    ----------
    share : float
        Length along the lattice vector it comes nearest to, as a fraction of that vector; at most 0.5.
    frame : int
        Frame before the step, counted from zero.
    atom : int
        Index of the atom.
    """

    share: float
    frame: int = 0
    atom: int = 0

    @property
    def is_ambiguous(self) -> bool:
        """Whether the step cannot be told from one in the opposite direction."""
        return self.share > AMBIGUOUS_STEP


def unwrap_fractional(
    fractional: NDArray[np.float64], cell_angstrom: NDArray[np.float64] | None = None, *, in_place: bool = False
) -> tuple[NDArray[np.float64], LongestStep]:
    """Follow atoms across periodic boundaries, taking the nearest image from frame to frame.

    Working in fractional coordinates keeps this right when the cell breathes. The nearest image is that of space: it is
    looked for in the Minkowski-reduced basis of the lattice, however skewed the cell vectors are.

    Parameters
    ----------
    fractional : (n_frames, n_atoms, 3) array
        Fractional coordinates, wrapped in any way.
    cell_angstrom : (3, 3) array, optional
        Cell vectors as rows, in Å; a cube where not given.
    in_place : bool
        Whether to overwrite the coordinates, which saves a copy of the trajectory.

    Returns
    -------
    unwrapped : (n_frames, n_atoms, 3) array
        Continuous fractional coordinates; the first frame is unchanged.
    longest_step : LongestStep
        The longest step; where it is ambiguous, so is the path.

    Examples
    --------
    >>> import numpy as np
    >>> wrapped = np.array([0.8, 0.95, 0.1]).reshape(3, 1, 1) * np.ones(3)
    >>> unwrapped, longest = unwrap_fractional(wrapped)
    >>> np.round(unwrapped[:, 0, 0], 2).tolist(), round(longest.share, 2)
    ([0.8, 0.95, 1.1], 0.15)
    """
    unwrapped = np.asarray(fractional, dtype=np.float64) if in_place else np.array(fractional, dtype=np.float64)
    longest = LongestStep(0.0)
    lattice = _Lattice(np.eye(3) if cell_angstrom is None else cell_angstrom)
    wrapped_before = unwrapped[:1].copy()
    for start in range(1, unwrapped.shape[0], FRAMES_PER_BLOCK):
        block = unwrapped[start : start + FRAMES_PER_BLOCK]
        wrapped_last = block[-1:].copy()
        steps = np.diff(block, axis=0, prepend=wrapped_before)
        share, frame, atom = lattice.shorten(steps)
        if share > longest.share:
            longest = LongestStep(share, start - 1 + frame, atom)
        np.cumsum(steps, axis=0, out=block)
        block += unwrapped[start - 1]
        wrapped_before = wrapped_last
    return unwrapped, longest


class _Lattice:
    """Nearest images in a lattice whose basis may be skewed."""

    def __init__(self, cell: NDArray[np.float64]) -> None:
        from ase.geometry.minkowski_reduction import minkowski_reduce

        reduced, change = minkowski_reduce(cell, pbc=True)
        self._is_reduced = bool(np.array_equal(change, np.eye(3)))
        self._change = np.asarray(change, dtype=np.float64)
        self._inverse = np.rint(np.linalg.inv(self._change))
        self._reduced = np.asarray(reduced, dtype=np.float64)
        # The faces of the Voronoi cell of a Minkowski-reduced lattice are among these.
        self._vectors = np.array([v for v in itertools.product((-1, 0, 1), repeat=3) if v > (0, 0, 0)], dtype=float)
        faces = self._vectors @ self._reduced
        self._to_faces = (faces / np.sum(faces**2, axis=1)[:, None]) @ self._reduced.T

    def shorten(self, steps: NDArray[np.float64]) -> tuple[float, int, int]:
        """Replace steps by their nearest images, in place; say which comes nearest to another image."""
        if not self._is_reduced:
            steps[...] = steps @ self._inverse
        steps -= np.rint(steps)
        where = np.nonzero(np.maximum(steps.max(axis=2), -steps.min(axis=2)) > _SURELY_NEAREST)
        answer = (0.0, 0, 0)
        if where[0].size:
            long = steps[where]
            for _ in range(3):  # in a lattice that is not orthogonal, rounding may miss the nearest image
                shares = long @ self._to_faces.T
                nearest = np.argmax(np.abs(shares), axis=1)
                share = np.take_along_axis(shares, nearest[:, None], axis=1)
                if np.all(np.abs(share) <= 0.5):
                    break
                long -= np.rint(share) * self._vectors[nearest]
            steps[where] = long
            worst = int(np.argmax(np.abs(share)))
            answer = float(abs(share[worst, 0])), int(where[0][worst]), int(where[1][worst])
        if not self._is_reduced:
            steps[...] = steps @ self._change
        return answer


def follow_cell_vectors(
    fractional: NDArray[np.float64], cells_angstrom: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Describe all frames by the cell vectors of the first, where a run changes them for others of its lattice.

    LAMMPS flips a box that has become too skewed; a restart may name the vectors of the same lattice anew.

    Parameters
    ----------
    fractional : (n_frames, n_atoms, 3) array
        Fractional coordinates.
    cells_angstrom : (n_frames, 3, 3) array
        Cell vectors as rows, in Å.

    Returns
    -------
    fractional, cells_angstrom : array
        The same positions; the given arrays where nothing changes.
    n_changes : int
        How often the vectors change.
    """
    ratio = cells_angstrom[1:] @ np.linalg.inv(cells_angstrom[:-1])
    changes = np.rint(ratio)
    is_other = np.any(changes != np.eye(3), axis=(1, 2))
    is_other &= np.abs(np.abs(np.linalg.det(changes)) - 1.0) < 0.01
    is_other &= np.abs(ratio - changes).max(axis=(1, 2)) < 0.1
    if not is_other.any():
        return fractional, cells_angstrom, 0
    fractional, cells = fractional.copy(), cells_angstrom.copy()
    change = np.eye(3)
    ends = [*np.flatnonzero(is_other).tolist(), len(cells) - 1]
    for first, last in itertools.pairwise(ends):
        change = changes[first] @ change
        fractional[first + 1 : last + 1] = fractional[first + 1 : last + 1] @ change
        cells[first + 1 : last + 1] = np.rint(np.linalg.inv(change)) @ cells[first + 1 : last + 1]
    return fractional, cells, len(ends) - 1


def ambiguous_path(longest: LongestStep, path: Path) -> TrajectoryError:
    """Return the refusal of frames too sparse to follow the atoms.

    Parameters
    ----------
    longest : LongestStep
        The step that cannot be followed.
    path : Path
        The file, for messages.

    Returns
    -------
    TrajectoryError
        Naming atom, frames and what to do.
    """
    return TrajectoryError(
        f"Atom {longest.atom + 1} of {path} moves {longest.share:.2f} of a lattice vector between frames "
        f"{longest.frame + 1} and {longest.frame + 2}, so its path across the boundary is ambiguous; write frames more "
        "often, or, where the positions are unwrapped already, say so (unwrapped=True, --unwrapped)."
    )


def check_unwrapped(fractional: NDArray[np.float64], path: Path) -> None:
    """Refuse positions that are declared unwrapped and jump by cell vectors.

    Frames far apart may show long steps of any size.  Steps close to whole cell vectors, or atoms that never leave
    the cell and yet cross half of it at once, are those of wrapped positions.

    Parameters
    ----------
    fractional : (n_frames, n_atoms, 3) array
        Fractional coordinates as the file has them.
    path : Path
        The file, for messages.

    Raises
    ------
    TrajectoryError
        Naming atom and frame.
    """
    steps = np.diff(fractional, axis=0)
    long = np.abs(steps) > 0.5
    if not long.any():
        return
    inside = bool(np.all(fractional > -0.02) and np.all(fractional < 1.02))
    # How far the long steps are from whole cell vectors, against the size of the ordinary ones.
    usual = np.sqrt(np.mean(steps[~long] ** 2)) if (~long).any() else 1.0
    residue = np.sqrt(np.mean((steps[long] - np.rint(steps[long])) ** 2))
    if inside or (residue < 0.1 and residue < 3.0 * usual):
        frame, atom, axis = np.argwhere(long)[0]
        raise TrajectoryError(
            f"The positions of {path} were declared unwrapped, but atom {atom + 1} jumps "
            f"{abs(steps[frame, atom, axis]):.2f} of cell vector {'abc'[axis]} between frames {frame + 1} and "
            f"{frame + 2} ({int(long.sum())} such jumps): they are wrapped; leave out unwrapped (--unwrapped)."
        )
