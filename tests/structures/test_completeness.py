from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Composition, Lattice, Structure
from superion.structures.charge_range import charge_range
from superion.structures.completeness import check_completeness, check_hydrogen
from superion.structures.declared_composition import declared_composition, declared_moieties
from superion.structures.read import bundled_structures, read_structure
from superion.structures.rejection import RejectionCode, StructureRejection


def rejection_code(structure: Structure, *arguments: object) -> RejectionCode:
    with pytest.raises(StructureRejection) as caught:
        check_completeness(structure, *arguments)  # type: ignore[arg-type]
    return caught.value.code


def antiperovskite(oxygen: str = "O") -> Structure:
    """Li2OHBr as refined from X-rays: Li on two thirds of its sites, no hydrogen."""
    return Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(4.056), [{"Li": 2 / 3}, oxygen, "Br"], [[0.5, 0, 0], [0, 0, 0], [0.5, 0.5, 0.5]]
    )


def lithium_titanate(lithium: float) -> Structure:
    """A perovskite (Li, La)TiO3 with the Li that it needs or without."""
    site = {"La": 0.5, "Li": lithium} if lithium else {"La": 0.5}
    return Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.87), [site, "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
    )


def test_hydroxide_without_hydrogen_is_found_with_and_without_its_formula():
    assert rejection_code(antiperovskite()) is RejectionCode.MISSING_HYDROGEN
    assert rejection_code(antiperovskite(), "Li", Composition("Li2OHBr")) is RejectionCode.MISSING_HYDROGEN


def test_water_without_hydrogen_is_found():
    """LiCl·H2O: charges balance, but oxygen is bonded to nothing."""
    hydrate = Structure(Lattice.cubic(6.0), ["Li", "Cl", "O"], [[0, 0, 0], [0.42, 0, 0], [0.5, 0.5, 0.5]])
    assert charge_range(hydrate) == (-2.0, -2.0)
    assert rejection_code(hydrate) is RejectionCode.MISSING_HYDROGEN
    with_hydrogen = hydrate.copy()
    for x in (0.38, 0.62):
        with_hydrogen.append("H", [x, 0.6, 0.5])
    assert check_completeness(with_hydrogen, "Li", Composition("LiCl(H2O)")) == []


def test_each_water_needs_its_own_hydrogen():
    """LiCl·2H2O with the hydrogen of one molecule only."""
    hydrate = Structure(
        Lattice.orthorhombic(6.0, 6.0, 12.0),
        ["Li", "Cl", "O", "O", "H", "H"],
        [[0, 0, 0], [0.42, 0, 0], [0.5, 0.5, 0.25], [0.5, 0.5, 0.75], [0.38, 0.6, 0.25], [0.62, 0.6, 0.25]],
    )
    with pytest.raises(StructureRejection, match=r"1 oxygen atoms of .* but their hydrogen is not there"):
        check_completeness(hydrate)
    for x in (0.38, 0.62):
        hydrate.append("H", [x, 0.6, 0.75])
    assert check_completeness(hydrate) == []


@pytest.mark.parametrize(
    ("group", "lattice", "metal", "oxygen"),
    [
        ("I4/mmm", Lattice.tetragonal(4.03, 6.70), "K", [0, 0, 0.4045]),
        ("I4/mmm", Lattice.tetragonal(4.47, 7.32), "Cs", [0, 0, 0.41]),
        ("Pa-3", Lattice.cubic(5.46), "Na", [0.43, 0.43, 0.43]),
    ],
)
def test_superoxides_are_not_water(group: str, lattice: Lattice, metal: str, oxygen: list[float]):
    superoxide = Structure.from_spacegroup(group, lattice, [metal, "O"], [[0, 0, 0], oxygen])
    assert superoxide.composition.reduced_formula in ("KO2", "CsO2", "NaO2")
    check_hydrogen(superoxide)


def test_oxygen_by_itself_is_not_water():
    check_hydrogen(Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.0), ["O"], [[0, 0, 0]]))


def test_mobile_ions_that_no_site_holds_are_missing():
    empty = lithium_titanate(0.0)
    assert rejection_code(empty, "Li") is RejectionCode.MISSING_MOBILE_ION
    assert rejection_code(empty, "Li+", Composition("Li0.5La0.5TiO3")) is RejectionCode.MISSING_MOBILE_ION
    # without any knowledge the charge gives it away
    assert rejection_code(empty) is RejectionCode.NOT_NEUTRAL
    assert check_completeness(lithium_titanate(0.5), "Li", Composition("Li0.5La0.5TiO3")) == []


@pytest.mark.parametrize(
    ("lithium", "code"),
    [(0.5, None), (0.45, None), (0.39, RejectionCode.MISSING_MOBILE_ION), (0.2, RejectionCode.MISSING_MOBILE_ION)],
    ids=["all", "nine-tenths", "less-than-eight-tenths", "less-than-half"],
)
def test_a_fifth_of_the_mobile_ions_may_lack(lithium: float, code: RejectionCode | None):
    known = Composition("LiLaTi2O6")
    if code is None:
        check_completeness(lithium_titanate(lithium), "Li", known)
    else:
        assert rejection_code(lithium_titanate(lithium), "Li", known) is code


