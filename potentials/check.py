"""Whether a potential works here: load it, compute once, time a step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..errors import NonFiniteResultError, PotentialError
from .finite_results import finite_calculator
from .potential import Potential
from .quiet import quietly
from .registry import load_potential
from .specification import PotentialProvenance, PotentialSpecification

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

_TIMED_STEPS = 5
_SEED = 11
_RATTLE_ANGSTROM = 0.05


class PotentialCheck(BaseModel):
    """What came out of a check of a potential."""

    model_config = ConfigDict(frozen=True)

    provenance: PotentialProvenance = Field(description="which potential, down to the bytes of its weights")
    formula: str = Field(description="composition of the cell it was tried on")
    n_atoms: int = Field(description="atoms in that cell")
    energy_ev_per_atom: float = Field(description="potential energy in eV per atom")
    largest_force_ev_per_angstrom: float = Field(description="largest force on an atom in eV/Å")
    net_force_ev_per_angstrom: float = Field(description="norm of the sum of the forces, which should vanish, in eV/Å")
    has_stress: bool = Field(description="whether it computes the stress, as relaxing the cell and NPT need")
    seconds_to_load: float = Field(description="time to load the model, in s")
    seconds_per_step: float = Field(description="time of one force evaluation on this cell, in s (median)")
    supports_torch_sim: bool = Field(description="whether it can serve torch-sim here")
    known_elements: list[str] | None = Field(description="elements that it knows; null when it does not say")


def check_potential(
    specification: PotentialSpecification, structure: Structure | Atoms | None = None
) -> PotentialCheck:
    """Load a potential, compute energy and forces on a small cell and time a step.

    Parameters
    ----------
    specification : PotentialSpecification
        The potential to try.
    structure : Structure or Atoms, optional
        An ordered crystal to try it on; a rock-salt cell of elements that it knows when None. It is shaken a little.

    Returns
    -------
    PotentialCheck
        Provenance, energy, forces and timing.

    Raises
    ------
    PotentialError
        When it cannot be loaded, does not know an element, or gives energies, forces or stresses that are not numbers.

    Examples
    --------
    >>> from superion.potentials.specification import PotentialSpecification
    >>> from ase.build import bulk
    >>> emt = PotentialSpecification(name="ase", model="ase.calculators.emt.EMT")
    >>> check = check_potential(emt, bulk("Cu", cubic=True).repeat(2))
    >>> check.n_atoms, check.provenance.device
    (32, 'cpu')
    """
    start = time.perf_counter()
    potential = load_potential(specification)
    calculator = finite_calculator(potential)
    provenance = potential.provenance
    known = potential.known_elements()
    loading = time.perf_counter() - start
    atoms = _small_cell(potential, known) if structure is None else _as_atoms(structure)
    potential.check_elements(atoms.get_chemical_symbols())
    atoms.rattle(_RATTLE_ANGSTROM, seed=_SEED)
    atoms.calc = calculator
    generator = np.random.default_rng(_SEED)
    timings = []
    try:
        with quietly():
            energy, forces = atoms.get_potential_energy(), atoms.get_forces()
            for _ in range(_TIMED_STEPS):
                atoms.positions += generator.normal(scale=1e-3, size=atoms.positions.shape)
                before = time.perf_counter()
                atoms.get_forces()
                timings.append(time.perf_counter() - before)
            has_stress = _has_stress(atoms)
    except PotentialError:
        raise
    except Exception as error:
        raise PotentialError(
            f"The potential '{potential.name}' fails on {atoms.get_chemical_formula()} "
            f"({type(error).__name__}: {error}): check its options, or try another structure."
        ) from error
    return PotentialCheck(
        provenance=provenance,
        formula=atoms.get_chemical_formula(),
        n_atoms=len(atoms),
        energy_ev_per_atom=float(energy) / len(atoms),
        largest_force_ev_per_angstrom=float(np.linalg.norm(forces, axis=1).max()),
        net_force_ev_per_angstrom=float(np.linalg.norm(forces.sum(axis=0))),
        has_stress=has_stress,
        seconds_to_load=loading,
        seconds_per_step=float(np.median(timings)),
        supports_torch_sim=potential.supports_torch_sim,
        known_elements=None if known is None else sorted(known),
    )


def _as_atoms(structure: Structure | Atoms) -> Atoms:
    from ase import Atoms

    if isinstance(structure, Atoms):
        return structure.copy()
    atoms = structure.to_ase_atoms()
    # a bare Atoms: pymatgen's adaptor returns a subclass that copies do not keep
    return Atoms(atoms.get_chemical_symbols(), positions=atoms.positions, cell=atoms.cell, pbc=True)


def _small_cell(potential: Potential, known: frozenset[str] | None) -> Atoms:
    from ase.build import bulk

    salts = {("Li", "F"): 4.03, ("Li", "Cl"): 5.13, ("Na", "Cl"): 5.64, ("Li", "S"): 5.3, ("Li", "O"): 4.4}
    for symbols, edge in salts.items():
        if known is None or known.issuperset(symbols):
            return bulk("".join(symbols), "rocksalt", a=edge, cubic=True).repeat(2)
    if not known:
        raise PotentialError(f"The potential '{potential.name}' names no element that it knows: give a structure.")
    metals = sorted(known)
    return bulk(metals[0], "fcc", a=4.5, cubic=True).repeat(2)


def _has_stress(atoms: Atoms) -> bool:
    try:
        atoms.get_stress()
    except NonFiniteResultError:
        raise
    except Exception:
        return False
    return True
