"""Frames of a file, gathered without a second copy of the trajectory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GROWTH = 1.125
"""Factor by which the store grows: it is never much larger than what it holds."""

_FIRST_FRAMES = 64


class FrameStore:
    """A growing array of frames in double precision.

    Examples
    --------
    >>> import numpy as np
    >>> store = FrameStore()
    >>> for value in range(3):
    ...     store.append(np.full((2, 3), value))
    >>> len(store), store.array().shape
    (3, (3, 2, 3))
    """

    def __init__(self) -> None:
        self._values: NDArray[np.float64] = np.empty((0, 0, 3))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Shape of one frame; (0, 3) before the first."""
        return self._values.shape[1:]

    def append(self, frame: NDArray[np.floating]) -> None:
        """Add a frame.

        Parameters
        ----------
        frame : (n_atoms, 3) array
            As large as the first one.
        """
        if not self._count:
            self._values = np.empty((_FIRST_FRAMES, *frame.shape))
        elif self._count == len(self._values):
            # In place: the system moves large blocks without copying them.
            self._values.resize((int(self._count * _GROWTH) + 1, *self.frame_shape), refcheck=False)
        self._values[self._count] = frame
        self._count += 1

    def array(self) -> NDArray[np.float64]:
        """Return the frames, (n_frames, n_atoms, 3), and give back what is not used; nothing can be added after that.

        Returns
        -------
        (n_frames, n_atoms, 3) array
            The frames.
        """
        self._values.resize((self._count, *self.frame_shape), refcheck=False)
        return self._values


class ThinnedFrames:
    """A bounded number of evenly spaced frames, in single precision, of a run whose length is not known beforehand.

    Parameters
    ----------
    most : int
        Frames to keep at most; a mean over a thousand of them is as good as one over all.

    Examples
    --------
    >>> thinned = ThinnedFrames(most=4)
    >>> for value in range(9):
    ...     thinned.append(np.array([value]))
    >>> [int(frame[0]) for frame in thinned.kept], thinned.n_seen
    ([0, 4, 8], 9)
    """

    def __init__(self, most: int = 1024) -> None:
        self.kept: list[NDArray[np.float32]] = []
        self.n_seen = 0
        self._stride = 1
        self._most = most

    def append(self, frame: NDArray[np.float64]) -> None:
        """Add a frame, or leave it out.

        Parameters
        ----------
        frame : array
            The frame.
        """
        if self.n_seen % self._stride == 0:
            if len(self.kept) == self._most:
                self.kept = self.kept[::2]
                self._stride *= 2
            if self.n_seen % self._stride == 0:
                self.kept.append(frame.astype(np.float32))
        self.n_seen += 1
