"""Errors of a student on labelled frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...constants import GPA_FROM_EV_PER_ANGSTROM3
from ...errors import TrainingError
from ..quiet import quietly
from .labelled_frames import labels_of

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

_PARITY_POINTS = 400


class ParitySample(BaseModel):
    """Pairs of a teacher's and a student's values for a figure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher: tuple[float, ...] = Field(description="the teacher's values")
    student: tuple[float, ...] = Field(description="the student's values, in the same order")


class FrameErrors(BaseModel):
    """Root mean square errors on a set of frames."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_frames: int = Field(description="number of frames")
    energy_rmse_mev_per_atom: float = Field(description="error of the energy in meV per atom")
    force_rmse_ev_per_angstrom: float = Field(description="error of force components in eV/Å")
    force_spread_ev_per_angstrom: float = Field(description="standard deviation of the force components in eV/Å")
    stress_rmse_gpa: float | None = Field(description="error of stress components in GPa; None without labels")
    energies_ev_per_atom: ParitySample = Field(description="energy per atom of each frame, in eV")
    forces_ev_per_angstrom: ParitySample = Field(description="a sample of force components in eV/Å")


def frame_errors(frames: Sequence[Atoms], calculator: Calculator) -> FrameErrors:
    """Compare a student with the labels of frames.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        Labelled frames; left as they are.
    calculator : ase.calculators.calculator.Calculator
        The student's.

    Returns
    -------
    FrameErrors
        Errors, and samples for parity figures.

    Raises
    ------
    TrainingError
        If there is no labelled frame.
    """
    energies: list[tuple[float, float]] = []
    forces: list[tuple[np.ndarray, np.ndarray]] = []
    stresses: list[tuple[np.ndarray, np.ndarray]] = []
    for frame in frames:
        labels = labels_of(frame)
        if labels is None:
            continue
        atoms = frame.copy()
        atoms.calc = calculator
        with quietly():
            energies.append((labels.energy_ev / len(atoms), atoms.get_potential_energy() / len(atoms)))
            forces.append((labels.forces_ev_per_angstrom.ravel(), atoms.get_forces().ravel()))
            if labels.stress_ev_per_angstrom3 is not None:
                stresses.append((labels.stress_ev_per_angstrom3, atoms.get_stress()))
    if not energies:
        raise TrainingError("There is no labelled frame to compare the student with: label some frames first.")
    energy = np.array(energies).T
    force = np.concatenate([pair[0] for pair in forces]), np.concatenate([pair[1] for pair in forces])
    sample = np.random.default_rng(0).permutation(len(force[0]))[:_PARITY_POINTS]
    return FrameErrors(
        n_frames=len(energies),
        energy_rmse_mev_per_atom=1000.0 * _rms(energy[0] - energy[1]),
        force_rmse_ev_per_angstrom=_rms(force[0] - force[1]),
        force_spread_ev_per_angstrom=float(np.std(force[0])),
        stress_rmse_gpa=GPA_FROM_EV_PER_ANGSTROM3 * _rms(np.array([one - other for one, other in stresses]))
        if stresses
        else None,
        energies_ev_per_atom=_sample(energy[0][:_PARITY_POINTS], energy[1][:_PARITY_POINTS]),
        forces_ev_per_angstrom=_sample(force[0][sample], force[1][sample]),
    )


def _rms(differences: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(differences))))


def _sample(teacher: np.ndarray, student: np.ndarray) -> ParitySample:
    return ParitySample(
        teacher=tuple(np.round(teacher, 6).tolist()),
        student=tuple(np.round(student, 6).tolist()),
    )
