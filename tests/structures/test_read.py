from __future__ import annotations

import warnings

import numpy as np
import pytest
from ase.io import write
from pymatgen.core import Lattice, Structure
from superion.errors import StructureError
from superion.structures.read import bundled_structures, read_structure, read_structure_with_notes


@pytest.fixture
def salt() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def same(one: Structure, other: Structure) -> bool:
    return one.matches(other, scale=False, primitive_cell=False)


@pytest.mark.parametrize("name", ["salt.cif", "POSCAR", "salt.vasp", "salt.json"])
def test_formats_of_pymatgen(tmp_path, salt, name: str):
    salt.to(filename=str(tmp_path / name), fmt="poscar" if name.endswith("vasp") else "")
    assert same(read_structure(tmp_path / name), salt)


@pytest.mark.parametrize(
    ("name", "fmt"),
    [
        *(("a.extxyz", "extxyz"), ("a.xyz", "extxyz"), ("a.xsf", "xsf"), ("a.in", "aims"), ("a.gen", "gen")),
        *(("a.json", "json"), ("a.traj", "traj"), ("a.cell", "castep-cell"), ("a.res", "res"), ("a.struct", "struct")),
    ],
)
def test_formats_of_ase(tmp_path, salt, name: str, fmt: str):
    write(tmp_path / name, salt.to_ase_atoms(), format=fmt)
    if name == "a.in":
        (tmp_path / name).rename(tmp_path / "geometry.in")
        name = "geometry.in"
    assert same(read_structure(tmp_path / name), salt)


OF_AN_ASYMMETRIC_UNIT = {
    "a.pdb": "CRYST1    5.130    5.130    5.130  90.00  90.00  90.00 F m -3 m      4\n"
    "ATOM      1 Li   MOL     1       0.000   0.000   0.000  1.00  0.00          Li\n"
    "ATOM      2 Cl   MOL     1       2.565   2.565   2.565  1.00  0.00          Cl\nEND\n",
    "a.res": "TITL x\nCELL 1.5418 5 6 7 90 95 90\nLATT -1\nSYMM -X,0.5+Y,-Z\nSFAC Li Cl\nLi 1 .1 .2 .3 1\n"
    "Cl 2 .6 .6 .6 1\nEND\n",
    "centric.res": "TITL x\nCELL 1.5418 5 6 7 90 95 90\nSFAC Li Cl\nLi 1 .1 .2 .3 1\nCl 2 .6 .6 .6 1\nEND\n",
    "half.res": "TITL x\nCELL 1.5418 5 6 7 90 95 90\nLATT -1\nSFAC Li Cl\nLi 1 .1 .2 .3 0.5\nCl 2 .6 .6 .6 1.0\nEND\n",
    "a.ins": "TITL x\nCELL 1.5418 5 6 7 90 95 90\nZERR 2 0 0 0 0 0 0\nLATT 1\nSFAC LI CL\nUNIT 2 2\nEND\n",
    "a.cssr": "5.13 5.13 5.13\n90.00 90.00 90.00 SPGR =225 F m -3 m    OPT = 1\n2 0\n0 LiCl\n1 Li 0 0 0\n"
    "2 Cl .5 .5 .5\n",
    "a.car": "!BIOSYM archive 3\nPBC=ON\nCAR\n!DATE\nPBC 5.13 5.13 5.13 90 90 90 (FM-3M)\n"
    "Li1      0.000000000    0.000000000    0.000000000 XXXX 1      xx      Li  0.000\n"
    "Cl2      2.565000000    2.565000000    2.565000000 XXXX 1      xx      Cl  0.000\nend\nend\n",
    "a.pwi": "&CONTROL\n/\n&SYSTEM\n ibrav=0, space_group=225, nat=2, ntyp=2\n/\nATOMIC_POSITIONS crystal\n",
    "a.abi": "acell 3*9.7\nspgroup 225\nnatrd 2\nntypat 2\nznucl 3 17\ntypat 1 2\nxred 0 0 0 .5 .5 .5\n",
    "a.cell": "%BLOCK positions_frac\nLi 0 0 0 MIXTURE:( 1 0.5)\nNa 0 0 0 MIXTURE:( 1 0.5)\n%ENDBLOCK positions_frac\n",
    "a.xsd": '<?xml version="1.0"?><XSD><Atom3d ID="8" Name="Li1" XYZ="0,0,0" Components="Li"/></XSD>\n',
}


@pytest.mark.parametrize("name", OF_AN_ASYMMETRIC_UNIT)
def test_formats_that_leave_atoms_to_symmetry_are_refused(tmp_path, name: str):
    (tmp_path / name).write_text(OF_AN_ASYMMETRIC_UNIT[name])
    with pytest.raises(StructureError, match=r"its format \(.*\) leaves atoms to symmetry.*give a CIF"):
        read_structure(tmp_path / name)


@pytest.mark.parametrize("pbc", ["F F F", "T T F"])
def test_clusters_and_slabs_are_refused_by_their_own_word(tmp_path, salt, pbc: str):
    atoms = salt.to_ase_atoms()
    atoms.pbc = [letter == "T" for letter in pbc.split()]
    write(tmp_path / "a.extxyz", atoms)
    with pytest.raises(StructureError, match=f"pbc {pbc}.: set pbc to T T T"):
        read_structure(tmp_path / "a.extxyz")


