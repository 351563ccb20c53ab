"""An MD engine of another package: Langevin dynamics of many independent cells on the cosine lattice, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase import Atoms, units
from superion.dynamics.engines.engine import MdEngine, SegmentStart, Snapshot
from superion.dynamics.ensembles import integrator_name
from superion.dynamics.health import StepStates
from superion.dynamics.protocol import MdProtocol
from superion.dynamics.random_stream import export_stream
from superion.errors import PotentialError, ProtocolError
from superion.potentials.cosine_lattice import CosineLatticeCalculator


@dataclass(frozen=True)
class Cell:
    """What a member has once."""

    size: int
    vectors: np.ndarray
    degrees_of_freedom: int
    stream: np.random.Generator


@dataclass(frozen=True)
class Batch:
    """Cells, and arrays whose rows are all their atoms, one cell behind the other."""

    cells: tuple[Cell, ...]
    arrays: dict[str, np.ndarray]

    @property
    def starts(self) -> np.ndarray:
        """Row of the first atom of each member."""
        return np.cumsum([0, *(cell.size for cell in self.cells[:-1])])

    @property
    def rows(self) -> list[slice]:
        """Rows of each member."""
        return [slice(first, first + cell.size) for first, cell in zip(self.starts.tolist(), self.cells, strict=True)]


class LatticeLangevinEngine(MdEngine[Batch]):
    """BAOAB Langevin dynamics (DOI 10.1063/1.4802990) of up to four cells at once.

    Everything is element by element or a sum over one member's rows, and each member has a random stream of its own, so
    nobody feels who else is in the set.
    """

    name = "lattice_langevin"
    description = "Langevin dynamics of many cells at once, on the cosine lattice without repulsion"
    distribution = "lattice-langevin"
    maximum_members = 4
    """Few, so that tests see members wait."""

    @cached_property
    def _lattice(self) -> CosineLatticeCalculator:
        return self._require_lattice()

    def _require_lattice(self) -> CosineLatticeCalculator:
        lattice = self.potential.calculator()
        if not isinstance(lattice, CosineLatticeCalculator) or lattice.repulsion_ev or lattice.bulk_modulus_gpa:
            raise PotentialError(
                "The MD engine 'lattice_langevin' needs the cosine lattice without repulsion and bulk modulus: "
                "use the engine 'ase' with other potentials."
            )
        return lattice

    def check(self, atoms: Atoms, protocol: MdProtocol) -> None:
        """Take Langevin dynamics in orthorhombic cells only."""
        self._require_lattice()
        if integrator_name(protocol) != "nvt/langevin":
            raise ProtocolError(
                "The MD engine 'lattice_langevin' needs the Langevin thermostat: set thermostat: langevin."
            )
        if np.count_nonzero(atoms.cell.array - np.diag(np.diag(atoms.cell.array))):
            raise ProtocolError("The MD engine 'lattice_langevin' needs an orthorhombic cell along the axes.")

    def has_room(self, members: Sequence[Atoms], another: Atoms) -> bool:
        """Take a few."""
        return len(members) < self.maximum_members

    def potential_energy_ev(self, atoms: Atoms) -> float:
        """Ask the lattice itself."""
        atoms.calc = self._lattice
        return float(atoms.get_potential_energy())

    def init(self, starts: Sequence[SegmentStart]) -> Batch:
        """Line the cells up."""
        batch = _joined([self._alone(start) for start in starts])
        batch.arrays["forces"] = _forces(batch.arrays, batch.arrays["positions"])
        return batch

    def _alone(self, start: SegmentStart) -> Batch:
        lattice, protocol, atoms = self._lattice, start.protocol, start.atoms()
        symbols, edges, masses = atoms.get_chemical_symbols(), np.diag(atoms.cell.array), atoms.get_masses()[:, None]
        time_step = start.time_step_fs * units.fs
        damping = np.exp(-protocol.friction_per_ps / (1000.0 * units.fs) * time_step)
        sites = np.maximum(1.0, np.rint(edges / lattice.spacing_angstrom))
        every = np.ones_like(masses)
        arrays = {
            "positions": atoms.positions,
            "momenta": atoms.get_momenta(),
            "masses": masses,
            "barriers": np.array([lattice.barriers_ev[symbol] for symbol in symbols])[:, None],
            "wave_numbers": every * (2.0 * np.pi * sites / edges),
            "shifts": 2.0 * np.pi * np.array([lattice.offsets.get(symbol, (0.0, 0.0, 0.0)) for symbol in symbols]),
            "half_steps": 0.5 * time_step * every,
            "damping": damping * every,
            "noise": np.sqrt((1.0 - damping**2) * masses * units.kB * protocol.temperature_k),
        }
        cell = Cell(len(atoms), np.array(atoms.cell.array), start.degrees_of_freedom, start.thermostat_stream())
        return Batch((cell,), arrays)

    def step(self, batch: Batch) -> tuple[Batch, StepStates]:
        """Kick, drift, friction and noise, drift, kick."""
        now = batch.arrays
        half = now["half_steps"]
        momenta = now["momenta"] + half * now["forces"]
        moved = now["positions"] + half * momenta / now["masses"]
        random = np.empty_like(momenta)
        for cell, rows in zip(batch.cells, batch.rows, strict=True):
            cell.stream.standard_normal(out=random[rows])
        momenta = now["damping"] * momenta + now["noise"] * random
        moved = moved + half * momenta / now["masses"]
        forces = _forces(now, moved)
        after = Batch(batch.cells, now | {"positions": moved, "momenta": momenta + half * forces, "forces": forces})
        return after, _states(after, np.abs(moved - now["positions"]))

    def measure(self, batch: Batch) -> StepStates:
        """Look, and move nothing."""
        return _states(batch, np.zeros_like(batch.arrays["positions"]))

    def snapshots(self, batch: Batch, members: Sequence[int]) -> list[Snapshot]:
        """Copy rows."""
        energies, rows = _energies(batch), batch.rows
        return [
            Snapshot(
                positions=batch.arrays["positions"][rows[member]].copy(),
                momenta=batch.arrays["momenta"][rows[member]].copy(),
                cell=batch.cells[member].vectors.copy(),
                integrator_state={"random_stream": export_stream(batch.cells[member].stream)},
                potential_energy_ev=float(energies[member]),
            )
            for member in members
        ]

    def join(self, batch: Batch, other: Batch) -> Batch:
        """Put the arrays one behind the other."""
        return _joined([batch, other])

    def select(self, batch: Batch, members: Sequence[int]) -> Batch:
        """Keep the rows of some members."""
        rows = np.concatenate([np.arange(len(batch.arrays["masses"]))[batch.rows[member]] for member in members])
        return Batch(
            tuple(batch.cells[member] for member in members),
            {name: values[rows] for name, values in batch.arrays.items()},
        )


def _joined(batches: Sequence[Batch]) -> Batch:
    return Batch(
        tuple(cell for batch in batches for cell in batch.cells),
        {name: np.concatenate([batch.arrays[name] for batch in batches]) for name in batches[0].arrays},
    )


def _phases(arrays: dict[str, np.ndarray], positions: np.ndarray) -> np.ndarray:
    return arrays["wave_numbers"] * positions - arrays["shifts"]


def _forces(arrays: dict[str, np.ndarray], positions: np.ndarray) -> np.ndarray:
    return -0.5 * arrays["barriers"] * arrays["wave_numbers"] * np.sin(_phases(arrays, positions))


def _energies(batch: Batch) -> np.ndarray:
    phases = _phases(batch.arrays, batch.arrays["positions"])
    return np.add.reduceat((0.5 * batch.arrays["barriers"] * (1.0 - np.cos(phases))).sum(axis=1), batch.starts)


def _states(batch: Batch, moves: np.ndarray) -> StepStates:
    momenta, masses, starts = batch.arrays["momenta"], batch.arrays["masses"], batch.starts
    kinetic = np.add.reduceat((0.5 * momenta * momenta / masses).sum(axis=1), starts)
    degrees_of_freedom = np.array([cell.degrees_of_freedom for cell in batch.cells])
    return StepStates.of(
        largest_force_ev_per_angstrom=np.maximum.reduceat(np.abs(batch.arrays["forces"]).max(axis=1), starts),
        potential_energy_ev=_energies(batch),
        largest_move_angstrom=np.maximum.reduceat(moves.max(axis=1), starts),
        temperature_k=2.0 * kinetic / (degrees_of_freedom * units.kB),
        volume_angstrom3=[abs(float(np.linalg.det(cell.vectors))) for cell in batch.cells],
    )
