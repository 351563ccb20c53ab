"""A MACE model by mace-torch and by symmetrix, beside CHGNet: energies, forces and stress, turn by turn in one process.

Run ``python benchmarks/mace_runtime.py``; it prints a table and writes it to ``docs/benchmarks/mace_runtime.md``. The
model is a two-layer MACE of scalar channels with random weights, which take as long as trained ones. Every potential
computes the same shaken cell in its turn, so that all meet the same state of the machine; the clock is the processor
time of the one thread. A MACE model of your own is given by ``--model``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from superion.dynamics.threads import use_threads
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.structures.order import order_structure
from superion.structures.read import read_structure

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.tiny_mace import build_tiny_mace

REPORT = Path(__file__).parent.parent / "docs" / "benchmarks" / "mace_runtime.md"
CUTOFF_ANGSTROM = 5.0
RATTLE_ANGSTROM = 0.1
MOVE_ANGSTROM = 0.01
"""What an atom moves in a step of dynamics, so that neighbour lists with a skin are reused as often as there."""


@dataclass(frozen=True)
class Contender:
    """A potential that is timed."""

    label: str
    calculator: Calculator


def contenders(models: dict[str, Path]) -> list[Contender]:
    """Load CHGNet, and each model by both runtimes.

    Parameters
    ----------
    models : dict of str to Path
        MACE models by label.

    Returns
    -------
    list of Contender
        CHGNet first.
    """
    chgnet = load_potential(PotentialSpecification(name="chgnet", device="cpu"))
    found = [Contender("CHGNet", chgnet.calculator())]
    for label, path in models.items():
        for runtime in ("torch", "symmetrix"):
            specification = PotentialSpecification(
                name="mace", model=str(path), device="cpu", dtype="float32", options={"runtime": runtime}
            )
            found.append(Contender(f"{label}, {runtime}", load_potential(specification).calculator()))
    return found


def cell(repeats: tuple[int, int, int]) -> Atoms:
    """Give ordered Li6PS5Cl, repeated and shaken."""
    ordered = order_structure(read_structure("Li6PS5Cl")).structure
    atoms = Atoms(
        [site.specie.symbol for site in ordered], positions=ordered.cart_coords, cell=ordered.lattice.matrix, pbc=True
    ).repeat(repeats)
    atoms.rattle(RATTLE_ANGSTROM, seed=1)
    return atoms


def time_steps(atoms: Atoms, competing: list[Contender], n_rounds: int) -> np.ndarray:
    """Time every contender on the same steps.

    Parameters
    ----------
    atoms : Atoms
        The cell.
    competing : list of Contender
        The potentials.
    n_rounds : int
        Steps that are timed, after two that are not.

    Returns
    -------
    numpy.ndarray, shape (n_rounds, n_contenders)
        Processor times in s.
    """
    generator = np.random.default_rng(2)
    seconds = np.empty((n_rounds + 2, len(competing)))
    for row in seconds:
        atoms.positions += generator.normal(scale=MOVE_ANGSTROM / np.sqrt(3.0), size=atoms.positions.shape)
        for column, contender in enumerate(competing):
            begun = time.process_time()
            atoms.calc = contender.calculator
            atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
            row[column] = time.process_time() - begun
    return seconds[2:]


def report(labels: list[str], sizes: list[int], medians: np.ndarray, n_rounds: int) -> str:
    """Write the table as Markdown.

    Parameters
    ----------
    labels : list of str
        Names of the contenders; the first is the reference.
    sizes : list of int
        Atoms in the cells.
    medians : numpy.ndarray, shape (n_sizes, n_contenders)
        Median processor times in s.
    n_rounds : int
        Steps that were timed.

    Returns
    -------
    str
        A section.
    """
    lines = [
        "## Runtimes of MACE models",
        "",
        "Energy, forces and stress of Li6PS5Cl by two-layer MACE models of scalar channels (max_ell 3, correlation 3, "
        f"{CUTOFF_ANGSTROM:g} Å, float32), by each runtime, and by CHGNet: median processor time of a step on one "
        f"thread of {platform.machine()}, {n_rounds} steps turn by turn in one process. `×`: times faster than CHGNet "
        "in the same run.",
        "",
        "| | " + " | ".join(f"{size} atoms | ×" for size in sizes) + " |",
        "| --- |" + " --- | --- |" * len(sizes),
    ]
    for column, label in enumerate(labels):
        cells = " | ".join(f"{1000 * row[column]:.1f} ms | {row[0] / row[column]:.1f}" for row in medians)
        lines.append(f"| {label} | {cells} |")
    lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, action="append", default=[], help="a MACE model file to time, too")
    parser.add_argument("--channels", type=int, nargs="*", default=[16, 64], help="channels of the random models")
    parser.add_argument("--rounds", type=int, default=15, help="steps that are timed")
    parser.add_argument("--output", type=Path, default=REPORT, help="Markdown file to write")
    arguments = parser.parse_args()
    use_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        models = {
            f"MACE, {channels} channels": build_tiny_mace(
                Path(folder) / f"{channels}.model",
                dtype="float32",
                elements=("Li", "P", "S", "Cl"),
                channels=channels,
                max_ell=3,
                correlation=3,
                cutoff_angstrom=CUTOFF_ANGSTROM,
                num_bessel=8,
                radial_mlp=(64, 64, 64),
            )
            for channels in arguments.channels
        }
        models |= {f"MACE, {path.stem}": path for path in arguments.model}
        competing = contenders(models)
        cells = [cell(repeats) for repeats in ((1, 1, 1), (2, 2, 2))]
        medians = np.array([np.median(time_steps(atoms, competing, arguments.rounds), axis=0) for atoms in cells])
    text = report([one.label for one in competing], [len(atoms) for atoms in cells], medians, arguments.rounds)
    print(text)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text)


if __name__ == "__main__":
    main()
