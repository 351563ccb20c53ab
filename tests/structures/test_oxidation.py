from __future__ import annotations

import pytest
from pymatgen.core import Composition
from superion.structures.oxidation import guess_oxidation_states


@pytest.mark.parametrize(
    ("formula", "states"),
    [
        ("Li6PS5Cl", {"Li": 1, "P": 5, "S": -2, "Cl": -1}),
        ("Li7La3Zr2O12", {"Li": 1, "La": 3, "Zr": 4, "O": -2}),
        ("Li10GeP2S12", {"Li": 1, "Ge": 4, "P": 5, "S": -2}),
        ("Li1.3Al0.3Ti1.7P3O12", {"Li": 1, "Al": 3, "Ti": 4, "P": 5, "O": -2}),
        ("Li6.4La3Zr1.4Ta0.6O12", {"Li": 1, "La": 3, "Zr": 4, "Ta": 5, "O": -2}),
        ("LiBH4", {"Li": 1, "B": 3, "H": -1}),
        ("CsHSO4", {"Cs": 1, "H": 1, "S": 6, "O": -2}),
        ("Li3N", {"Li": 1, "N": -3}),
        ("LiFePO4", {"Li": 1, "Fe": 2, "P": 5, "O": -2}),
        ("RbAg4I5", {"Rb": 1, "Ag": 1, "I": -1}),
        ("Li2O2", {"Li": 1, "O": -1}),
        ("Li0.5CoO2", {"Li": 1, "Co": 3.5, "O": -2}),
    ],
)
def test_known_materials(formula: str, states: dict[str, float]):
    guess, balanced = guess_oxidation_states(Composition(formula))
    assert balanced
    assert guess == pytest.approx(states)


def test_uncompensated_dopant_is_not_called_balanced():
    guess, balanced = guess_oxidation_states(Composition("BaZr0.8Y0.2O3"))
    assert not balanced
    assert guess == {"Ba": 2, "Zr": 4, "Y": 3, "O": -2}


def test_element_is_neutral():
    assert guess_oxidation_states(Composition("Li")) == ({"Li": 0.0}, True)
