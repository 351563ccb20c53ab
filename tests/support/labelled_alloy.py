"""A quick teacher and a quick student: frames of a copper-gold crystal labelled by EMT, and a MACE of 8 channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from pymatgen.core import Lattice, Structure
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.potentials.training.distortions import distorted
from superion.potentials.training.label_store import LabelStore
from superion.potentials.training.labelled_frames import with_labels

EMT = PotentialSpecification(name="ase", model="ase.calculators.emt.EMT")

ARCHITECTURE = """\
description: a student for tests
r_max: 4.0
num_channels: 8
num_interactions: 1
max_ell: 2
correlation: 2
radial_widths: [16, 16]
"""


def alloy_frames(n_frames: int, *, seed: int = 0) -> list[Atoms]:
    """Distorted cells of Cu3Au with 32 atoms."""
    generator = np.random.default_rng(seed)
    crystal = bulk("Cu", cubic=True, a=3.75).repeat(2)
    crystal.symbols[::4] = "Au"
    return [distorted(crystal, generator, displacement_angstrom=0.1) for _ in range(n_frames)]


def labelled_alloy(n_frames: int, folder: Path, *, seed: int = 0) -> list[Atoms]:
    """The same with energies, forces and stresses."""
    store = LabelStore(folder, load_potential(EMT))
    frames = alloy_frames(n_frames, seed=seed)
    return [with_labels(frame, store.label(frame), teacher=store.teacher) for frame in frames]


def alloy_crystal() -> Structure:
    """Cu3Au with 32 atoms."""
    cell = Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.8), ["Au", "Cu"], [[0, 0, 0], [0.5, 0.5, 0]])
    return cell * (2, 2, 2)


def write_architecture(folder: Path) -> str:
    """The file of the quick student's architecture."""
    path = folder / "quick.yaml"
    path.write_text(ARCHITECTURE)
    return str(path)
