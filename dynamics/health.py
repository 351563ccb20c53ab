"""Cheap checks between two steps, which tell when a run is no molecular dynamics any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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


_FORCE, _ENERGY, _MOVE, _TEMPERATURE, _VOLUME = range(5)


@dataclass(frozen=True)
class StepStates:
    """What the checks look at after a step of a set of trajectories.

    Attributes
    ----------
    values : numpy.ndarray, shape (5, n_members)
        One column for each member: largest absolute force component in eV/Å, potential energy in eV, largest
        displacement of an atom along an axis in this step in Å, kinetic temperature in K, volume in Å³. NaN where
        there is none.
    errors : mapping of int to Exception
        What was raised while a member was advanced, by its place in the set; the others went on.

    Examples
    --------
    >>> states = StepStates.of(
    ...     largest_force_ev_per_angstrom=[2.0], potential_energy_ev=[-200.0], largest_move_angstrom=[0.02],
    ...     temperature_k=[650.0], volume_angstrom3=[1010.0],
    ... )
    >>> states.temperatures_k
    [650.0]
    """

    values: np.ndarray
    errors: Mapping[int, Exception] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        largest_force_ev_per_angstrom: Sequence[float] | np.ndarray,
        potential_energy_ev: Sequence[float] | np.ndarray,
        largest_move_angstrom: Sequence[float] | np.ndarray,
        temperature_k: Sequence[float] | np.ndarray,
        volume_angstrom3: Sequence[float] | np.ndarray,
        errors: Mapping[int, Exception] | None = None,
    ) -> StepStates:
        """Gather the values of each member, in the order of the set.

        Parameters
        ----------
        largest_force_ev_per_angstrom : sequence of float
            Largest absolute force components in eV/Å.
        potential_energy_ev : sequence of float
            Potential energies in eV.
        largest_move_angstrom : sequence of float
            Largest displacements of an atom along an axis in this step, in Å.
        temperature_k : sequence of float
            Kinetic temperatures in K.
        volume_angstrom3 : sequence of float
            Volumes of the cells in Å³.
        errors : mapping of int to Exception, optional
            What was raised for a member.

        Returns
        -------
        StepStates
            For the checks.
        """
        rows = (
            largest_force_ev_per_angstrom,
            potential_energy_ev,
            largest_move_angstrom,
            temperature_k,
            volume_angstrom3,
        )
        return cls(np.array(rows, dtype=np.float64), errors or {})

    @property
    def temperatures_k(self) -> list[float]:
        """Kinetic temperature of each member in K."""
        return self.values[_TEMPERATURE].tolist()


@dataclass(frozen=True)
class HealthLimits:
    """What no healthy step of one trajectory exceeds.

    Attributes
    ----------
    reference_temperature_k : float
        The higher of target and initial temperature, in K.
    degrees_of_freedom : int
        Degrees of freedom that hold kinetic energy.
    initial_volume_angstrom3 : float
        Volume at step 0 in Å³; 0 for a structure without three cell vectors, whose volume is not watched.
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

    def bounds(self) -> tuple[list[float], list[float]]:
        """Give the least and the greatest healthy value of each row of `StepStates.values`."""
        largest = float(np.finfo(np.float64).max)
        volume = self.initial_volume_angstrom3
        volumes = (MINIMUM_VOLUME_RATIO * volume, MAXIMUM_VOLUME_RATIO * volume) if volume > 0 else (-largest, largest)
        lower = [0.0, -largest, 0.0, 0.0, volumes[0]]
        upper = [
            MAXIMUM_FORCE_EV_PER_ANGSTROM,
            largest,
            MAXIMUM_MOVE_ANGSTROM,
            self.highest_temperature_k,
            volumes[1],
        ]
        return lower, upper


