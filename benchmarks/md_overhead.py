"""What the engine costs over a bare ASE loop: CHGNet, 52 atoms of Li6PS5Cl, one thread, turn by turn in one process.

Run ``python benchmarks/md_overhead.py``; it prints a table and writes it to ``docs/benchmarks/md_overhead.md``.
The engine's turns include its frames, checks, segment files with fsync, and the forces computed anew at the start of
each segment; a stop rule runs the bare loop's turns between them, so both meet the same state of the machine.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import units
from ase.md.bussi import Bussi
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
from pymatgen.io.ase import AseAtomsAdaptor
from superion.dynamics.engine import run_md
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.results import StopVerdict
from superion.dynamics.threads import use_threads
from superion.dynamics.trajectory import Trajectory
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.structures.order import order_structure
from superion.structures.read import read_structure

REPORT = Path(__file__).parent.parent / "docs" / "benchmarks" / "md_overhead.md"
TEMPERATURE_K, TIME_STEP_FS, FRAME_INTERVAL_FS = 600.0, 2.0, 20.0


class Turns:
    """A stop rule that times the engine's segments and runs the bare loop between them."""

    def __init__(self, bare: Bussi, n_steps: int) -> None:
        self.bare = bare
        self.n_steps = n_steps
        self.engine: list[tuple[float, float]] = []
        self.loop: list[tuple[float, float]] = []
        self._left: tuple[float, float] | None = None

    @staticmethod
    def _clocks() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def __call__(self, trajectory: Trajectory) -> StopVerdict:
        """Note the engine's turn, then take the loop's."""
        arrived = self._clocks()
        if self._left is not None:
            self.engine.append((arrived[0] - self._left[0], arrived[1] - self._left[1]))
        begun = self._clocks()
        self.bare.run(self.n_steps)
        ended = self._clocks()
        if self._left is not None:
            self.loop.append((ended[0] - begun[0], ended[1] - begun[1]))
        self._left = self._clocks()
        return StopVerdict()


def measure(n_steps: int, n_rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Time both; one untimed turn of each comes first.

    Returns
    -------
    engine, loop : numpy.ndarray, shape (n_rounds, 2)
        Wall and processor time of each turn in s.
    """
    use_threads(1)
    atoms = AseAtomsAdaptor.get_atoms(order_structure(read_structure("Li6PS5Cl")).structure)
    potential = load_potential(PotentialSpecification(name="chgnet", device="cpu"))
    bare_atoms = atoms.copy()
    bare_atoms.calc = potential.calculator()
    random = np.random.default_rng(1)
    MaxwellBoltzmannDistribution(bare_atoms, temperature_K=TEMPERATURE_K, rng=random)
    Stationary(bare_atoms)
    bare = Bussi(bare_atoms, TIME_STEP_FS * units.fs, TEMPERATURE_K, 100.0 * units.fs, rng=random)
    turns = Turns(bare, n_steps)
    segment_ps = n_steps * TIME_STEP_FS / 1000.0
    with tempfile.TemporaryDirectory() as folder:
        run_md(
            atoms,
            potential,
            MdProtocol(temperature_k=TEMPERATURE_K, time_step_fs=TIME_STEP_FS, frame_interval_fs=FRAME_INTERVAL_FS),
            RunLimits(duration_ps=segment_ps * (n_rounds + 1), segment_ps=segment_ps),
            folder,
            stop_rules=[turns],
        )
    return np.array(turns.engine), np.array(turns.loop)


def report(engine: np.ndarray, loop: np.ndarray, n_steps: int) -> str:
    """Write the table as Markdown."""
    ratios = engine / loop
    lines = [
        "# MD overhead",
        "",
        "Engine against a bare ASE loop (Bussi, no output): CHGNet, Li6PS5Cl with 52 atoms, "
        f"{TIME_STEP_FS:g} fs steps, a frame every {FRAME_INTERVAL_FS:g} fs, segments of {n_steps} steps, one thread "
        f"on {platform.machine()}, {len(ratios)} turns each in alternation. The target is 3 %.",
        "",
        "| clock | bare loop, ms/step | engine, ms/step | overhead of all turns | median turn | range of turns |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for column, name in enumerate(("processor", "wall")):
        index = 1 - column
        total = engine[:, index].sum() / loop[:, index].sum()
        each = 100 * (ratios[:, index] - 1)
        lines.append(
            f"| {name} | {1000 * loop[:, index].mean() / n_steps:.2f} | {1000 * engine[:, index].mean() / n_steps:.2f} "
            f"| {100 * (total - 1):+.2f} % | {np.median(each):+.2f} % | {each.min():+.2f} … {each.max():+.2f} % |"
        )
    lines += [
        "",
        f"Of this, {100 / n_steps:.2f} % is the one force evaluation with which each segment of {n_steps} steps starts "
        f"afresh, so that a restart is exact; at the default segment of 2 ps it is {100 * TIME_STEP_FS / 2000:.2f} %.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=250, help="steps of one turn")
    parser.add_argument("--rounds", type=int, default=6, help="timed turns of each")
    arguments = parser.parse_args()
    text = report(*measure(arguments.steps, arguments.rounds), arguments.steps)
    print(text)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(text)


if __name__ == "__main__":
    main()
