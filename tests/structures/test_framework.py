from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from superion.structures.framework import framework_centres, framework_has_melted, framework_indices


def symbols(structure: Structure, indices: np.ndarray) -> set[str]:
    return {structure[int(index)].specie.symbol for index in indices}


def test_framework_is_all_but_the_mobile_ion(li6ps5cl):
    indices = framework_indices(li6ps5cl, "Li")
    assert len(indices) == 28
    assert symbols(li6ps5cl, indices) == {"P", "S", "Cl"}


def test_centres_are_those_of_the_polyanions(li6ps5cl):
    centres = framework_centres(li6ps5cl, "Li")
    assert symbols(li6ps5cl, centres) == {"P"}
    assert len(centres) == 4


@pytest.mark.parametrize(
    ("group", "edge", "species", "places", "mobile", "expected"),
    [
        ("Im-3m", 5.06, ["I", "Ag"], [[0, 0, 0], [0.25, 0, 0.5]], "Ag", {"I"}),
        ("Fm-3m", 5.46, ["Ca", "F"], [[0, 0, 0], [0.25, 0.25, 0.25]], "F", {"Ca"}),
        ("Pm-3m", 3.9, ["La", "Ti", "O"], [[0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0, 0]], "Li", {"La", "Ti"}),
    ],
)
def test_centres_of_other_kinds(group, edge, species, places, mobile, expected):
    structure = Structure.from_spacegroup(group, Lattice.cubic(edge), species, places)
    assert symbols(structure, framework_centres(structure, mobile)) == expected


def rotated_groups(structure: Structure, generator: np.random.Generator) -> np.ndarray:
    """Turn every PS4 group by a random rotation about its phosphorus."""
    from scipy.spatial.transform import Rotation

    positions = np.array(structure.cart_coords)
    for index, site in enumerate(structure):
        if site.specie.symbol != "P":
            continue
        turn = Rotation.random(random_state=int(generator.integers(2**31))).as_matrix()
        for neighbour in structure.get_neighbors(site, 2.4):
            arm = neighbour.coords - site.coords
            positions[neighbour.index] = structure[index].coords + turn @ arm
    return positions


def test_rotating_groups_and_diffusing_lithium_are_not_melting(li6ps5cl):
    generator = np.random.default_rng(4)
    reference = np.array(li6ps5cl.cart_coords)
    lithium = [index for index, site in enumerate(li6ps5cl) if site.specie.symbol == "Li"]
    frames = []
    for step in range(40):
        frame = rotated_groups(li6ps5cl, generator) + generator.normal(scale=0.25, size=reference.shape)
        frame[lithium] += generator.normal(scale=1.0 * np.sqrt(step), size=(len(lithium), 3))
        frames.append(frame)
    trajectory = np.array(frames, dtype=np.float32)
    sulfur = [index for index, site in enumerate(li6ps5cl) if site.specie.symbol == "S"]
    assert np.sqrt(((trajectory[-10:].mean(0) - reference)[sulfur] ** 2).sum(1).mean()) > 1.0
    melted, message = framework_has_melted(
        reference, trajectory, framework_centres(li6ps5cl, "Li"), li6ps5cl.lattice.matrix
    )
    assert not melted
    assert "is sound" in message


def test_drift_of_the_whole_crystal_is_not_melting(li6ps5cl):
    reference = np.array(li6ps5cl.cart_coords)
    frames = reference + np.linspace(0, 30, 20)[:, None, None]
    centres = framework_centres(li6ps5cl, "Li")
    assert not framework_has_melted(reference, frames, centres, li6ps5cl.lattice.matrix)[0]


def test_diffusing_centres_are_melting(li6ps5cl):
    generator = np.random.default_rng(1)
    reference = np.array(li6ps5cl.cart_coords)
    walk = np.cumsum(generator.normal(scale=0.5, size=(60, *reference.shape)), axis=0)
    centres = framework_centres(li6ps5cl, "Li")
    melted, message = framework_has_melted(reference, reference + walk, centres, li6ps5cl.lattice.matrix)
    assert melted
    assert "has melted" in message


def test_one_exchange_of_two_centres_is_seen(li6ps5cl):
    reference = np.array(li6ps5cl.cart_coords)
    centres = framework_centres(li6ps5cl, "Li")
    frames = np.repeat(reference[None], 20, axis=0)
    frames[10:, centres[0]], frames[10:, centres[1]] = reference[centres[1]], reference[centres[0]]
    assert framework_has_melted(reference, frames, centres, li6ps5cl.lattice.matrix)[0]


def test_short_excursion_that_comes_back_is_no_melting(li6ps5cl):
    reference = np.array(li6ps5cl.cart_coords)
    centres = framework_centres(li6ps5cl, "Li")
    frames = np.repeat(reference[None], 40, axis=0)
    frames[34:36, centres[0]] += 3.0
    assert not framework_has_melted(reference, frames, centres, li6ps5cl.lattice.matrix)[0]


def test_what_cannot_be_judged_is_said():
    cell = 5.0 * np.eye(3)
    assert "cannot be judged" in framework_has_melted(np.zeros((1, 3)), np.zeros((4, 1, 3)), np.array([0]), cell)[1]
    pair = np.array([[0.0, 0, 0], [2.5, 2.5, 2.5]])
    assert "no frames" in framework_has_melted(pair, np.zeros((0, 2, 3)), np.array([0, 1]), cell)[1]
