"""A few atoms coupled by a smooth periodic pair potential: translation invariant, chaotic, quick."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator, all_changes


class CoupledAtoms(Calculator):
    """Every pair has the energy -A cos(kx) cos(ky) cos(kz) of its distance vector, k = 2π / L of a cubic cell.

    The product keeps the three directions from living their own lives, and the lattice breaks the symmetry of
    rotation, so nothing but energy and total momentum is conserved.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def __init__(self, depth_ev: float = 0.1, **options) -> None:
        super().__init__(**options)
        self.depth_ev = depth_ev

    def calculate(self, atoms=None, properties=("energy",), system_changes=tuple(all_changes)) -> None:
        super().calculate(atoms, properties, system_changes)
        wave_number = 2 * np.pi / self.atoms.cell[0, 0]
        phase = wave_number * (self.atoms.positions[:, None] - self.atoms.positions[None, :])
        cosine, sine = np.cos(phase), np.sin(phase)
        product = cosine.prod(axis=2)
        others = np.stack(
            [cosine[..., [1, 2]].prod(-1), cosine[..., [0, 2]].prod(-1), cosine[..., [0, 1]].prod(-1)], -1
        )
        n_atoms = len(self.atoms)
        self.results = {
            "energy": -self.depth_ev * 0.5 * float(product.sum() - n_atoms),
            "forces": -self.depth_ev * wave_number * (sine * others).sum(axis=1),
        }
