"""What an MD engine is: it takes trajectories into a set, and advances the set step by step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import ClassVar, Generic, TypeVar

import numpy as np
from ase import Atoms

from ...potentials.potential import Potential
from ..checkpoint import Checkpoint, IntegratorState
from ..health import StepStates
from ..protocol import MdProtocol
from ..random_stream import random_stream, restore_stream
from .provenance import EngineProvenance

BatchT = TypeVar("BatchT")
"""Whatever an engine keeps of a set."""


@dataclass(frozen=True)
class SegmentStart:
    """One trajectory as an engine takes it in: where it is, and what moves it.

    Attributes
    ----------
    template : ase.Atoms
        Elements, masses and periodicity; its positions, momenta and cell are not the ones to start from.
    protocol : MdProtocol
        Temperature, ensemble, thermostat.
    time_step_fs : float
        Time step in fs.
    degrees_of_freedom : int
        Degrees of freedom that hold kinetic energy: 3N, or 3N - 3 with a conserved total momentum.
    checkpoint : Checkpoint
        Positions, momenta, cell and the integrator's state to start from; that state is None at step 0.
    """

    template: Atoms
    protocol: MdProtocol
    time_step_fs: float
    degrees_of_freedom: int
    checkpoint: Checkpoint

    def atoms(self) -> Atoms:
        """Give fresh atoms at the checkpoint, without a calculator."""
        atoms = self.template.copy()
        self.checkpoint.apply(atoms)
        return atoms

    def thermostat_stream(self) -> np.random.Generator:
        """Open the random stream of the thermostat where the checkpoint left it.

        It is found there if the engine's `snapshots` keep it as ``random_stream``, by
        `superion.dynamics.random_stream.export_stream`.
        """
        state = self.checkpoint.integrator_state or {}
        if "random_stream" in state:
            return restore_stream(str(state["random_stream"]))
        return random_stream(self.protocol.seed, self.protocol.replica, "thermostat")


@dataclass(frozen=True)
class Snapshot:
    """The exact state of one member between two steps, copied out of a set.

    Attributes
    ----------
    positions : numpy.ndarray, shape (n_atoms, 3)
        Unwrapped positions in Å, float64.
    momenta : numpy.ndarray, shape (n_atoms, 3)
        Momenta in ASE units, √(eV·amu), float64.
    cell : numpy.ndarray, shape (3, 3)
        Cell vectors in Å, float64.
    integrator_state : dict
        What the next step depends on beyond these: float64 arrays and texts by name.
    potential_energy_ev : float
        Potential energy in eV.
    conserved_energy_ev : float or None
        Energy in eV that exact dynamics would conserve; None where there is none.
    pressure_gpa : float or None
        Pressure in GPa, the kinetic part included; None where the stress is not at hand.
    """

    positions: np.ndarray
    momenta: np.ndarray
    cell: np.ndarray
    integrator_state: IntegratorState
    potential_energy_ev: float
    conserved_energy_ev: float | None = None
    pressure_gpa: float | None = None


class MdEngine(ABC, Generic[BatchT]):
    """Advances a set of trajectories that share a potential.

    An engine integrates and does nothing else. It takes in the state of trajectories (`init`), advances them together
    (`step`), reports on them (`measure`, `snapshots`) and lets them enter and leave (`join`, `select`). Segments,
    checkpoints, frames, files, health checks, stop rules, wall time and signals are handled outside, for all engines
    alike. All that an engine knows of a set is in the batch that these functions pass on, never in the engine itself.

    Every trajectory is taken in anew at the start of each of its segments, also in an uninterrupted run. So it does not
    depend on interruptions, to the last bit, if an engine keeps two promises:

    - what follows `init` depends on the `SegmentStart` alone;
    - a member's trajectory does not depend on who else is in the set.

    A subclass is found by its entry point in the group ``superion.md_engines``; import heavy packages inside its
    methods. Its name, unless it is ASE's, is part of the identity of its trajectories.

    Parameters
    ----------
    potential : Potential
        The potential of all members.

    Attributes
    ----------
    name : str
        Registered name, as the setting `engine` of a protocol gives it.
    description : str
        One sentence for listings.
    distribution : str
        The installable package that integrates, for the provenance.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    distribution: ClassVar[str]

    def __init__(self, potential: Potential) -> None:
        self.potential = potential

    @classmethod
    def provenance(cls) -> EngineProvenance:
        """Say which engine this is, without importing its package."""
        try:
            version = metadata.version(cls.distribution)
        except metadata.PackageNotFoundError:
            version = None
        return EngineProvenance(name=cls.name, package=cls.distribution, package_version=version)

    def check(self, atoms: Atoms, protocol: MdProtocol) -> None:
        """Refuse what the engine cannot run, before anything is computed or written.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure to start from.
        protocol : MdProtocol
            Temperature, ensemble, thermostat.

        Raises
        ------
        ProtocolError
            If the engine has no such ensemble or thermostat.
        PotentialError
            If it cannot use this potential.
        """
        return

    def has_room(self, members: Sequence[Atoms], another: Atoms) -> bool:
        """Say whether one more trajectory fits beside others.

        Parameters
        ----------
        members : sequence of ase.Atoms
            Structures of those in the set, at least one.
        another : ase.Atoms
            Structure of the one that waits.

        Returns
        -------
        bool
            False by default: one trajectory at a time.
        """
        return False

    @abstractmethod
    def potential_energy_ev(self, atoms: Atoms) -> float:
        """Compute the potential energy of atoms that belong to no set.

        Parameters
        ----------
        atoms : ase.Atoms
            The atoms; their calculator may be set.

        Returns
        -------
        float
            Energy in eV.
        """

    @abstractmethod
    def init(self, starts: Sequence[SegmentStart]) -> BatchT:
        """Make a set of its own of trajectories that begin a segment.

        Parameters
        ----------
        starts : sequence of SegmentStart
            At least one.

        Returns
        -------
        batch
            They, in this order.
        """

    @abstractmethod
    def step(self, batch: BatchT) -> tuple[BatchT, StepStates]:
        """Move every member on by one time step of its own.

        Parameters
        ----------
        batch : batch
            The set; not used again by the caller.

        Returns
        -------
        batch
            The set after the step.
        states : StepStates
            What the step led to. An error of one member belongs into its `errors`; one that is raised ends them all.
        """

    @abstractmethod
    def measure(self, batch: BatchT) -> StepStates:
        """Look at members that have not moved yet: as after a step, with no displacement."""

    @abstractmethod
    def snapshots(self, batch: BatchT, members: Sequence[int]) -> list[Snapshot]:
        """Copy out the exact state of some members.

        Parameters
        ----------
        batch : batch
            The set, left as it is.
        members : sequence of int
            Their places in it, ascending.

        Returns
        -------
        list of Snapshot
            In the order asked for.
        """

    @abstractmethod
    def join(self, batch: BatchT, other: BatchT) -> BatchT:
        """Put the members of another set behind those of this one; neither is used again by the caller."""

    @abstractmethod
    def select(self, batch: BatchT, members: Sequence[int]) -> BatchT:
        """Keep some members, by their places in ascending order, and let the others go.

        The set given is not used again by the caller, and at least one member is kept.
        """

    def restart_is_exact(self, batch: BatchT, member: int) -> bool:
        """Say whether a member goes on bit by bit if it is taken in anew from its snapshot of now.

        Asked when a run is stopped between two regular checkpoints; the member takes no further step in this set.

        Parameters
        ----------
        batch : batch
            The set.
        member : int
            Its place in it.

        Returns
        -------
        bool
            True by default; False where forces depend on earlier steps, as by a neighbour list with a skin.
        """
        return True
