from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from superion.errors import StructureError
from superion.structures.supercell import expand_to_minimum_edge, minimum_edge_angstrom, supercell_matrix


def test_minimum_edge_is_the_distance_of_faces_not_the_shortest_vector():
    slanted = Structure(Lattice.from_parameters(5, 5, 5, 60, 60, 60), ["Li"], [[0, 0, 0]])
    assert minimum_edge_angstrom(slanted) == pytest.approx(5 * np.sqrt(2 / 3))


def test_wide_cell_is_left_alone(li6ps5cl):
    assert expand_to_minimum_edge(li6ps5cl, 9.8) == li6ps5cl
    assert expand_to_minimum_edge(li6ps5cl, 0.0) == li6ps5cl


def test_primitive_face_centred_cell_becomes_a_cube():
    primitive = Structure(Lattice([[0, 2.5, 2.5], [2.5, 0, 2.5], [2.5, 2.5, 0]]), ["Ag"], [[0, 0, 0]])
    cube = expand_to_minimum_edge(primitive, 5.0)
    assert len(cube) == 4
    assert cube.lattice.abc == pytest.approx((5, 5, 5))
    assert cube.lattice.angles == pytest.approx((90, 90, 90))


@settings(max_examples=40)
@given(
    lengths=st.tuples(*[st.floats(3, 9)] * 3),
    angles=st.tuples(*[st.floats(65, 115)] * 3),
    edge=st.floats(0, 14),
)
def test_faces_are_far_enough_apart_and_nothing_is_lost(lengths, angles, edge):
    lattice = Lattice.from_parameters(*lengths, *angles)
    cell = Structure(lattice, ["Li", "Cl"], [[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]])
    expanded = expand_to_minimum_edge(cell, edge, maximum_atoms=10**6)
    assert minimum_edge_angstrom(expanded) >= edge - 1e-5
    assert expanded.composition.reduced_formula == "LiCl"
    assert expanded.volume / len(expanded) == pytest.approx(cell.volume / 2, rel=1e-9)
    # never more atoms than plain multiples of the lattice vectors need
    matrix = supercell_matrix(lattice.matrix, edge)
    widths = 1 / np.linalg.norm(np.linalg.inv(lattice.matrix), axis=0)
    assert round(np.linalg.det(matrix)) <= np.prod(np.maximum(1, np.ceil((edge - 1e-6) / widths)))
    shortest = [structure.get_neighbor_list(9.5)[3].min() for structure in (cell, expanded)]
    assert shortest[1] == pytest.approx(shortest[0], abs=1e-6)


def test_too_many_atoms_is_one_sentence(li6ps5cl):
    with pytest.raises(StructureError, match=r"at least 40 Å needs \d+ atoms, more than the 500 allowed"):
        expand_to_minimum_edge(li6ps5cl, 40.0, maximum_atoms=500)


@pytest.mark.parametrize("edge", [-1.0, float("nan"), float("inf")])
def test_nonsense_is_refused(li6ps5cl, edge: float):
    with pytest.raises(StructureError, match="minimum edge must be a length"):
        expand_to_minimum_edge(li6ps5cl, edge)


def test_left_handed_cells_are_repeated_too():
    mirrored = Structure(Lattice(-np.diag([4.0, 5.0, 6.0])), ["Li"], [[0, 0, 0]])
    assert minimum_edge_angstrom(expand_to_minimum_edge(mirrored, 11.0)) >= 11.0


SHEARS = st.lists(
    st.tuples(st.permutations(range(3)), st.sampled_from([-2, -1, 1, 2])).map(lambda drawn: (*drawn[0][:2], drawn[1])),
    max_size=6,
)


def in_other_setting(matrix, shears):
    """The same lattice by other vectors."""
    change = np.eye(3, dtype=int)
    for target, source, times in shears:
        change[target] += times * change[source]
    return change @ matrix


@settings(max_examples=60)
@given(
    lattice=st.sampled_from(
        [
            Lattice.cubic(5.13),
            Lattice.hexagonal(8.275, 20.47),
            Lattice.rhombohedral(5.0, 33.0),
            Lattice.monoclinic(5.15, 7.08, 6.79, 100.0),
            Lattice.from_parameters(8.03, 5.27, 9.96, 92.3, 81.5, 88.1),
        ]
    ),
    shears=SHEARS,
    edge=st.sampled_from([10.0, 12.0, 15.0]),
)
def test_every_setting_needs_as_many_atoms(lattice, shears, edge):
    settings_of_it = [in_other_setting(lattice.matrix, shears), in_other_setting(lattice.matrix, [*shears, (0, 2, 5)])]
    # what a file says of it: lengths and angles
    settings_of_it.append(Lattice.from_parameters(*Lattice(settings_of_it[0]).parameters).matrix)
    repetitions = [supercell_matrix(matrix, edge) for matrix in settings_of_it]
    reduced = lattice.get_niggli_reduced_lattice()
    expected = round(np.linalg.det(supercell_matrix(reduced.matrix, edge)))
    assert [round(np.linalg.det(repetition)) for repetition in repetitions] == [expected] * 3
    for matrix, repetition in zip(settings_of_it, repetitions, strict=True):
        assert (1 / np.linalg.norm(np.linalg.inv(repetition @ matrix), axis=0)).min() >= edge - 1e-4


def test_a_skewed_crystal_gives_the_same_crystal():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    skewed = salt.copy()
    skewed.make_supercell([[1, 7, 0], [0, 1, 0], [3, -5, 1]], to_unit_cell=True)
    expanded = expand_to_minimum_edge(skewed, 12.0)
    assert len(expanded) == 216
    assert minimum_edge_angstrom(expanded) >= 12.0
    assert sorted(expanded.get_neighbor_list(3.0)[3]) == pytest.approx([2.565] * 216 * 6)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ((9.857, 9.857, 9.857, 90, 90, 90), [[2, 0, 0], [0, 2, 0], [0, 0, 2]]),
        ((8.275, 8.275, 20.47, 90, 90, 120), [[2, 0, 0], [0, 2, 0], [0, 0, 1]]),
        ((2.82, 2.82, 14.05, 90, 90, 120), [[5, 0, 0], [0, 5, 0], [0, 0, 1]]),
        ((12.97, 12.97, 12.97, 109.47, 109.47, 109.47), [[1, 0, 0], [1, 2, 1], [0, 0, 1]]),
    ],
)
def test_usual_settings_are_repeated_as_ever(parameters, expected):
    """Trajectories are known by their exact structure: these matrices are those of the first release."""
    matrix = supercell_matrix(Lattice.from_parameters(*parameters).matrix, 12.0)
    assert matrix.tolist() == expected
