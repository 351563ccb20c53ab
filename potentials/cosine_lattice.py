"""An analytic ionic conductor: ions in a cosine potential whose barrier is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list
from ase.stress import full_3x3_to_voigt_6_stress

from ..constants import GPA_FROM_EV_PER_ANGSTROM3
from ..errors import PotentialError

_EV_PER_ANGSTROM3_FROM_GPA = 1.0 / GPA_FROM_EV_PER_ANGSTROM3


class CosineLatticeCalculator(Calculator):
    """Ions that hop over barriers of known height on a lattice of known spacing.

    An atom at the fractional coordinates xₖ feels

        U = B/2 · Σₖ [1 − cos 2π(nₖ xₖ − sₖ)],   k = 1, 2, 3

    where B is the barrier of its element, nₖ the number of sites along lattice vector k (its length divided by the
    spacing, rounded) and sₖ the offset of its element in units of the spacing. The path from one site to the next
    along a lattice vector rises by exactly B; the harmonic frequency at a site of spacing a is (1/a) √(B/2m). Mobile
    ions have a low barrier and the framework a high one, which ties it to its sites without anchors: the potential is
    a function of the positions alone, so a restart continues exactly.

    Every pair closer than the range c feels the soft repulsion A [1 − (r/c)²]³, continuous in its first two
    derivatives. It keeps two ions off one site and lets atoms exchange energy, without which each coordinate of each
    ion would keep its own energy for ever under a deterministic thermostat. For sites on a simple cubic lattice of
    spacing a and a framework at their body centres, a range below 0.7 a leaves the static barrier at B.

    The optional volume term ½ K V₀ (V/V₀ − 1)² gives the cell an equilibrium for NPT and relaxation; the cosine term
    does not change under a homogeneous strain and has no stress.

    Parameters
    ----------
    barriers_ev : mapping of str to float
        Barrier of each element in eV. An atom of another element is refused.
    spacing_angstrom : float
        Distance between neighbouring sites in Å, rounded so that a whole number fits each lattice vector.
    offsets : mapping of str to sequence of 3 floats, optional
        Where an element's sites lie between the lattice points, in units of the spacing; (0, 0, 0) by default.
    repulsion_ev : float
        Height A of the pair repulsion in eV; 0 leaves it out.
    repulsion_range_angstrom : float, optional
        Range c of the repulsion in Å; 0.7 of the spacing by default.
    bulk_modulus_gpa : float
        Bulk modulus K in GPa; 0 leaves the volume term out.
    volume_angstrom3_per_atom : float, optional
        Equilibrium volume V₀ per atom in Å³; needed with `bulk_modulus_gpa`.

    Examples
    --------
    >>> from ase import Atoms
    >>> ion = Atoms("Li", scaled_positions=[[0.125, 0, 0]], cell=[12, 12, 12], pbc=True)
    >>> ion.calc = CosineLatticeCalculator(barriers_ev={"Li": 0.3}, spacing_angstrom=3.0)
    >>> round(ion.get_potential_energy(), 12)
    0.3
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces", "stress"]

    def __init__(
        self,
        barriers_ev: Mapping[str, float],
        spacing_angstrom: float,
        offsets: Mapping[str, Sequence[float]] | None = None,
        repulsion_ev: float = 0.0,
        repulsion_range_angstrom: float | None = None,
        bulk_modulus_gpa: float = 0.0,
        volume_angstrom3_per_atom: float | None = None,
    ) -> None:
        # no further keyword arguments: ASE's base class would swallow a misspelt one without a word
        super().__init__()
        if spacing_angstrom <= 0:
            raise PotentialError(f"The site spacing must be above zero, not {spacing_angstrom} Å.")
        if bulk_modulus_gpa and not volume_angstrom3_per_atom:
            raise PotentialError("A bulk modulus needs an equilibrium volume: give volume_angstrom3_per_atom too.")
        self.barriers_ev = {str(symbol): float(barrier) for symbol, barrier in barriers_ev.items()}
        self.known_elements = frozenset(self.barriers_ev)
        self.spacing_angstrom = float(spacing_angstrom)
        self.offsets = {symbol: tuple(map(float, offset)) for symbol, offset in (offsets or {}).items()}
        self.repulsion_ev = float(repulsion_ev)
        self.repulsion_range_angstrom = float(
            0.7 * spacing_angstrom if repulsion_range_angstrom is None else repulsion_range_angstrom
        )
        self.bulk_modulus_gpa = float(bulk_modulus_gpa)
        self.volume_angstrom3_per_atom = volume_angstrom3_per_atom
        self._species: tuple[bytes, np.ndarray, np.ndarray] | None = None

    def _barriers_and_offsets(self, atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
        key = atoms.numbers.tobytes()
        if self._species is None or self._species[0] != key:
            symbols = atoms.get_chemical_symbols()
            unknown = sorted(set(symbols) - self.known_elements)
            if unknown:
                raise PotentialError(
                    f"The cosine lattice has no barrier for {', '.join(unknown)}: add it to barriers_ev."
                )
            self._species = (
                key,
                np.array([self.barriers_ev[symbol] for symbol in symbols]),
                np.array([self.offsets.get(symbol, (0.0, 0.0, 0.0)) for symbol in symbols]),
            )
        return self._species[1], self._species[2]

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Compute energy (eV), forces (eV/Å) and stress (eV/Å³) at once."""
        super().calculate(atoms, properties, system_changes)
        cell = np.asarray(self.atoms.cell)
        volume = abs(np.linalg.det(cell))
        if volume == 0.0:
            raise PotentialError("The cosine lattice needs a periodic cell with three lattice vectors.")
        inverse = np.linalg.inv(cell)
        barriers, offsets = self._barriers_and_offsets(self.atoms)
        sites = np.maximum(1.0, np.rint(np.linalg.norm(cell, axis=1) / self.spacing_angstrom))
        fractional = self.atoms.positions @ inverse
        phase = 2.0 * np.pi * (fractional * sites - offsets)
        energy = 0.5 * float(np.sum(barriers[:, None] * (1.0 - np.cos(phase))))
        gradient = np.pi * barriers[:, None] * sites * np.sin(phase)
        forces = -gradient @ inverse.T
        virial = np.zeros((3, 3))
        if self.repulsion_ev:
            pair_energy, pair_forces, virial = self._repulsion(fractional, cell, inverse)
            energy += pair_energy
            forces += pair_forces
        if self.bulk_modulus_gpa and self.volume_angstrom3_per_atom:
            modulus = self.bulk_modulus_gpa * _EV_PER_ANGSTROM3_FROM_GPA
            reference = self.volume_angstrom3_per_atom * len(self.atoms)
            strain = volume / reference - 1.0
            energy += 0.5 * modulus * reference * strain**2
            virial += modulus * strain * volume * np.eye(3)
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": forces,
            "stress": full_3x3_to_voigt_6_stress(virial / volume),
        }

    def _repulsion(
        self, fractional: np.ndarray, cell: np.ndarray, inverse: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Energy, forces and dE/dstrain of the pair repulsion."""
        reach = self.repulsion_range_angstrom
        widths = 1.0 / np.linalg.norm(inverse, axis=0)
        if reach <= 0.5 * widths.min():
            # one image at most is within reach: rounding the fractional difference finds it
            first, second = np.triu_indices(len(fractional), k=1)
            difference = fractional[second] - fractional[first]
            vectors = (difference - np.rint(difference)) @ cell
            weight = 1.0
        else:
            first, second, vectors = neighbor_list("ijD", self.atoms, reach)
            weight = 0.5
        squared = np.einsum("ij,ij->i", vectors, vectors)
        near = squared < reach**2
        first, second, vectors, squared = first[near], second[near], vectors[near], squared[near]
        depth = 1.0 - squared / reach**2
        energy = weight * self.repulsion_ev * float(np.sum(depth**3))
        gradient = (weight * self.repulsion_ev * -6.0 / reach**2 * depth**2)[:, None] * vectors
        forces = np.zeros((len(fractional), 3))
        np.add.at(forces, first, gradient)
        np.add.at(forces, second, -gradient)
        return energy, forces, vectors.T @ gradient
