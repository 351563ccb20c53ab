"""Systems and potentials that every test folder shares; all of them real, all of them quick."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch loads: oversubscribed cores are a disaster
os.environ.setdefault("SUPERION_CACHE", "off")  # no test reads what an earlier one parsed

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from superion.potentials.specification import PotentialSpecification
from support.mongo_server import database, mongo_server, mongo_uri
from support.slurm_cluster import slurm_cluster, slurm_server

__all__ = ["database", "mongo_server", "mongo_uri", "slurm_cluster", "slurm_server"]

# property-based tests repeat exactly, in CI and at home
settings.register_profile("superion", derandomize=True, deadline=None)
settings.load_profile("superion")


LONG_FOLDERS = ("workflows", "configs", "quickstart", "scripts", "benchmarks", "flows", "makers")
"""Folders of tests that run or wait for long, longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first, those before all that wait for a queue: at the end one would run alone, and a core idle."""

    def place(item: pytest.Item) -> tuple[bool, int]:
        folder = os.path.relpath(item.path, Path(__file__).parent).split(os.sep)[0]
        return (
            "slurm_cluster" not in getattr(item, "fixturenames", ()),
            LONG_FOLDERS.index(folder) if folder in LONG_FOLDERS else len(LONG_FOLDERS),
        )

    items.sort(key=place)


@dataclass(frozen=True)
class CosineSystem:
    """Ions on an analytic lattice: what to simulate, with which potential, and the barrier that must come out."""

    atoms: Atoms
    specification: PotentialSpecification
    barrier_ev: float
    hop_distance_angstrom: float


def make_cosine_system(
    *,
    sites_per_edge: int = 3,
    barrier_ev: float = 0.15,
    spacing_angstrom: float = 3.0,
    vacancies: int = 9,
    repulsion_ev: float = 1.0,
) -> CosineSystem:
    """A simple cubic lattice of Li sites with vacancies, and S at the body centres as framework."""
    grid = np.stack(np.meshgrid(*[np.arange(sites_per_edge)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    occupied = grid[np.random.default_rng(1).permutation(len(grid))[vacancies:]]
    occupied = occupied[np.lexsort(occupied.T)]
    edge = sites_per_edge * spacing_angstrom
    atoms = Atoms(
        symbols=["Li"] * len(occupied) + ["S"] * len(grid),
        positions=np.vstack([occupied, grid + 0.5]) * spacing_angstrom,
        cell=[edge] * 3,
        pbc=True,
    )
    specification = PotentialSpecification(
        name="ase",
        model="superion.potentials.cosine_lattice.CosineLatticeCalculator",
        options={
            "barriers_ev": {"Li": barrier_ev, "S": 5.0},
            "spacing_angstrom": spacing_angstrom,
            "offsets": {"S": [0.5, 0.5, 0.5]},
            "repulsion_ev": repulsion_ev,
        },
    )
    return CosineSystem(atoms, specification, barrier_ev, spacing_angstrom)


@pytest.fixture
def cosine_system() -> CosineSystem:
    """18 Li on 27 sites and 27 S: microseconds a step, a barrier of 0.15 eV, hops of 3 Å."""
    return make_cosine_system()


@pytest.fixture(scope="session")
def tiny_mace_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real MACE model file (random weights, repulsive pair term) that knows Li, P, S, Cl, O, La, Zr and more."""
    from support.tiny_mace import build_tiny_mace

    return build_tiny_mace(tmp_path_factory.mktemp("mace") / "tiny.model")


@pytest.fixture(scope="session")
def tiny_mace_specification(tiny_mace_path: Path) -> PotentialSpecification:
    """The tiny MACE on the CPU in float64."""
    return PotentialSpecification(name="mace", model=str(tiny_mace_path), device="cpu", dtype="float64")


@pytest.fixture(scope="session")
def li6ps5cl():
    """The shipped argyrodite, ordered: 52 atoms, S and Cl on their own sites, 24 Li on 48 half-occupied ones."""
    from superion.structures.order import order_structure
    from superion.structures.read import read_structure

    return order_structure(read_structure("Li6PS5Cl")).structure
