from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from superion.errors import StructureError
from superion.structures.formal_charges import formal_charges
from superion.structures.orderings import order_candidates
from superion.structures.substitute import substitute


def rock_salt(cation: object = "Li", anion: object = "Cl") -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def garnet(octahedral: object = "Zr", tetrahedral_li: float = 0.56, octahedral_li: float = 0.443) -> Structure:
    """Cubic Li7La3Zr2O12, or another filling of its sites."""
    return Structure.from_spacegroup(
        "Ia-3d",
        Lattice.cubic(12.97),
        ["La", octahedral, "O", {"Li": tetrahedral_li}, {"Li": octahedral_li}],
        [[0.125, 0, 0.25], [0, 0, 0], [0.9698, 0.0538, 0.1498], [0.375, 0, 0.25], [0.0959, 0.6892, 0.5813]],
    )


def charge(structure: Structure) -> float:
    return sum(species.oxi_state * amount for site in structure for species, amount in site.species.items())


def amounts(structure: Structure) -> dict[str, float]:
    return structure.composition.get_el_amt_dict()


def test_isovalent_substitution_changes_only_the_elements():
    (mixed,) = substitute(rock_salt(), {"Cl": {"Br": 0.25}})
    assert amounts(mixed) == pytest.approx({"Li": 4.0, "Cl": 3.0, "Br": 1.0})
    (whole,) = substitute(rock_salt(), {"Cl": "I-"})
    assert amounts(whole) == {"Li": 4.0, "I": 4.0}
    assert whole.is_ordered


def test_two_guests_and_two_hosts_at_once():
    (mixed,) = substitute(rock_salt(), {"Li": {"Na": 0.25, "K": 0.25}, "Cl": {"Br": 0.5}})
    assert amounts(mixed) == pytest.approx({"Li": 2.0, "Na": 1.0, "K": 1.0, "Cl": 2.0, "Br": 2.0})
    # an exchange of elements is one too
    (swapped,) = substitute(rock_salt(), {"Li": "Na", "Cl": "F"})
    assert amounts(swapped) == {"Na": 4.0, "F": 4.0}


def test_charges_of_two_substitutions_may_cancel():
    (mixed,) = substitute(rock_salt("Mg", "O"), {"Mg": {"Li": 0.25}, "O": {"F": 0.25}})
    assert amounts(mixed) == pytest.approx({"Mg": 3.0, "Li": 1.0, "O": 3.0, "F": 1.0})
    assert charge(mixed) == pytest.approx(0.0)


def test_excess_positive_charge_takes_mobile_ions_off():
    (doped,) = substitute(rock_salt(), {"Li+": {"Mg2+": 0.25}})
    assert amounts(doped) == pytest.approx({"Li": 2.0, "Mg": 1.0, "Cl": 4.0})
    assert charge(doped) == pytest.approx(0.0)


def test_tantalum_in_the_garnet_takes_lithium_off_and_yttrium_adds_it():
    parent = garnet()
    (tantalum,) = substitute(parent, {"Zr4+": {"Ta5+": 0.25}})
    assert amounts(tantalum)["Ta"] == pytest.approx(4.0)
    assert amounts(parent)["Li"] - amounts(tantalum)["Li"] == pytest.approx(4.0)
    assert charge(tantalum) == pytest.approx(sum(formal_charges(parent)[0][s] * n for s, n in amounts(parent).items()))
    # Li6.4La3Zr1.4Ta0.6O12 has room for more
    parent = garnet({"Zr": 0.7, "Ta": 0.3}, 0.5, 0.4083333)
    (yttrium,) = substitute(parent, {"Zr4+": {"Y3+": 0.0625}})
    assert amounts(yttrium)["Li"] - amounts(parent)["Li"] == pytest.approx(0.7)
    assert max(site.species.num_atoms for site in yttrium) <= 1.0 + 1e-9


def test_no_room_for_more_ions_says_so():
    with pytest.raises(StructureError, match=r"The charge of -1 .* cannot be balanced: 1 Li would have to be added"):
        substitute(rock_salt(), {"Cl": {"S2-": 0.25}})


def test_each_compensating_element_gives_a_structure():
    found = substitute(rock_salt("Mg", "O"), {"Mg": {"Li": 0.25}}, compensate_with=["O", "Mg"])
    # O can leave; Mg cannot come, for its sites are full
    assert [amounts(structure) for structure in found] == [pytest.approx({"Mg": 3.0, "Li": 1.0, "O": 3.5})]
    assert charge(found[0]) == pytest.approx(0.0)


