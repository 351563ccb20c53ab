"""The analytic conductor until its numbers end, importable by worker processes."""

from __future__ import annotations

from typing import Any

import numpy as np
from superion.potentials.cosine_lattice import CosineLatticeCalculator
from superion.potentials.specification import PotentialSpecification

WRONG = {
    "nan energy": ("energy", np.nan),
    "nan forces": ("forces", np.nan),
    "infinite forces": ("forces", np.inf),
    "nan stress": ("stress", np.nan),
}


class NanCalculator(CosineLatticeCalculator):
    """Gives one wrong number after some calls that went well; `kick` pushes the atoms apart at the call before."""

    def __init__(self, wrong: str, after: int = 0, kick_ev_per_angstrom: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.wrong, self.after, self.kick = wrong, after, kick_ev_per_angstrom
        self.n_calls = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=("positions",)) -> None:
        super().calculate(atoms, properties, system_changes)
        self.n_calls += 1
        if self.n_calls == self.after:
            self.results["forces"][0, 0] += self.kick
        if self.n_calls > self.after:
            name, value = WRONG[self.wrong]
            self.results[name] = self.results[name] + np.full(np.shape(self.results[name]), value)


def nan_specification(healthy: PotentialSpecification, wrong: str, **options: Any) -> PotentialSpecification:
    """The same analytic potential, which goes wrong."""
    return healthy.model_copy(
        update={
            "model": "support.nan_calculator.NanCalculator",
            "options": {**healthy.options, "wrong": wrong, **options},
        }
    )