class HealthWatch:
    """The checks of a set of trajectories, all members at once.

    Parameters
    ----------
    limits : sequence of HealthLimits
        One for each member, in the order of the set.

    Examples
    --------
    >>> watch = HealthWatch([HealthLimits(600.0, 150, 1000.0)])
    >>> hot = StepStates.of(
    ...     largest_force_ev_per_angstrom=[2.0], potential_energy_ev=[-200.0], largest_move_angstrom=[0.02],
    ...     temperature_k=[2650.0], volume_angstrom3=[1010.0],
    ... )
    >>> watch.unhealthy(hot), watch.verdict(0, 7, hot).reason
    ([0], 'temperature_runaway')
    """

    def __init__(self, limits: Sequence[HealthLimits]) -> None:
        self._limits = tuple(limits)
        bounds = np.array([limit.bounds() for limit in limits], dtype=np.float64).reshape(-1, 2, 5)
        self._lower, self._upper = bounds[:, 0].T, bounds[:, 1].T

    def _healthy(self, states: StepStates) -> np.ndarray:
        # a NaN makes every comparison false, so the healthy side is asked for
        return (states.values >= self._lower) & (states.values <= self._upper)

    def unhealthy(self, states: StepStates) -> list[int]:
        """Find the members that a step did not leave in good health.

        Parameters
        ----------
        states : StepStates
            What the step led to.

        Returns
        -------
        list of int
            Their places in the set, mostly none.
        """
        healthy = self._healthy(states)
        return [] if healthy.all() else np.flatnonzero(~healthy.all(axis=0)).tolist()

    def verdict(self, member: int, step: int, states: StepStates) -> StopVerdict:
        """Judge one member.

        Parameters
        ----------
        member : int
            Its place in the set.
        step : int
            Its MD step, for the message.
        states : StepStates
            What the step led to.

        Returns
        -------
        StopVerdict
            With the reason `exploded`, `temperature_runaway` or `volume_collapse`, or without a reason.
        """
        return self._verdict(member, step, states, (_FORCE, _ENERGY, _MOVE, _TEMPERATURE, _VOLUME))

    def geometry_verdict(self, member: int, step: int, states: StepStates) -> StopVerdict:
        """Judge one member after a step whose energy and forces are not available.

        Parameters
        ----------
        member : int
            Its place in the set.
        step : int
            Its MD step, for the message.
        states : StepStates
            What the step led to.

        Returns
        -------
        StopVerdict
            With the reason `exploded` or `volume_collapse`, or without a reason.
        """
        return self._verdict(member, step, states, (_MOVE, _VOLUME))

    def _verdict(self, member: int, step: int, states: StepStates, rows: Sequence[int]) -> StopVerdict:
        healthy = self._healthy(states)[:, member]
        failed = next((row for row in rows if not healthy[row]), None)
        return StopVerdict() if failed is None else self._failure(failed, member, step, states.values[:, member])

    def _failure(self, row: int, member: int, step: int, values: np.ndarray) -> StopVerdict:
        limits = self._limits[member]
        if row in (_FORCE, _ENERGY):
            return StopVerdict(
                reason="exploded",
                message=f"At step {step} a force component reached {values[_FORCE]:.3g} eV/Å (energy "
                f"{values[_ENERGY]:.6g} eV): {_REMEDY}",
            )
        if row == _MOVE:
            return StopVerdict(
                reason="exploded",
                message=f"At step {step} an atom moved {values[_MOVE]:.3g} Å in one step: {_REMEDY}",
            )
        if row == _TEMPERATURE:
            return StopVerdict(
                reason="temperature_runaway",
                message=f"At step {step} the temperature reached {values[_TEMPERATURE]:.0f} K, far above the "
                f"{limits.reference_temperature_k:.0f} K of the run: {_REMEDY}",
            )
        return StopVerdict(
            reason="volume_collapse",
            message=f"At step {step} the volume was {values[_VOLUME] / limits.initial_volume_angstrom3:.2f} times that "
            "of the start: the structure has collapsed, melted or evaporated at this temperature and pressure.",
        )