def test_split_sites_count_as_one_place():
    """Pairs of half-occupied sites 1 Å apart are full; pairs at a quarter each hold half an atom more."""
    lattice = Lattice.cubic(5.0)
    positions = [[0, 0, 0], [0.2, 0, 0], [0.6, 0.5, 0.5]]
    full = Structure(lattice, [{"Li": 0.5}, {"Li": 0.5}, "Cl"], positions)
    with pytest.raises(StructureError, match="room for 0"):
        substitute(full, {"Cl": {"S2-": 0.5}})
    half = Structure(lattice, [{"Li": 0.25}, {"Li": 0.25}, {"Cl": 0.5}], positions)
    (more,) = substitute(half, {"Cl": {"S2-": 1.0}})
    assert amounts(more) == pytest.approx({"Li": 1.0, "S": 0.5})


@pytest.mark.parametrize(
    ("species_map", "words"),
    [
        ({"Na": "K"}, "'Na' cannot be substituted"),
        ({"Li2+": "Na"}, r"its Li has the charge \+1"),
        ({"Li": {"Na": 0.0}}, "above 0 and at most 1"),
        ({"Li": {"Na": 0.7, "K": 0.7}}, "more than 1"),
        ({"Li": {"Na": float("nan")}}, "above 0 and at most 1"),
        ({"Li": {"Li+": 0.5}}, "itself"),
        ({"Li": {"Xy3+": 0.5}}, "neither an element nor an ion"),
        ({"Li": {"Mg2+": 0.1}, "Li+": {"Na": 0.1}}, "substituted twice"),
        ({"Li": {"Cl+": 0.1}}, "an element has one charge"),
    ],
    ids=["no-host", "wrong-charge", "nothing", "too-much", "not-a-number", "itself", "unknown", "twice", "two-charges"],
)
def test_mistakes_are_named(species_map: dict, words: str):
    with pytest.raises(StructureError, match=words):
        substitute(rock_salt(), species_map)


def test_a_parent_that_is_not_neutral_is_refused():
    with pytest.raises(StructureError, match=r"has a formal charge of \+2"):
        substitute(
            Structure(Lattice.cubic(4.0), ["Mg2+", "Mg2+", "O2-"], [[0, 0, 0], [0.5] * 3, [0.5, 0, 0]]), {"O": "S"}
        )


def test_an_unknown_compensator_is_named():
    with pytest.raises(StructureError, match="Na cannot balance the charge"):
        substitute(rock_salt(), {"Li": {"Mg": 0.25}}, compensate_with="Na")


@settings(max_examples=8, deadline=None)
@given(
    guest=st.sampled_from(["Na+", "Mg2+", "Al3+", "Zr4+"]),
    part=st.sampled_from([0.02, 0.05, 0.1, 0.2, 0.25]),
    anion=st.sampled_from([None, "Br", "I"]),
    anion_part=st.floats(0.05, 1.0),
)
def test_charge_amounts_and_sites_are_kept(guest: str, part: float, anion: str | None, anion_part: float):
    parent = rock_salt()
    species_map: dict = {"Li+": {guest: part}}
    if anion:
        species_map["Cl"] = {anion: anion_part}
    (doped,) = substitute(parent, species_map, compensate_with="Li")
    assert charge(doped) == pytest.approx(0.0, abs=1e-6)
    symbol, size = guest[:2], {"Na+": 1, "Mg2+": 2, "Al3+": 3, "Zr4+": 4}[guest]
    assert amounts(doped)[symbol] == pytest.approx(4 * part)
    assert amounts(doped).get("Li", 0.0) == pytest.approx(4 - 4 * part * size, abs=1e-6)
    assert sum(amounts(doped).get(x, 0.0) for x in ("Cl", "Br", "I")) == pytest.approx(4.0)
    assert all(site.species.num_atoms <= 1.0 + 1e-9 for site in doped)
    given_sites = {tuple(site.frac_coords) for site in parent}
    assert {tuple(site.frac_coords) for site in doped} <= given_sites


def test_the_result_can_be_ordered():
    (doped,) = substitute(rock_salt(), {"Li+": {"Mg2+": 0.25}})
    ordered = order_candidates(doped, n_orderings=2).orderings[0].structure
    assert ordered.composition.formula == "Li2 Mg1 Cl4"
