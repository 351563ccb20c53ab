"""A potential whose results are numbers, or an error: NaN and infinity pass no job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import NonFiniteResultError
from .potential import Potential

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

_PROPERTIES = {"energy": "energies", "free_energy": "energies", "forces": "forces", "stress": "stresses"}


def finite_calculator(potential: Potential) -> Calculator:
    """Build a calculator that refuses to give energies, forces or stresses that are not finite numbers.

    Every job that computes with a potential takes its calculator from here. Atoms whose positions or cell are not
    numbers are passed on unchecked: there the integrator or optimiser failed, not the potential.

    Parameters
    ----------
    potential : Potential
        The potential.

    Returns
    -------
    ase.calculators.calculator.Calculator
        A fresh calculator, which raises `NonFiniteResultError` in place of such results.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from superion.potentials.registry import load_potential
    >>> from superion.potentials.specification import PotentialSpecification
    >>> emt = load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT"))
    >>> copper = bulk("Cu", cubic=True)
    >>> copper.calc = finite_calculator(emt)
    >>> bool(abs(copper.get_forces()).max() < 1e-9)
    True
    """
    calculator: Any = potential.calculator()
    compute = calculator.calculate

    def calculate(atoms: Atoms | None = None, *args: Any, **kwargs: Any) -> None:
        compute(atoms, *args, **kwargs)
        _refuse_non_finite(potential, calculator, atoms)

    calculator.calculate = calculate
    return calculator


def _refuse_non_finite(potential: Potential, calculator: Any, atoms: Atoms | None) -> None:
    results = calculator.results
    wrong = dict.fromkeys(
        words
        for name, words in _PROPERTIES.items()
        if results.get(name) is not None and not np.isfinite(results[name]).all()
    )
    if not wrong:
        return
    atoms = calculator.atoms if atoms is None else atoms
    if atoms is not None and not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        return
    # ASE would hand out what is kept, without asking for it to be computed again
    calculator.results = {}
    model = potential.specification.model
    label = potential.name if model is None else f"{potential.name} ({model})"
    formula = "the structure" if atoms is None else atoms.get_chemical_formula(empirical=True)
    raise NonFiniteResultError(
        f"The potential {label} gives {' and '.join(wrong)} that are not numbers (NaN or infinite) for {formula}: "
        "choose another potential for this composition, or check its model file and its options."
    )
