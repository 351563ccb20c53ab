"""Parts of the reader on their own: encodings, types, names, operations, special positions."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from superion.errors import StructureError
from superion.flows.structure_input import read_input
from superion.structures.cif.numbers import parse_number
from superion.structures.cif.operation import operations_of
from superion.structures.cif.reader import read_cif
from superion.structures.cif.spacegroup_names import settings_of_name, split_name
from superion.structures.cif.species import site_type
from superion.structures.read import read_structure, read_structures
from superion.structures.rejection import RejectionCode, StructureRejection

FILES = Path(__file__).parent / "files"
OLIVINE = FILES / "icsd_olivine.cif"


def cif(cell: str, symbol: str, rows: str, extra: str = "") -> bytes:
    lengths = "".join(
        f"_cell_{name} {value}\n"
        for name, value in zip(
            ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"), cell.split(), strict=True
        )
    )
    tags = "".join(f"_atom_site_{tag}\n" for tag in ("label", "type_symbol", "fract_x", "fract_y", "fract_z"))
    return (
        f"data_x\n{extra}{lengths}_space_group_name_H-M_alt '{symbol}'\nloop_\n{tags}_atom_site_occupancy\n{rows}\n"
    ).encode()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.cif.gz", gzip.compress),
        ("a.cif.bz2", bz2.compress),
        ("a.cif.xz", lzma.compress),
        ("a.txt", bytes),
        ("without_ending", bytes),
        ("b.cif", lambda content: content.decode().encode("utf-16")),
        ("c.cif", lambda content: content.decode().encode("utf-16-le")),
        ("d.cif", lambda content: content.decode().encode("utf-32")),
        ("e.cif", lambda content: content.replace(b"\n", b"\r")),
    ],
)
def test_encodings_and_names(tmp_path: Path, name: str, pack):
    (tmp_path / name).write_bytes(pack(OLIVINE.read_bytes()))
    assert read_structure(tmp_path / name).composition.reduced_formula == "LiFePO4"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04abc", "ZIP archive"),
        (b"<html><body>", "web page"),
        (gzip.compress(b"data_x" * 1000, mtime=0)[:30], "damaged or cut off"),
        (b"\x01\x02\x03" * 100, "binary data"),
        (b"{}", "not a CIF, which begins with data_"),
    ],
)
def test_what_is_no_cif(tmp_path: Path, content: bytes, reason: str):
    (tmp_path / "x.cif").write_bytes(content)
    with pytest.raises(StructureError, match=reason):
        read_structure(tmp_path / "x.cif")


@pytest.mark.parametrize(
    ("text", "kind", "symbol", "charge"),
    [
        *[(text, "element", "Li", 1.0) for text in ("Li1+", "Li+", "Li+1", "7Li1+", "LI1+")],
        *[(text, "element", "O", -2.0) for text in ("O2-", "O-2", "O--", "O2-.")],
        *[(text, "element", "Fe", None) for text in ("Fe", "FE", "Fe12", "57Fe")],
        ("Nd4+", "element", "Nd", 4.0),
        ("Fe2.5+", "element", "Fe", 2.5),
        ("Li0+", "element", "Li", 0.0),
        ("Siva", "element", "Si", None),
        ("V5+", "element", "V", 5.0),
        *[(text, "vacancy", "", None) for text in ("Va", "VA", "Va1", "Vac", "vacancy")],
        *[(text, "hydrogen_group", "O", None) for text in ("OH", "OH-", "OH2", "H2O", "Wat")],
        *[(text, "hydrogen_group", "N", None) for text in ("NH3", "NH4+", "ND4+")],
        *[(text, "dummy", "", None) for text in ("X", "M1", "Me", "Q", "Cn", "Dum")],
        *[(text, "mixture", "", None) for text in ("Li/Na", "(Li,Na)", "Li0.5Na0.5")],
        *[(text, "unknown", "", None) for text in ("Og", "T", "LiNa", "?")],
    ],
)
def test_types_of_sites(text: str, kind: str, symbol: str, charge: float | None):
    found = site_type(text)
    assert (found.kind, found.symbol, found.charge) == (kind, symbol, charge)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        *[(text, ["F d -3 m:2"]) for text in ("F d -3 m :2", "Fd-3m Z", "F 41/d -3 2/m (origin at -1)", "F d 3 m :2")],
        *[(text, ["F d -3 m:1"]) for text in ("F d -3 m S", "Fd-3m:1", "F_d_-3_m :1")],
        *[(text, ["R -3 c:R"]) for text in ("R -3 c RS", "R-3c:r", "R -3 2/c R")],
        *[(text, ["P 63/m m c"]) for text in ("P6_3/mmc", "P 6~3~/m m c", "P6(3)/mmc", "P 63/m 2/m 2/c")],
        *[(text, ["P m -3 m"]) for text in ("Pm3m", "P M -3 M", "P 4/m -3 2/m", "P m -3 m :1")],
        ("P 21/b", ["P 1 1 21/b", "P 21/b 1 1"]),
        ("P 1 21/c", ["P 1 21/c 1"]),
        ("C m c e", ["C m c a"]),
        ("P n 21 a", ["P n 21 a"]),
        ("P 31 2", []),
        ("nonsense", []),
    ],
)
def test_names_of_space_groups(text: str, settings: list[str]):
    assert [group.xhm() for group in settings_of_name(split_name(text))] == settings


@pytest.mark.parametrize(
    "text",
    [
        "foo,bar,z",
        "x,y",
        "x,y,0",
        "x,x,z",
        "2x,y,z",
        "1/2*x,y,z",
        "x,y,z+1/0",
        "x,y,z+0.123",
        "x+y/2,y,z",
        "x,y,z,+1",
        "",
    ],
)
def test_what_is_no_operation(text: str):
    with pytest.raises(StructureError, match="symmetry operation"):
        operations_of((text,))


@pytest.mark.parametrize(
    ("text", "value", "decimals", "uncertainty"),
    [
        ("5.130(12)", 5.13, 3, 0.012),
        (".25", 0.25, 2, 0.0),
        ("90.(0)", 90.0, 0, 0.0),
        ("-1.5E-3", -0.0015, 4, 0.0),
        ("2/3", 2 / 3, 15, 0.0),
        ("1.0(?)", 1.0, 1, 0.0),
    ],
)
def test_numbers(text: str, value: float, decimals: int, uncertainty: float):
    number = parse_number(text)
    assert number is not None
    assert (number.value, number.decimals) == (pytest.approx(value), decimals)
    assert number.uncertainty == pytest.approx(uncertainty)


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "5,13", "0.5*", "1/0", "", "?", "1.2.3", "5.13(2"])
def test_what_is_no_number(text: str):
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("position", "occupancy", "sites"),
    [
        ("0 0 0", "1", 1),
        ("0 0 0.0004", "1", 1),
        ("0 0 0.03", "0.16667", 6),
        ("0.4999 0.5 0.5", "1", 1),
        ("0.333 0.333 0.333", "0.125", 8),
        ("0.25 0.2499 0.2501", "0.125", 8),
    ],
    ids=["exact", "a-hair-off", "split", "digits", "no-special-position", "diagonal"],
)
def test_special_and_split_positions(position: str, occupancy: str, sites: int):
    content = cif("5 5 5 90 90 90", "P m -3 m", f"Li1 Li {position} {occupancy}\nCl1 Cl 0.5 0.5 0 0.33333")
    ((_, reading),) = read_cif(content)
    lithium = [site for site in reading.structure if "Li" in site.species]  # type: ignore[union-attr]
    assert len(lithium) == sites


def test_a_full_split_position_is_refused():
    content = cif("5 5 5 90 90 90", "P m -3 m", "Li1 Li 0 0 0.03 1\nCl1 Cl 0.5 0.5 0.5 1")
    ((_, refusal),) = read_cif(content)
    assert isinstance(refusal, StructureRejection)
    assert refusal.code is RejectionCode.TOO_CLOSE


def test_one_structure_for_each_block_with_its_own_notes(tmp_path: Path):
    readings = list(read_structures(FILES / "journal_two_structures.cif"))
    assert [reading.notes[0] for reading in readings] == ["data block 100K", "data block 300K"]
    assert len(readings[0].notes) == 1
    assert "'?' are read as 1" in readings[1].notes[1]
    broken = (FILES / "journal_two_structures.cif").read_text().replace("5.13", "?")
    (tmp_path / "two.cif").write_text(broken)
    first, second = read_structures(tmp_path / "two.cif")
    assert not isinstance(first, StructureError)
    assert isinstance(second, StructureError)
    assert "two.cif, data block 300K: " in str(second)


def test_objects_in_memory_meet_the_same_check_of_hydrogen():
    bare = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(4.056), [{"Li": 2 / 3}, "O", "Br"], [[0.5, 0, 0], [0, 0, 0], [0.5, 0.5, 0.5]]
    )
    with pytest.raises(StructureRejection, match="add the sites of hydrogen"):
        read_input(bare)


SALT = "Li1 Li 0 0 0 1\nCl1 Cl 0.5 0.5 0.5 1"


@pytest.mark.parametrize(
    ("before", "rows", "note"),
    [
        ("_exptl_crystal_density_meas 1.9\n", SALT, "differs from the measured one"),
        ("_cell_volume 135.6\n", SALT, "The cell's volume, 135.01 Å³, differs"),
        ("_exptl_crystal_density_diffrn 2.14\n", SALT, "differs from that of the file, 2.14"),
        ("_x $y\n", SALT, "_x (line 2) should be in quotes"),
        ("", "Li1 Li 0 0 0 0.5\nLi2 Li 0 0 0 0.5\nCl1 Cl 0.5 0.5 0.5 1", "are added: Li1 and Li2"),
        ("", f"{SALT}\nLi2 Li 0 0.5 0.5 1", "counted once: Li2 (an image of Li1)"),
        ("_exptl_crystal_density_diffrn 2086\n", SALT, "The density 2086 is taken to be in kg/m³"),
        ("_chemical_formula_sum 'Cl Li'\n_chemical_formula_weight 58.44\n", SALT, "is not that of its formula 'Cl Li'"),
        ("_chemical_formula_sum 'Cl Li1-x'\n", SALT, "formula 'Cl Li1-x' cannot be read"),
        ("_chemical_formula_sum 'Cl Li0.97'\n", SALT, "differs from that of the file's formula"),
        ("_cell_length_a 5.13\n", SALT, "_cell_length_a is given twice with the same value"),
        ("", SALT.replace("0.5 0.5 0.5", "1/2 0.5 5.0D-1"), "Fractions such as 1/3 are read as exact numbers: Cl1"),
        ("", SALT.replace("0.5 0.5 0.5", "1/2 0.5 5.0D-1"), "Exponents written with D are read as powers of ten: Cl1"),
        ("", SALT.replace("0.5 0.5", "\u22120.5 0.5"), "minus signs are read as hyphens (first in line 17)"),
        ("", SALT.replace("Li1 Li", "Li1 ?"), "Types given as '?' are taken from the labels: Li1"),
        ("_cell_formula_units_Z 4\n_chemical_formula_sum 'Cl Li'\n", f"{SALT}\nX1 Va 0.25 0.25 0.25 1", "vacancies"),
    ],
)
def test_notes(before: str, rows: str, note: str):
    ((_, reading),) = read_cif(cif("5.13 5.13 5.13 90 90 90", "F m -3 m", rows, before))
    assert not isinstance(reading, StructureError), reading
    assert reading.structure.composition.formula == "Li4 Cl4"
    assert any(note in said for said in reading.notes), reading.notes


@pytest.mark.parametrize(
    ("before", "reason", "code"),
    [
        ("_exptl_crystal_density_meas 1.5\n", "states a measured one of 1.5", RejectionCode.WRONG_COMPOSITION),
        (
            "_chemical_formula_weight 42.39\n_cell_formula_units_Z 1\n",
            "4 units of the file's formula weight 42.39",
            None,
        ),
        ("_chemical_formula_moiety 'Li 1+, Cl 1-, H2 O'\n", "has no sites of H, O", RejectionCode.MISSING_HYDROGEN),
        ("_chemical_formula_structural 'Li2 Cl'\n", "holds 4 Li where", RejectionCode.MISSING_MOBILE_ION),
        ("_chemical_formula_sum 'Cl2 Li2 Na'\n", "has no sites of Na", None),
        ("_chemical_formula_sum 'Cl'\n", "has no Li", RejectionCode.WRONG_COMPOSITION),
        ("_cell_volume 138.0\n", "the file states 138.0", RejectionCode.NOT_A_CRYSTAL),
    ],
)
def test_contradictions_name_both_sides(before: str, reason: str, code: RejectionCode | None):
    ((_, refusal),) = read_cif(cif("5.13 5.13 5.13 90 90 90", "F m -3 m", SALT, before))
    assert isinstance(refusal, StructureRejection), refusal
    assert reason in str(refusal)
    assert code is None or refusal.code is code


@pytest.mark.parametrize(
    ("operations", "note"),
    [
        (("-x,-y,-z",), "The identity x,y,z is missing"),
        (("1 x,y,z", "2 -x,-y,-z"), ""),
        (("x,y,z", "-x,-y,-z", "-x,-y,-z"), "listed twice count once"),
        (("x,y,z", "\u2212x,\u2212y,\u2212z"), "Typographic minus signs are read as hyphens"),
    ],
)
def test_lists_of_operations(operations: tuple[str, ...], note: str):
    listed = "".join(f"'{operation}'\n" for operation in operations)
    content = cif("5.1 5.2 5.3 80 85 75", "P -1", "Li1 Li .1 .2 .3 1\nCl1 Cl .6 .7 .8 1").replace(
        b"_space_group_name_H-M_alt 'P -1'\n", f"loop_\n_symmetry_equiv_pos_as_xyz\n{listed}".encode()
    )
    ((_, reading),) = read_cif(content)
    assert reading.structure.composition.formula == "Li2 Cl2"  # type: ignore[union-attr]
    assert [note in said for said in reading.notes] == [True] * bool(note)  # type: ignore[union-attr]


SYMMETRY_NOTES = {
    "number 1": ("_space_group_IT_number 1\n", "P -1", "The number 1 is not that of the symmetry operations, 2"),
    "unknown name": ("", "Strange 1", "The symbol 'Strange 1' is not known: the symmetry operations are used"),
}


@pytest.mark.parametrize("case", SYMMETRY_NOTES)
def test_operations_outweigh_names_with_a_note(case: str):
    before, symbol, note = SYMMETRY_NOTES[case]
    listed = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,-z\n"
    content = cif("5.1 5.2 5.3 80 85 75", symbol, "Li1 Li .1 .2 .3 1\nCl1 Cl .6 .7 .8 1", before + listed)
    ((_, reading),) = read_cif(content)
    assert reading.structure.composition.formula == "Li2 Cl2"  # type: ignore[union-attr]
    assert any(note in said for said in reading.notes)  # type: ignore[union-attr]


def test_rounded_translations_are_noted():
    listed = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-y,x-y,z+.333\n-x+y,-x,z+.667\n"
    content = cif("5 5 6 90 90 120", "P 31", "Li1 Li .1 .2 .3 1\nCl1 Cl .6 .2 .3 1", listed)
    ((_, reading),) = read_cif(content)
    assert reading.structure.composition.formula == "Li3 Cl3"  # type: ignore[union-attr]
    assert "the fractions that they round: .333, .667" in " ".join(reading.notes)  # type: ignore[union-attr]


def test_a_symbol_in_another_basis_needs_operations():
    ((_, refusal),) = read_cif(cif("4.69 10.33 6.01 90 90 90", "P n m a (c,a,b)", SALT, "_space_group_IT_number 62\n"))
    assert "'P n m a (c,a,b)' is in another setting than its symbol: give the symmetry operations" in str(refusal)


@pytest.mark.parametrize(
    ("before", "label", "encoding"),
    [
        ("_publ_author_name Müller\n", "Cl1", "utf-8"),
        ("_publ_author_name Müller\n", "Cl1", "latin-1"),
        ("loop_\n_publ_author_name\nMüller\n'Å. Ångström' # größer\n\"Łuk's\"\n", "Cl1", "utf-8"),
        ("_cell_measurement_temperature 20°C\n_größe 1\n_x 'Cl−'\n", "Cl1", "utf-8"),
        ("_publ_author_name Müller, H.\n", "Cl1", "utf-8"),
        ("_x\n;\nGröße Müller\n;\n", "Clα", "utf-8"),
    ],
)
def test_words_beyond_ascii(before: str, label: str, encoding: str):
    content = cif("5.13 5.13 5.13 90 90 90", "F m -3 m", SALT.replace("Cl1", label), before)
    ((_, reading),) = read_cif(content.decode().encode(encoding))
    assert reading.structure.composition.formula == "Li4 Cl4"  # type: ignore[union-attr]
    assert label in reading.structure.labels  # type: ignore[union-attr]


def test_labels_of_water_without_types_are_noted():
    content = cif("4.21 4.21 4.21 90 90 90", "F m -3 m", "Mg1 ? 0 0 0 1\nOw1 ? 0.5 0.5 0.5 1")
    ((_, reading),) = read_cif(content)
    assert "labels speak of water" in " ".join(reading.notes)  # type: ignore[union-attr]


def test_text_before_the_first_block_is_passed_over():
    content = b"Supporting information\n" + cif("5.13 5.13 5.13 90 90 90", "F m -3 m", SALT)
    ((_, reading),) = read_cif(content)
    assert any("Text before the first data_ line" in note for note in reading.notes)  # type: ignore[union-attr]
    assert len(reading.structure) == 8  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("formula", "agrees"), [("_chemical_formula_sum 'Cl Li'\n_cell_formula_units_Z 4\n", True), ("", False)]
)
def test_a_multiplicity_that_nothing_explains(formula: str, agrees: bool):
    content = cif("5.13 5.13 5.13 90 90 90", "F m -3 m", "Li1 Li 0 0 0 1 3\nCl1 Cl .5 .5 .5 1 4", formula).replace(
        b"_atom_site_occupancy\n", b"_atom_site_occupancy\n_atom_site_site_symmetry_multiplicity\n"
    )
    ((_, reading),) = read_cif(content)
    assert isinstance(reading, StructureError) is not agrees
    text = " ".join(getattr(reading, "notes", ())) or str(reading)
    assert "has 4 images in the cell, where the file states a multiplicity of 3" in text
