"""Whether the atoms of two trajectories move together, though no frame is in both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SAMPLES = 400
"""Times at which the trajectories are compared."""

_FEWEST_SAMPLES = 20


def common_motion(
    one: NDArray[np.floating], other: NDArray[np.floating], interval_one: float, interval_other: float
) -> tuple[float, float]:
    """Correlate the motion of two trajectories from their start on.

    Independent runs do not correlate, even from one start; a copy with fewer digits, or every other frame of the same
    run, does. Only the second half of the common time counts, as a common relaxation at the start would correlate.

    Parameters
    ----------
    one, other : (n_frames, n_atoms, 3) array
        Unwrapped positions of the same atoms in Å.
    interval_one, interval_other : float
        Times between frames, in one unit.

    Returns
    -------
    correlation : float
        Of the displacements from the mean position; 0 where there is too little to say.
    difference_angstrom : float
        Root-mean-square difference of the displacements of an atom, in Å.

    Examples
    --------
    >>> import numpy as np
    >>> walk = np.random.default_rng(0).normal(0.0, 0.1, (100, 8, 3)).cumsum(axis=0)
    >>> correlation, difference = common_motion(walk, np.round(walk, 2), 1.0, 1.0)
    >>> correlation > 0.999, difference < 0.01
    (True, True)
    """
    interval = max(interval_one, interval_other)
    duration = min((len(one) - 1) * interval_one, (len(other) - 1) * interval_other)
    count = int(duration / interval) + 1
    times = interval * np.unique(np.linspace(count // 2, count - 1, min(_SAMPLES, count - count // 2)).astype(int))
    if times.size < _FEWEST_SAMPLES:
        return 0.0, float("inf")
    moves = []
    for positions, own in ((one, interval_one), (other, interval_other)):
        frames = np.minimum(np.rint(times / own).astype(int), len(positions) - 1)
        chosen = np.asarray(positions[frames], dtype=np.float64)
        chosen = chosen - chosen.mean(axis=1, keepdims=True)
        moves.append(chosen - chosen.mean(axis=0))
    size = float(np.sqrt(float(np.sum(moves[0] ** 2)) * float(np.sum(moves[1] ** 2))))
    if not size > 0.0:
        return 0.0, float("inf")
    correlation = float(np.sum(moves[0] * moves[1])) / size
    return correlation, float(np.sqrt(3.0 * np.mean((moves[0] - moves[1]) ** 2)))
