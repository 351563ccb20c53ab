"""Cheap checks between two steps, which tell when a run is no molecular dynamics any more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .results import StopVerdict

MAXIMUM_FORCE_EV_PER_ANGSTROM = 500.0
"""A hundred times the forces in a hot crystal; only overlapping atoms or a failed model feel more."""

MAXIMUM_MOVE_ANGSTROM = 0.5
"""In one time step: a lithium atom that moves 0.5 Å in 2 fs has a kinetic energy of 22 eV."""

MAXIMUM_TEMPERATURE_RATIO = 3.0
MAXIMUM_TEMPERATURE_SIGMAS = 10.0
MAXIMUM_TEMPERATURE_RISE_K = 1000.0
MINIMUM_VOLUME_RATIO = 0.5
MAXIMUM_VOLUME_RATIO = 2.0

_REMEDY = "try a shorter time step, a relaxed structure or another potential."


@dataclass(frozen=True)
class StepState:
    """What the checks look at.

    Attributes
    ----------
    forces : numpy.ndarray, shape (n_atoms, 3)
        Forces in eV/Å.
    largest_move_angstrom : float
        Largest displacement of an atom in the last step, in Å.
    potential_energy_ev : float
        Potential energy in eV.
    temperature_k : float
        Kinetic temperature in K.
    volume_angstrom3 : float
        Volume of the cell in Å³.
    """

    forces: np.ndarray
    largest_move_angstrom: float
    potential_energy_ev: float
    temperature_k: float
    volume_angstrom3: float


@dataclass(frozen=True)
class HealthWatch:
    """The checks of one trajectory.

    Attributes
    ----------
    reference_temperature_k : float
        The higher of target and initial temperature, in K.
    degrees_of_freedom : int
        Degrees of freedom that hold kinetic energy.
    initial_volume_angstrom3 : float
        Volume at step 0 in Å³.
    """

    reference_temperature_k: float
    degrees_of_freedom: int
    initial_volume_angstrom3: float

    @property
    def highest_temperature_k(self) -> float:
        """Temperature in K that no healthy run reaches.

        Three times the target, ten canonical deviations, and 1,000 K more than the target, which leaves room for
        the heat that a structure not quite relaxed gives off at a low temperature: all three must be passed.
        """
        target = self.reference_temperature_k
        spread = np.sqrt(2.0 / self.degrees_of_freedom)
        return float(
            max(
                MAXIMUM_TEMPERATURE_RATIO * target,
                (1.0 + MAXIMUM_TEMPERATURE_SIGMAS * spread) * target,
                target + MAXIMUM_TEMPERATURE_RISE_K,
            )
        )

    def check(self, step: int, state: StepState) -> StopVerdict:
        """Judge one step.

        Parameters
        ----------
        step : int
            MD step, for the message.
        state : StepState
            What the step led to.

        Returns
        -------
        StopVerdict
            With the reason `exploded`, `temperature_runaway` or `volume_collapse`, or without a reason.
        """
        verdicts = (
            self._check_forces(step, state),
            self._check_move(step, state.largest_move_angstrom),
            self._check_temperature(step, state.temperature_k),
            self._check_volume(step, state.volume_angstrom3),
        )
        return next((verdict for verdict in verdicts if verdict is not None), StopVerdict())

    def check_geometry(self, step: int, largest_move_angstrom: float, volume_angstrom3: float) -> StopVerdict:
        """Judge a step whose energy and forces are not available.

        Parameters
        ----------
        step : int
            MD step, for the message.
        largest_move_angstrom : float
            Largest displacement of an atom in this step, in Å.
        volume_angstrom3 : float
            Volume of the cell in Å³.

        Returns
        -------
        StopVerdict
            With the reason `exploded` or `volume_collapse`, or without a reason.
        """
        verdicts = self._check_move(step, largest_move_angstrom), self._check_volume(step, volume_angstrom3)
        return next((verdict for verdict in verdicts if verdict is not None), StopVerdict())

    def _check_forces(self, step: int, state: StepState) -> StopVerdict | None:
        strongest = float(np.abs(state.forces).max(initial=0.0))
        # a NaN makes every comparison false, so the healthy side is asked for
        if not (strongest <= MAXIMUM_FORCE_EV_PER_ANGSTROM and np.isfinite(state.potential_energy_ev)):
            return StopVerdict(
                reason="exploded",
                message=f"At step {step} a force component reached {strongest:.3g} eV/Å (energy "
                f"{state.potential_energy_ev:.6g} eV): {_REMEDY}",
            )
        return None

    def _check_move(self, step: int, largest_move_angstrom: float) -> StopVerdict | None:
        if not largest_move_angstrom <= MAXIMUM_MOVE_ANGSTROM:
            return StopVerdict(
                reason="exploded",
                message=f"At step {step} an atom moved {largest_move_angstrom:.3g} Å in one step: {_REMEDY}",
            )
        return None

    def _check_temperature(self, step: int, temperature_k: float) -> StopVerdict | None:
        if not temperature_k <= self.highest_temperature_k:
            return StopVerdict(
                reason="temperature_runaway",
                message=f"At step {step} the temperature reached {temperature_k:.0f} K, far above the "
                f"{self.reference_temperature_k:.0f} K of the run: {_REMEDY}",
            )
        return None

    def _check_volume(self, step: int, volume_angstrom3: float) -> StopVerdict | None:
        ratio = volume_angstrom3 / self.initial_volume_angstrom3 if self.initial_volume_angstrom3 > 0 else 1.0
        if not MINIMUM_VOLUME_RATIO <= ratio <= MAXIMUM_VOLUME_RATIO:
            return StopVerdict(
                reason="volume_collapse",
                message=f"At step {step} the volume was {ratio:.2f} times that of the start: the structure has "
                "collapsed, melted or evaporated at this temperature and pressure.",
            )
        return None
