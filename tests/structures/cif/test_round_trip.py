"""Crystals written in any setting and by any program come back as they were."""

from __future__ import annotations

import warnings
from pathlib import Path

import gemmi
import numpy as np
import pytest
import spglib
from ase.io import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from superion.structures.cif.reader import read_cif
from superion.structures.read import read_structure

HALL_NUMBERS = range(1, 531)


def cell_for(rotations: np.ndarray, chance: np.random.Generator, volume: float) -> Lattice:
    """A cell of random lengths and angles that the operations allow."""
    vectors = np.eye(3) * chance.uniform(0.8, 1.25, 3) + chance.uniform(-0.2, 0.2, (3, 3))
    metric = vectors @ vectors.T
    metric = np.einsum("aji,jk,akl->ail", rotations, metric, rotations).mean(axis=0)
    lattice = Lattice(np.linalg.cholesky(metric)).scale(volume)
    return Lattice.from_parameters(*np.round(lattice.abc, 4), *np.round(lattice.angles, 4))


def general_points(
    lattice: Lattice, rotations: np.ndarray, translations: np.ndarray, chance: np.random.Generator
) -> np.ndarray:
    """Two points whose images are well apart."""
    points: list[np.ndarray] = []
    while len(points) < 2:
        point = np.round(chance.uniform(0.03, 0.97, 3), 5)
        images = rotations @ point + translations
        if len(images) == 1 or lattice.get_all_distances(images[:1], images[1:]).min() > 0.2:
            points.append(point)
    return np.array(points)


def triplet(rotation: np.ndarray, translation: np.ndarray, decimals: bool, upper: bool) -> str:
    op = gemmi.Op()
    op.rot = (np.asarray(rotation) * 24).tolist()
    op.tran = np.round(np.asarray(translation) * 24).astype(int).tolist()
    text = op.triplet()
    if decimals:
        for under in (2, 3, 4, 6, 8):
            for over in range(1, under):
                text = text.replace(f"{over}/{under}", f"{over / under:.4f}")
    return text.upper() if upper else text


def cif_of(lattice: Lattice, points: np.ndarray, symmetry: str, types: list[str], occupancy: float) -> str:
    rows = "\n".join(
        f"{kind}{row} {kind} {x:.5f} {y:.5f} {z:.5f} {occupancy}"
        for row, (kind, (x, y, z)) in enumerate(zip(types, points, strict=True), 1)
    )
    lengths = "\n".join(f"_cell_length_{axis} {value:.4f}" for axis, value in zip("abc", lattice.abc, strict=True))
    angles = "\n".join(
        f"_cell_angle_{name} {value:.4f}"
        for name, value in zip(("alpha", "beta", "gamma"), lattice.angles, strict=True)
    )
    tags = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
    columns = "\n".join(f"_atom_site_{tag}" for tag in tags)
    return f"data_random\n{lengths}\n{angles}\n{symmetry}\nloop_\n{columns}\n{rows}\n"


def check_setting(hall_number: int, seed: int, way: str) -> None:
    """Compare a file in one of the 530 settings with spglib's own operations of it."""
    chance = np.random.default_rng(seed)
    database = spglib.get_symmetry_from_database(hall_number)
    kind = spglib.get_spacegroup_type(hall_number)
    assert database is not None
    assert kind is not None
    rotations, translations = database["rotations"].astype(int), database["translations"]
    lattice = cell_for(rotations, chance, volume=12.0 * len(rotations))
    points = general_points(lattice, rotations, translations, chance)
    if way == "hall":
        symmetry = f'_symmetry_space_group_name_Hall "{kind.hall_symbol}"'
        if '"' in kind.hall_symbol:
            symmetry = f"_symmetry_space_group_name_Hall '{kind.hall_symbol}'"
    else:
        decimals, upper = way == "decimals", way == "capitals"
        listed = "\n".join(
            f"'{triplet(rotation, translation, decimals, upper)}'"
            for rotation, translation in zip(rotations, translations, strict=True)
        )
        tag = "_space_group_symop_operation_xyz" if upper else "_symmetry_equiv_pos_as_xyz"
        symmetry = f"loop_\n{tag}\n{listed}"
    text = cif_of(lattice, points, symmetry, ["Li", "Cl"], 0.25)
    ((_, reading),) = read_cif(text.encode())
    structure = reading.structure  # type: ignore[union-attr]
    for symbol, point in zip(("Li", "Cl"), points, strict=True):
        images = (rotations @ point + translations) % 1.0
        found = np.array([site.frac_coords for site in structure if site.species.elements[0].symbol == symbol])
        assert len(found) == len(rotations)
        apart = lattice.get_all_distances(images, found)
        assert apart.min(axis=1).max() < 1e-3
        assert apart.min(axis=0).max() < 1e-3