def test_slabs_of_xcrysden_are_refused(tmp_path, salt):
    write(tmp_path / "a.xsf", salt.to_ase_atoms())
    text = (tmp_path / "a.xsf").read_text()
    assert "CRYSTAL" in text
    (tmp_path / "a.xsf").write_text(text.replace("CRYSTAL", "SLAB"))
    with pytest.raises(StructureError, match="periodic in 2 of 3 directions"):
        read_structure(tmp_path / "a.xsf")


def test_what_ase_says_of_castep_is_no_note(tmp_path, salt):
    write(tmp_path / "a.cell", salt.to_ase_atoms(), format="castep-cell")
    assert read_structure_with_notes(tmp_path / "a.cell").notes == ()


def test_several_structures_take_the_first_and_say_so(tmp_path, salt):
    larger = salt.copy()
    larger.scale_lattice(salt.volume * 1.2)
    write(tmp_path / "many.extxyz", [salt.to_ase_atoms(), larger.to_ase_atoms()])
    reading = read_structure_with_notes(tmp_path / "many.extxyz")
    assert reading.structure.volume == pytest.approx(salt.volume)
    assert "holds 2 structures; the first is taken" in reading.notes[0]


def test_shipped_argyrodite_is_what_its_header_says():
    structure = read_structure("Li6PS5Cl")
    assert structure.composition.formula == "Li24 P4 S20 Cl4"
    assert structure.lattice.a == pytest.approx(9.898)
    assert structure.lattice.is_hexagonal() is False
    by_symbol = {symbol: [site for site in structure if symbol in site.species] for symbol in ("Cl", "P", "Li")}
    assert len(by_symbol["Li"]) == 48
    assert all(site.species.num_atoms == 0.5 for site in by_symbol["Li"])
    assert any(np.allclose(site.frac_coords % 1, 0) for site in by_symbol["Cl"])  # Cl on 4a, undisturbed
    full = [site for site in structure if "Li" not in site.species]
    assert all(site.is_ordered for site in full)
    header = bundled_structures()["Li6PS5Cl"].read_text()
    for word in ("CC BY 4.0", "arXiv:2502.14234", "10.1021/jacs.7b06327", "FULLY ORDERED"):
        assert word in header


@pytest.mark.parametrize("name", ["li6ps5cl", "Li6PS5Cl.cif", "LI6PS5CL"])
def test_shipped_names_forgive_case_and_suffix(name: str):
    assert read_structure(name).composition.reduced_formula == "Li6PS5Cl"


def test_a_file_wins_over_a_shipped_name(tmp_path, monkeypatch, salt):
    monkeypatch.chdir(tmp_path)
    salt.to(filename="Li6PS5Cl.cif")
    assert read_structure("Li6PS5Cl.cif").composition.reduced_formula == "LiCl"


def test_missing_file_names_the_nearest_example(tmp_path):
    with pytest.raises(StructureError, match="did you mean the shipped Li6PS5Cl"):
        read_structure("Li6PS5C")
    with pytest.raises(StructureError, match="no structure file"):
        read_structure(tmp_path / "nowhere.cif")
    with pytest.raises(StructureError, match="is a folder"):
        read_structure(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.cif", ""),
        ("binary.cif", "\x00\x01\x02\x7f" * 50),
        ("prose.cif", "this is not a crystal"),
        ("POSCAR", "nonsense\n1.0\nx y z\n"),
        ("page.html", "<html></html>"),
        ("broken.json", "{"),
        ("lone.xyz", "1\n\nLi 0 0 0\n"),
        ("short.extxyz", '5\nLattice="4 0 0 0 4 0 0 0 4"\nLi 0 0 0\n'),
        ("noext", "???"),
    ],
)
def test_unreadable_files_are_one_sentence(tmp_path, name: str, content: str):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(StructureError) as caught:
        read_structure(path)
    message = str(caught.value)
    assert name in message
    assert "\n" not in message
    assert str(tmp_path) not in message


def test_poscar_without_elements_is_refused(tmp_path):
    (tmp_path / "POSCAR").write_text("old format\n1.0\n4 0 0\n0 4 0\n0 0 4\n1 1\nDirect\n0 0 0\n.5 .5 .5\n")
    with pytest.raises(StructureError, match="POSCAR does not name its elements"):
        read_structure(tmp_path / "POSCAR")


def test_occupancy_above_one_is_refused_and_no_other_reader_fills_the_half_empty_sites(tmp_path):
    text = bundled_structures()["Li6PS5Cl"].read_text().replace("0.75000000  1.0", "0.75000000  1.7")
    (tmp_path / "over.cif").write_text(text)
    with pytest.raises(StructureError, match=r"over.cif: the occupancy of the site .* is 1.7"):
        read_structure(tmp_path / "over.cif")


def test_molecule_without_cell_is_refused(tmp_path):
    (tmp_path / "water.xyz").write_text("3\n\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n")
    with pytest.raises(StructureError, match="molecule without a periodic cell"):
        read_structure(tmp_path / "water.xyz")


def test_deuterium_becomes_hydrogen_with_a_note(tmp_path):
    deuteride = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.07), ["Li", "D"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    text = deuteride.to(fmt="cif").replace("H ", "D ")
    (tmp_path / "LiD.cif").write_text(text)
    reading = read_structure_with_notes(tmp_path / "LiD.cif")
    assert reading.structure.composition.reduced_formula == "LiH"
    assert any("read as H" in note for note in reading.notes)


def test_warnings_of_the_parser_become_notes(tmp_path, salt, recwarn):
    text = salt.to(fmt="cif").replace("0.50000000", "0.4999")
    (tmp_path / "rough.cif").write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reading = read_structure_with_notes(tmp_path / "rough.cif")
    assert all("\n" not in note for note in reading.notes)
    assert not recwarn.list
