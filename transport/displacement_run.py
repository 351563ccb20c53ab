"""The unwrapped positions of one run: what every transport function starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError


@dataclass(frozen=True)
class DisplacementRun:
    """Unwrapped positions of one trajectory and what is needed to interpret them.

    Parameters
    ----------
    positions_angstrom : ndarray, shape (n_frames, n_atoms, 3)
        Unwrapped Cartesian positions in Å, of any float type; never copied as a whole.
    mobile_indices : ndarray of int, shape (n_ions,)
        Atoms whose transport is asked for.
    framework_indices : ndarray of int, shape (n_framework,)
        Atoms that define the drift; when empty, the centre of mass of all atoms defines it, unless all are mobile.
    masses_amu : ndarray, shape (n_atoms,)
        Atomic masses in u.
    frame_interval_ps : float
        Time between frames in ps.
    volume_angstrom3 : float
        Mean cell volume in Å³.
    temperature_k : float
        Temperature in K.
    cell_angstrom : ndarray, shape (3, 3), optional
        Mean cell vectors in Å as rows; used only to find the distance between neighbouring sites.

    Raises
    ------
    AnalysisError
        When the arrays do not fit together or a number makes no sense.
    """

    positions_angstrom: NDArray[np.floating]
    mobile_indices: NDArray[np.integer]
    framework_indices: NDArray[np.integer]
    masses_amu: NDArray[np.floating]
    frame_interval_ps: float
    volume_angstrom3: float
    temperature_k: float
    cell_angstrom: NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions_angstrom)
        if positions.ndim != 3 or positions.shape[2] != 3:
            raise AnalysisError(
                f"The positions of a run have shape {positions.shape}; give them as (n_frames, n_atoms, 3) in Å."
            )
        for name in ("mobile_indices", "framework_indices"):
            indices = np.asarray(getattr(self, name), dtype=np.intp).reshape(-1)
            if indices.size and (indices.min() < 0 or indices.max() >= positions.shape[1]):
                raise AnalysisError(
                    f"{name} points outside the {positions.shape[1]} atoms of the run; count atoms from 0."
                )
            object.__setattr__(self, name, indices)
        if self.mobile_indices.size == 0:
            raise AnalysisError("The run has no mobile ion; name an element that is in the structure.")
        masses = np.asarray(self.masses_amu, dtype=float)
        if masses.shape != (positions.shape[1],):
            raise AnalysisError(
                f"There are {masses.size} masses for {positions.shape[1]} atoms; give one mass per atom in u."
            )
        for name in ("frame_interval_ps", "volume_angstrom3", "temperature_k"):
            value = float(getattr(self, name))
            if not np.isfinite(value) or value <= 0:
                raise AnalysisError(f"{name} is {value}; give a positive number.")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "positions_angstrom", positions)
        object.__setattr__(self, "masses_amu", masses)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.positions_angstrom.shape[0])

    @property
    def n_ions(self) -> int:
        """Number of mobile ions."""
        return int(self.mobile_indices.size)

    @property
    def has_framework(self) -> bool:
        """Whether there are atoms besides the mobile ions, against which these move."""
        return (
            bool(self.framework_indices.size) or np.unique(self.mobile_indices).size < self.positions_angstrom.shape[1]
        )

    @property
    def duration_ps(self) -> float:
        """Length from the first to the last frame in ps."""
        return (self.n_frames - 1) * self.frame_interval_ps

    def from_frame(self, first: int) -> DisplacementRun:
        """Return the run from frame `first` on, without copying the positions.

        Parameters
        ----------
        first : int
            Frame to start with.

        Returns
        -------
        DisplacementRun
            The later part of this run.
        """
        return self.frames(first, self.n_frames)

    def frames(self, first: int, end: int) -> DisplacementRun:
        """Return frames `first` to `end` (exclusive), without copying the positions.

        Parameters
        ----------
        first, end : int
            First frame, and the frame after the last.

        Returns
        -------
        DisplacementRun
            A part of this run.
        """
        return DisplacementRun(
            self.positions_angstrom[first:end],
            self.mobile_indices,
            self.framework_indices,
            self.masses_amu,
            self.frame_interval_ps,
            self.volume_angstrom3,
            self.temperature_k,
            self.cell_angstrom,
        )
