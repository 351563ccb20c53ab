from __future__ import annotations

import pytest
from pymatgen.core import Lattice, Structure
from superion.errors import StructureError
from superion.structures.mobile_ion import resolve_mobile_ion
from superion.structures.read import read_structure


def crystal(**amounts: int) -> Structure:
    """Any composition: the places do not matter here."""
    symbols = [symbol for symbol, amount in amounts.items() for _ in range(amount)]
    places = [[0.31 * index % 1, 0.47 * index % 1, 0.73 * index % 1] for index in range(len(symbols))]
    return Structure(Lattice.cubic(3.0 * len(symbols) ** (1 / 3)), symbols, places)


@pytest.mark.parametrize(
    ("amounts", "symbol", "charge"),
    [
        ({"Li": 3, "P": 1, "S": 4}, "Li", 1),
        ({"Na": 3, "P": 1, "S": 4}, "Na", 1),
        ({"K": 1, "F": 1}, "K", 1),
        ({"Ag": 1, "I": 1}, "Ag", 1),
        ({"Rb": 1, "Ag": 4, "I": 5}, "Ag", 1),
        ({"Cu": 1, "I": 1}, "Cu", 1),
        ({"Cu": 2, "Se": 1}, "Cu", 1),
        ({"Y": 1, "Ba": 2, "Cu": 3, "O": 7}, "O", -2),
        ({"Ca": 1, "F": 2}, "F", -1),
        ({"Mg": 1, "Sc": 2, "Se": 4}, "Mg", 2),
        ({"Zn": 1, "S": 1}, "Zn", 2),
        ({"Cs": 1, "H": 1, "S": 1, "O": 4}, "H", 1),
        ({"Zr": 1, "O": 2}, "O", -2),
        ({"Al": 1, "Cl": 3}, "Al", 3),
        ({"Pb": 1, "Cl": 2}, "Cl", -1),
    ],
)
def test_guess_is_said(amounts: dict[str, int], symbol: str, charge: float):
    ion = resolve_mobile_ion(crystal(**amounts))
    assert (ion.symbol, ion.charge, ion.guessed) == (symbol, charge, True)
    assert f"mobile ion guessed: {symbol}" in ion.note
    assert "charge" in ion.note


@pytest.mark.parametrize(
    ("text", "symbol", "charge"), [("Li", "Li", 1), ("Cl-", "Cl", -1), ("S2-", "S", -2), ("li", "Li", 1)]
)
def test_given_ion(text: str, symbol: str, charge: float):
    ion = resolve_mobile_ion(read_structure("Li6PS5Cl"), text)
    assert (ion.symbol, ion.charge, ion.guessed) == (symbol, charge, False)


def test_given_charge_wins_and_leaves_no_note():
    ion = resolve_mobile_ion(crystal(Cu=1, S=1), "Cu", 2.0)
    assert (ion.charge, ion.note) == (2.0, "")


def test_charge_from_the_structures_oxidation_states():
    salt = Structure(Lattice.cubic(4), ["Cu2+", "S2-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert resolve_mobile_ion(salt, "Cu").charge == 2.0


def test_absent_ion_lists_the_elements_there():
    with pytest.raises(StructureError, match="holds no Na: its elements are Cl, Li, P, S"):
        resolve_mobile_ion(read_structure("Li6PS5Cl"), "Na")


@pytest.mark.parametrize("text", ["Xx", "Lithium", "", "Li++", "+"])
def test_nonsense_is_no_ion(text: str):
    with pytest.raises(StructureError, match="is not a chemical element"):
        resolve_mobile_ion(read_structure("Li6PS5Cl"), text)


def test_nothing_known_to_move():
    with pytest.raises(StructureError, match="is known to move"):
        resolve_mobile_ion(crystal(Fe=1, Ni=1))


def test_zero_charge_is_refused():
    with pytest.raises(StructureError, match="must carry a charge"):
        resolve_mobile_ion(read_structure("Li6PS5Cl"), "Li", 0.0)
