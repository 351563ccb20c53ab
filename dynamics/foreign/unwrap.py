"""Following atoms across periodic boundaries by the nearest image between frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError

AMBIGUOUS_STEP = 0.45
"""A step between frames this close to half a cell vector cannot be told from one in the opposite direction."""

LONG_STEP = 0.25
"""A step between frames this long, as a fraction of a cell vector, deserves a note."""


def unwrap_fractional(fractional: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Follow atoms across periodic boundaries, taking the nearest image from frame to frame.

    Working in fractional coordinates keeps this right when the cell changes its shape.

    Parameters
    ----------
    fractional : (n_frames, n_atoms, 3) array
        Fractional coordinates, wrapped in any way.

    Returns
    -------
    unwrapped : (n_frames, n_atoms, 3) array
        Continuous fractional coordinates; the first frame is unchanged.
    longest_step : float
        Longest step between consecutive frames along a cell vector, as a fraction of it; at most 0.5.

    Raises
    ------
    TrajectoryError
        An atom moves about half a cell vector between two frames, so that its path is ambiguous.

    Examples
    --------
    >>> import numpy as np
    >>> wrapped = np.array([0.8, 0.95, 0.1]).reshape(3, 1, 1) * np.ones(3)
    >>> unwrapped, longest = unwrap_fractional(wrapped)
    >>> np.round(unwrapped[:, 0, 0], 2).tolist(), round(longest, 2)
    ([0.8, 0.95, 1.1], 0.15)
    """
    unwrapped = np.array(fractional, dtype=np.float64)
    if unwrapped.shape[0] < 2:
        return unwrapped, 0.0
    steps = np.diff(unwrapped, axis=0)
    steps -= np.rint(steps)
    longest = float(np.max(np.abs(steps)))
    if longest > AMBIGUOUS_STEP:
        frame, atom, axis = np.unravel_index(int(np.argmax(np.abs(steps))), steps.shape)
        raise TrajectoryError(
            f"Atom {atom + 1} moves {longest:.2f} of cell vector {'abc'[axis]} between frames {frame + 1} and "
            f"{frame + 2}, so its path across the boundary is ambiguous; write frames more often, or, where the "
            "positions are unwrapped already, say so (unwrapped=True, --unwrapped)."
        )
    np.cumsum(steps, axis=0, out=unwrapped[1:])
    unwrapped[1:] += unwrapped[0]
    return unwrapped, longest


def check_unwrapped(fractional: NDArray[np.float64], path: Path) -> None:
    """Refuse positions that are said to be unwrapped and jump by cell vectors.

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
            f"The positions of {path} are said to be unwrapped, but atom {atom + 1} jumps "
            f"{abs(steps[frame, atom, axis]):.2f} of cell vector {'abc'[axis]} between frames {frame + 1} and "
            f"{frame + 2} ({int(long.sum())} such jumps): they are wrapped; leave out unwrapped (--unwrapped)."
        )
