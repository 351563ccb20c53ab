"""Following atoms across periodic boundaries by the nearest image between frames."""

from __future__ import annotations

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
            f"{frame + 2}, so its path across the boundary is ambiguous; write frames more often, "
            "or write unwrapped positions."
        )
    np.cumsum(steps, axis=0, out=unwrapped[1:])
    unwrapped[1:] += unwrapped[0]
    return unwrapped, longest