@settings(max_examples=60, deadline=None)
@given(
    hall_number=st.sampled_from(list(HALL_NUMBERS)),
    seed=st.integers(0, 10_000),
    way=st.sampled_from(["operations", "capitals"]),
)
def test_random_crystals_in_random_settings(hall_number: int, seed: int, way: str):
    check_setting(hall_number, seed, way)


@pytest.mark.parametrize("way", ["hall", "decimals"])
@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_every_setting(way: str, step: int):
    for hall_number in HALL_NUMBERS[::step]:
        check_setting(hall_number, 7, way)


@pytest.mark.parametrize("group", list(gemmi.spacegroup_table_itb())[::7], ids=lambda group: group.xhm())
def test_symbols_of_tabulated_settings(group: gemmi.SpaceGroup):
    """A symbol with all that it says of its setting gives gemmi's own operations of it."""
    rotations = np.array([np.array(op.rot) // 24 for op in group.operations()])
    chance = np.random.default_rng(3)
    lattice = cell_for(rotations, chance, volume=12.0 * len(rotations))
    translations = np.array([np.array(op.tran) / 24 for op in group.operations()])
    points = general_points(lattice, rotations, translations, chance)
    text = cif_of(lattice, points, f"_space_group_name_H-M_alt '{group.xhm()}'", ["Li", "Cl"], 0.25)
    ((_, reading),) = read_cif(text.encode())
    images = np.array([op.apply_to_xyz(points[0].tolist()) for op in group.operations()]) % 1.0
    found = [site.frac_coords for site in reading.structure if "Li" in site.species]  # type: ignore[union-attr]
    assert lattice.get_all_distances(images, found).min(axis=1).max() < 1e-3


def crystals() -> dict[str, Structure]:
    layered = Structure.from_spacegroup(
        "R-3m", Lattice.hexagonal(2.815, 14.05), ["Li", "Co", "O"], [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.2605]]
    )
    spinel = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(8.24), ["Li", "Mn", "O"], [[0, 0, 0], [5 / 8] * 3, [0.388] * 3]
    )
    thio = Structure.from_spacegroup(
        "I-43m", Lattice.cubic(7.0), ["Na", "P", "S"], [[0, 0.5, 0.5], [0, 0, 0], [0.171, 0.171, 0.171]]
    )
    return {"layered": layered, "spinel": spinel, "thiophosphate": thio}


def writer(program: str, structure: Structure, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if program == "pymatgen":
            CifWriter(structure).write_file(path)
        elif program == "pymatgen with symmetry":
            CifWriter(structure, symprec=0.01, significant_figures=5).write_file(path)
        elif program == "ase":
            write(path, structure.to_ase_atoms(), format="cif")
        else:
            small = gemmi.SmallStructure()
            small.cell = gemmi.UnitCell(*structure.lattice.parameters)
            small.spacegroup_hm = "P 1"
            for index, site in enumerate(structure):
                atom = gemmi.SmallStructure.Site()
                atom.label = f"{site.specie.symbol}{index}"
                atom.type_symbol = site.specie.symbol
                atom.element = gemmi.Element(site.specie.symbol)
                atom.fract = gemmi.Fractional(*site.frac_coords)
                small.add_site(atom)
            path.write_text(f"data_x\n{small.make_cif_block().as_string().partition(chr(10))[2]}")


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["layered", "spinel", "thiophosphate"]),
    program=st.sampled_from(["pymatgen", "pymatgen with symmetry", "ase", "gemmi"]),
    primitive=st.booleans(),
    shift=st.tuples(*[st.floats(0, 1)] * 3),
)
def test_what_other_programs_write(tmp_path: Path, name: str, program: str, primitive: bool, shift):
    structure = crystals()[name]
    if primitive or name == "spinel":
        structure = structure.get_primitive_structure()
    if program != "pymatgen with symmetry":
        structure.translate_sites(range(len(structure)), list(shift))
    path = tmp_path / "written.cif"
    writer(program, structure, path)
    assert StructureMatcher(primitive_cell=True, scale=False).fit(read_structure(path), structure)
