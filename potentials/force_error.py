"""How far a student's forces are from its teacher's along molecular dynamics, and whether that grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

_MEV_PER_EV = 1000.0
_FEWEST_FOR_DRIFT = 4
"""Frames below which a straight line has hardly a residual to judge its slope by."""


class ForceErrorSeries(BaseModel):
    """Force errors of a student against its teacher along one trajectory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature_k: float = Field(description="temperature of the trajectory in K")
    trajectory_key: str = Field(description="identity of the trajectory")
    teacher: str = Field(description="teacher, with its model")
    times_ps: list[float] = Field(description="times of the frames that were labelled again, in ps")
    force_rmse_mev_per_angstrom: list[float] = Field(description="error of the force components of each, in meV/Å")
    mean_mev_per_angstrom: float = Field(description="root mean square over all frames in meV/Å")
    drift_mev_per_angstrom_ps: float | None = Field(
        default=None, description="slope of the error against time in meV/Å per ps; None for too few frames"
    )
    drift_interval_95_mev_per_angstrom_ps: tuple[float, float] | None = Field(
        default=None, description="95 % interval of the slope in meV/Å per ps"
    )

    def sentence(self) -> str:
        """Tell the series in one clause.

        Returns
        -------
        str
            Error, number of frames, and the drift with its interval.
        """
        frames = "1 frame" if len(self.times_ps) == 1 else f"{len(self.times_ps)} frames"
        sentence = (
            f"{self.temperature_k:g} K: force error against {self.teacher} {self.mean_mev_per_angstrom:.3g} meV/Å on "
            f"{frames} of the run"
        )
        if self.drift_mev_per_angstrom_ps is None or self.drift_interval_95_mev_per_angstrom_ps is None:
            return f"{sentence}, too few to tell whether it grows"
        low, high = self.drift_interval_95_mev_per_angstrom_ps
        verdict = "it grows" if low > 0.0 else "no growth is seen"
        drift = f"{self.drift_mev_per_angstrom_ps:+.2g} [{low:+.2g}, {high:+.2g}] meV/Å per ps (95 %)"
        return f"{sentence}, drift {drift}: {verdict}"


def spot_check_times(duration_ps: float, interval_ps: float) -> list[float]:
    """Choose when the teacher looks at a trajectory.

    Parameters
    ----------
    duration_ps : float
        Length of the trajectory in ps.
    interval_ps : float
        Time between two looks in ps.

    Returns
    -------
    list of float
        Multiples of the interval in ps; the end alone where the trajectory is shorter than one.

    Examples
    --------
    >>> spot_check_times(25.0, 10.0), spot_check_times(4.0, 10.0)
    ([10.0, 20.0], [4.0])
    """
    n_looks = int(duration_ps / interval_ps + 1e-9)
    return [interval_ps * (look + 1) for look in range(n_looks)] or [duration_ps]


def force_errors(frames: Sequence[Atoms], student: Calculator, teacher: Calculator) -> list[float]:
    """Compare the forces of two potentials frame by frame.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        The frames; they stay as they are.
    student, teacher : ase.calculators.calculator.Calculator
        The potentials.

    Returns
    -------
    list of float
        Root mean square difference of the force components of each frame in meV/Å.
    """
    return [_MEV_PER_EV * _rms(_forces(frame, student) - _forces(frame, teacher)) for frame in frames]


def force_error_series(
    temperature_k: float,
    trajectory_key: str,
    teacher: str,
    times_ps: Sequence[float],
    errors_mev_per_angstrom: Sequence[float],
) -> ForceErrorSeries:
    """Fit a straight line to force errors against time.

    Parameters
    ----------
    temperature_k : float
        Temperature of the trajectory in K.
    trajectory_key : str
        Its identity.
    teacher : str
        The teacher, with its model.
    times_ps : sequence of float
        Times of the frames in ps.
    errors_mev_per_angstrom : sequence of float
        Errors of the frames in meV/Å.

    Returns
    -------
    ForceErrorSeries
        With the slope and its 95 % interval by Student's t where there are enough frames: picoseconds apart they are
        taken to be independent.

    Examples
    --------
    >>> series = force_error_series(900.0, "a1b2", "chgnet", [10.0, 20.0, 30.0, 40.0], [60.0, 62.0, 61.0, 63.0])
    >>> round(series.drift_mev_per_angstrom_ps, 3)
    0.08
    """
    times, errors = np.asarray(times_ps, dtype=float), np.asarray(errors_mev_per_angstrom, dtype=float)
    drift, interval = None, None
    if len(times) >= _FEWEST_FOR_DRIFT:
        from scipy.stats import linregress, t

        line = linregress(times, errors)
        width = float(t.ppf(0.975, len(times) - 2)) * float(line.stderr)
        drift = float(line.slope)
        interval = (drift - width, drift + width)
    return ForceErrorSeries(
        temperature_k=temperature_k,
        trajectory_key=trajectory_key,
        teacher=teacher,
        times_ps=times.tolist(),
        force_rmse_mev_per_angstrom=errors.tolist(),
        mean_mev_per_angstrom=_rms(errors),
        drift_mev_per_angstrom_ps=drift,
        drift_interval_95_mev_per_angstrom_ps=interval,
    )


def _forces(frame: Atoms, calculator: Calculator) -> np.ndarray:
    atoms = frame.copy()
    atoms.calc = calculator
    forces: np.ndarray = atoms.get_forces()
    return forces


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
