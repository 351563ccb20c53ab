"""Whether two calculators compute the same: the check of a converted model against the one it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

FORCE_TOLERANCE_EV_PER_ANGSTROM = 1e-4
"""Largest difference of a force component that passes, in eV/Å."""

RELATIVE_FORCE_TOLERANCE = 1e-5
"""The same for forces above 10 eV/Å, which float32 does not hold as exactly: relative to the largest."""

ENERGY_TOLERANCE_EV_PER_ATOM = 1e-5
"""Largest difference of energies that passes, in eV per atom."""

STRESS_TOLERANCE_EV_PER_ANGSTROM3 = 1e-5
"""Largest difference of a stress component that passes, in eV/Å³: 1.6 MPa."""

_SEED = 5
_CHECK_SPACINGS_ANGSTROM = (2.9, 3.3)
_RATTLE_ANGSTROM = 0.2


class Agreement(BaseModel):
    """How far two calculators are apart on one structure."""

    model_config = ConfigDict(frozen=True)

    elements: tuple[str, ...] = Field(description="elements of the structure, sorted")
    n_atoms: int = Field(description="atoms in the structure")
    largest_force_ev_per_angstrom: float = Field(description="largest force component in eV/Å")
    is_given: bool = Field(description="whether it is a structure to compute, and not one made for the check")
    energy_ev_per_atom: float = Field(description="difference of the energies in eV per atom")
    force_ev_per_angstrom: float = Field(description="largest difference of a force component in eV/Å")
    stress_ev_per_angstrom3: float = Field(description="largest difference of a stress component in eV/Å³")

    @property
    def is_close(self) -> bool:
        """Whether all differences are within their tolerances; not a number is not."""
        return (
            self.energy_ev_per_atom <= ENERGY_TOLERANCE_EV_PER_ATOM
            and self.force_ev_per_angstrom
            <= max(FORCE_TOLERANCE_EV_PER_ANGSTROM, RELATIVE_FORCE_TOLERANCE * self.largest_force_ev_per_angstrom)
            and self.stress_ev_per_angstrom3 <= STRESS_TOLERANCE_EV_PER_ANGSTROM3
        )

    @property
    def clause(self) -> str:
        """The differences in words."""
        return (
            f"{self.force_ev_per_angstrom:.1e} eV/Å in the forces, {self.energy_ev_per_atom:.1e} eV/atom in the energy "
            f"and {self.stress_ev_per_angstrom3:.1e} eV/Å³ in the stress on {self.n_atoms} atoms of "
            f"{', '.join(self.elements)}"
        )


def compare(atoms: Atoms, calculator: Calculator, reference: Calculator, *, is_given: bool = True) -> Agreement:
    """Compute energy, forces and stress of a structure by both.

    Parameters
    ----------
    atoms : ase.Atoms
        A periodic structure; left as it is.
    calculator, reference : ase.calculators.calculator.Calculator
        The calculators.
    is_given : bool
        Whether it is a structure to compute, and not one made for the check.

    Returns
    -------
    Agreement
        Their differences.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> compare(bulk("Cu"), EMT(), EMT()).is_close
    True
    """
    results = []
    for each in (calculator, reference):
        copy = atoms.copy()
        copy.calc = each
        results.append((copy.get_potential_energy(), copy.get_forces(md=True), copy.get_stress()))
    (energy, forces, stress), (energy_0, forces_0, stress_0) = results
    return Agreement(
        elements=tuple(sorted(set(atoms.get_chemical_symbols()))),
        n_atoms=len(atoms),
        is_given=is_given,
        energy_ev_per_atom=float(abs(energy - energy_0)) / len(atoms),
        largest_force_ev_per_angstrom=float(np.abs(forces_0).max()),
        force_ev_per_angstrom=float(np.abs(forces - forces_0).max()),
        stress_ev_per_angstrom3=float(np.abs(stress - stress_0).max()),
    )


def check_structures(symbols: list[str]) -> list[Atoms]:
    """Make structures that hold every element of a model, at two densities, to compare calculators on.

    Parameters
    ----------
    symbols : list of str
        Chemical symbols.

    Returns
    -------
    list of ase.Atoms
        Shaken simple cubic lattices of the elements in random order.

    Examples
    --------
    >>> [len(atoms) for atoms in check_structures(["Li", "Cl"])]
    [27, 27]
    """
    from ase import Atoms

    generator = np.random.default_rng(_SEED)
    edge = max(3, int(np.ceil(len(symbols) ** (1.0 / 3.0))))
    grid = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    structures = []
    for spacing in _CHECK_SPACINGS_ANGSTROM:
        chosen = generator.permutation(np.resize(np.array(sorted(symbols)), len(grid)))
        positions = grid * spacing + generator.normal(scale=_RATTLE_ANGSTROM, size=grid.shape).clip(-0.4, 0.4)
        structures.append(Atoms(list(chosen), positions=positions, cell=[edge * spacing] * 3, pbc=True))
    return structures