def test_small_differences_are_noted_and_large_ones_rejected():
    argyrodite = read_structure("Li6PS5Cl")
    assert check_completeness(argyrodite, "Li", Composition("Li6PS5Cl")) == []
    (note,) = check_completeness(argyrodite, "Li", Composition("Li6PS4.8Cl1.2"))
    assert "differs from that of the material" in note
    assert rejection_code(argyrodite, "Li", Composition("Li6PS4ClO")) is RejectionCode.MISSING_ELEMENT
    assert rejection_code(argyrodite, "Li", Composition("Li6PS2Cl4")) is RejectionCode.WRONG_COMPOSITION


@pytest.mark.parametrize("scale", [0.25, 1.0, 7.0])
def test_the_unit_of_the_known_composition_does_not_matter(scale: float):
    known = Composition({symbol: scale * amount for symbol, amount in Composition("Li6PS5Cl").items()})
    assert check_completeness(read_structure("Li6PS5Cl"), "Li", known) == []


@pytest.mark.parametrize(
    ("symbols", "limits"),
    [
        (["Li", "Cl"], (0.0, 0.0)),
        (["Fe", "O"], (0.0, 1.0)),
        (["Li", "Al"], None),
        (["Li", "Sn"], None),
        (["Na", "B", "H"], None),
    ],
    ids=["salt", "two-valences", "alloy", "zintl", "borane"],
)
def test_range_of_charges(symbols: list[str], limits: tuple[float, float] | None):
    positions = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]][: len(symbols)]
    assert charge_range(Structure(Lattice.cubic(4.5), symbols, positions)) == limits


def test_peroxides_are_not_refused():
    """Li2O2: two oxygen atoms 1.55 Å apart carry one charge each."""
    peroxide = Structure.from_spacegroup(
        "P6_3/mmc",
        Lattice.hexagonal(3.14, 7.65),
        ["Li", "Li", "O"],
        [[0, 0, 0], [1 / 3, 2 / 3, 0.75], [1 / 3, 2 / 3, 0.149]],
    )
    assert peroxide.composition.reduced_formula == "Li2O2"
    assert check_completeness(peroxide, "Li", Composition("Li2O2")) == []


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("Li2 O1 H1 Br1", "Li2 H1 Br1 O1"),
        ("Li1.5 D0.5 O1", "Li1.5 H0.5 O1"),
        ("Li2 S O4", "Li2 S1 O4"),
        ("Li6.6(2) P S5", "Li6.6 P1 S5"),
        ("C6 H5 N O2 2-", "H5 C6 N1 O2"),
        ("?", None),
        ("(Li, Na) Cl", None),
        ("Xx2 O", None),
    ],
    ids=["plain", "deuterium", "no-ones", "uncertainty", "charge", "unknown", "mixture", "no-element"],
)
def test_formula_of_a_cif(text: str, formula: str | None):
    found = declared_composition(text)
    assert (found.formula if found else None) == formula


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("Li 1+, 2(H2 O), Cl 1-", "Li1 H4 Cl1 O2"),
        ("Li (Fe (P O4))", "Li1 Fe1 P1 O4"),
        ("(Li0.5 La0.5) (Ti O3)", "Li0.5 La0.5 Ti1 O3"),
        ("C6 H12 O6, 0.5(H2 O)", "H13 C6 O6.5"),
        ("see text", None),
        ("(Li,Na) Cl", None),
    ],
)
def test_formula_of_moieties(text: str, formula: str | None):
    found = declared_moieties(text)
    assert (found.formula if found else None) == formula


def test_reading_a_cif_whose_formula_names_absent_hydrogen_is_refused(tmp_path: Path):
    text = bundled_structures()["Li6PS5Cl"].read_text()
    changed = "\n".join(
        "_chemical_formula_sum 'Li24 P4 S20 Cl4 H8 O4'" if line.startswith("_chemical_formula_sum") else line
        for line in text.splitlines()
    )
    assert changed != text.rstrip("\n")
    (tmp_path / "hydrate.cif").write_text(changed)
    with pytest.raises(StructureRejection, match=r"hydrate.cif: .*has no sites of H, O") as caught:
        read_structure(tmp_path / "hydrate.cif")
    assert caught.value.code is RejectionCode.MISSING_HYDROGEN


def test_rejections_travel_between_processes():
    rejection = StructureRejection(RejectionCode.TOO_LARGE, "The cell has 900 atoms.")
    # a copy is rebuilt by the same rule by which an exception reaches another process
    rebuilt = copy.copy(rejection)
    assert type(rebuilt) is StructureRejection
    assert (rebuilt.code, str(rebuilt)) == (RejectionCode.TOO_LARGE, "The cell has 900 atoms.")


def test_occupancies_weigh_in_the_charge():
    half = Structure(Lattice.cubic(4.0), [{"Li": 0.5}, {"Cl": 0.5}], [[0, 0, 0], [0.5, 0.5, 0.5]])
    limits = charge_range(half)
    assert limits is not None
    assert np.allclose(limits, 0.0)
