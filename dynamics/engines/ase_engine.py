"""The MD engine of ASE: any potential, one trajectory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms, units

from ...potentials.finite_results import finite_calculator
from ..degrees_of_freedom import kinetic_temperature_k
from ..health import StepStates
from .ase_integrators import Integrator, IntegratorSettings, build_integrator
from .engine import MdEngine, SegmentStart, Snapshot

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


@dataclass(frozen=True)
class MovingAtoms:
    """A member of a set: atoms that the integrator moves in place.

    Attributes
    ----------
    atoms : ase.Atoms
        With calculator and momenta.
    integrator : Integrator
        Bound to these atoms.
    degrees_of_freedom : int
        Degrees of freedom that hold kinetic energy.
    """

    atoms: Atoms
    integrator: Integrator
    degrees_of_freedom: int


class AseEngine(MdEngine[tuple[MovingAtoms, ...]]):
    """ASE's integrators with the potential's ASE calculator.

    A calculator keeps the results and neighbour lists of one structure, so a set has room for one trajectory.
    """

    name = "ase"
    description = "ASE's integrators, one trajectory at a time, with any potential"
    distribution = "ase"

    @cached_property
    def _calculator(self) -> Calculator:
        return finite_calculator(self.potential)

    def potential_energy_ev(self, atoms: Atoms) -> float:
        """Ask the calculator."""
        atoms.calc = self._calculator
        return float(atoms.get_potential_energy())

    def init(self, starts: Sequence[SegmentStart]) -> tuple[MovingAtoms, ...]:
        """Make atoms and integrator from the checkpoint alone, and forget all that the calculator cached."""
        (start,) = starts
        atoms = start.atoms()
        self._forget()
        atoms.calc = self._calculator
        settings = IntegratorSettings(
            protocol=start.protocol,
            time_step_fs=start.time_step_fs,
            degrees_of_freedom=start.degrees_of_freedom,
            stream=start.thermostat_stream(),
        )
        integrator = build_integrator(atoms, settings)
        if start.checkpoint.integrator_state is not None:
            integrator.restore_state(start.checkpoint.integrator_state)
        return (MovingAtoms(atoms, integrator, start.degrees_of_freedom),)

    def step(self, batch: tuple[MovingAtoms, ...]) -> tuple[tuple[MovingAtoms, ...], StepStates]:
        """Let the integrator take its step."""
        (member,) = batch
        atoms = member.atoms
        before, cell_before = atoms.get_positions(), atoms.cell.array.copy()
        try:
            member.integrator.step()
        except Exception as error:
            return batch, _states_after_error(atoms, _largest_move(atoms, before, cell_before), error)
        return batch, self._states(member, _largest_move(atoms, before, cell_before))

    def measure(self, batch: tuple[MovingAtoms, ...]) -> StepStates:
        """Compute the forces at the start."""
        (member,) = batch
        member.atoms.get_forces(md=True)
        return self._states(member, 0.0)

    def snapshots(self, batch: tuple[MovingAtoms, ...], members: Sequence[int]) -> list[Snapshot]:
        """Copy atoms and integrator."""
        return [self._snapshot(batch[index]) for index in members]

    def join(self, batch: tuple[MovingAtoms, ...], other: tuple[MovingAtoms, ...]) -> tuple[MovingAtoms, ...]:
        """Put one behind the other."""
        return (*batch, *other)

    def select(self, batch: tuple[MovingAtoms, ...], members: Sequence[int]) -> tuple[MovingAtoms, ...]:
        """Keep those asked for."""
        return tuple(batch[index] for index in members)

    def restart_is_exact(self, batch: tuple[MovingAtoms, ...], member: int) -> bool:
        """Compare the forces with those of a calculator that knows nothing of earlier steps."""
        atoms = batch[member].atoms
        used = np.array(atoms.get_forces(md=True))
        self._forget()
        return np.array_equal(used, atoms.get_forces(md=True))

    def _snapshot(self, member: MovingAtoms) -> Snapshot:
        atoms = member.atoms
        energy = float(atoms.get_potential_energy())
        conserved = member.integrator.conserved_energy()
        pressure = None
        if "stress" in getattr(self._calculator, "results", {}):
            stress = atoms.get_stress(include_ideal_gas=True)
            pressure = float(-stress[:3].mean() / units.GPa)
        return Snapshot(
            positions=atoms.get_positions(),
            momenta=atoms.get_momenta(),
            cell=np.array(atoms.cell.array),
            integrator_state=member.integrator.export_state(),
            potential_energy_ev=energy,
            conserved_energy_ev=conserved,
            pressure_gpa=pressure,
        )

    def _forget(self) -> None:
        """Make the calculator forget its results and neighbour lists, as if it were new."""
        if hasattr(self._calculator, "reset"):
            self._calculator.reset()

    def _states(self, member: MovingAtoms, largest_move_angstrom: float) -> StepStates:
        # every integrator ends its step with the forces at the new positions: asking ASE again only costs time
        results = getattr(self._calculator, "results", {})
        forces, energy = results.get("forces"), results.get("energy")
        forces = member.atoms.get_forces(md=True) if forces is None else forces
        return StepStates.of(
            largest_force_ev_per_angstrom=(float(np.abs(forces).max(initial=0.0)),),
            potential_energy_ev=(float(member.atoms.get_potential_energy() if energy is None else energy),),
            largest_move_angstrom=(largest_move_angstrom,),
            temperature_k=(kinetic_temperature_k(member.atoms, member.degrees_of_freedom),),
            volume_angstrom3=(float(member.atoms.cell.volume),),
        )


def _states_after_error(atoms: Atoms, largest_move_angstrom: float, error: Exception) -> StepStates:
    return StepStates.of(
        largest_force_ev_per_angstrom=(np.nan,),
        potential_energy_ev=(np.nan,),
        largest_move_angstrom=(largest_move_angstrom,),
        temperature_k=(np.nan,),
        volume_angstrom3=(float(atoms.cell.volume),),
        errors={0: error},
    )


def _largest_move(atoms: Atoms, before: np.ndarray, cell_before: np.ndarray) -> float:
    """Largest displacement along an axis in Å; a homogeneous strain, which carries far atoms far, is no move."""
    if not np.array_equal(atoms.cell.array, cell_before):
        before = before @ np.linalg.solve(cell_before, atoms.cell.array)
    return float(np.abs(atoms.positions - before).max())
