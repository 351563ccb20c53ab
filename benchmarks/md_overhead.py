"""What the engine costs over a bare ASE loop: CHGNet, 52 atoms of Li6PS5Cl, one thread, turn by turn in one process.

Run ``python benchmarks/md_overhead.py``; it prints a table and writes it to ``docs/benchmarks/md_overhead.md``.
The engine's turns include its frames, checks, segment files with fsync, and the forces computed anew at the start of
each segment; a stop rule runs the bare loop's turns between them, so both meet the same state of the machine. On a busy
machine the force calls alone scatter by more than the overhead, so the time outside them is counted on its own too.
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
from ase.calculators.calculator import Calculator
from ase.md.bussi import Bussi
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
from pymatgen.io.ase import AseAtomsAdaptor
from superion.dynamics.engine import run_md
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.results import StopVerdict
from superion.dynamics.threads import use_threads
from superion.dynamics.trajectory import Trajectory
from superion.potentials.potential import Potential
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.structures.order import order_structure
from superion.structures.read import read_structure

REPORT = Path(__file__).parent.parent / "docs" / "benchmarks" / "md_overhead.md"
TEMPERATURE_K, TIME_STEP_FS, FRAME_INTERVAL_FS = 600.0, 2.0, 20.0


class TimedPotential:
    """A potential that adds up the processor time spent in its force calls."""

    def __init__(self, potential: Potential) -> None:
        self._potential = potential
        self.inside_s = 0.0
        self.n_calls = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._potential, name)

    def calculator(self) -> Calculator:
        """Build a calculator whose force calls are timed."""
        calculator = self._potential.calculator()
        compute = calculator.calculate

        def timed(*arguments: object, **options: object) -> None:
            begun = time.process_time()
            compute(*arguments, **options)
            self.inside_s += time.process_time() - begun
            self.n_calls += 1

        calculator.calculate = timed
        return calculator


class Turns:
    """A stop rule that times the engine's segments and runs the bare loop between them.

    Each turn is a row: wall time, processor time, processor time outside the force calls, number of force calls.
    """

    def __init__(self, bare: Bussi, potential: TimedPotential, n_steps: int) -> None:
        self.bare = bare
        self.potential = potential
        self.n_steps = n_steps
        self.engine: list[np.ndarray] = []
        self.loop: list[np.ndarray] = []
        self._left: np.ndarray | None = None

    def _clocks(self) -> np.ndarray:
        processor = time.process_time()
        outside = processor - self.potential.inside_s
        return np.array([time.perf_counter(), processor, outside, self.potential.n_calls])

    def __call__(self, trajectory: Trajectory) -> StopVerdict:
        """Note the engine's turn, then take the loop's."""
        arrived = self._clocks()
        timed = self._left is not None
        if timed:
            self.engine.append(arrived - self._left)
        self.bare.run(self.n_steps)
        left = self._clocks()
        if timed:
            self.loop.append(left - arrived)
        self._left = self._clocks()
        return StopVerdict()


def measure(n_steps: int, n_rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Time both; one untimed turn of each comes first.

    Returns
    -------
    engine, loop : numpy.ndarray, shape (n_rounds, 4)
        Wall time, processor time and processor time outside the force calls in s, and the number of force calls.
    """
    use_threads(1)
    atoms = AseAtomsAdaptor.get_atoms(order_structure(read_structure("Li6PS5Cl")).structure)
    potential = TimedPotential(load_potential(PotentialSpecification(name="chgnet", device="cpu")))
    bare_atoms = atoms.copy()
    bare_atoms.calc = potential.calculator()
    random = np.random.default_rng(1)
    MaxwellBoltzmannDistribution(bare_atoms, temperature_K=TEMPERATURE_K, rng=random)
    Stationary(bare_atoms)
    bare = Bussi(bare_atoms, TIME_STEP_FS * units.fs, TEMPERATURE_K, 100.0 * units.fs, rng=random)
    turns = Turns(bare, potential, n_steps)
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
    """Write the tables as Markdown."""
    n_turns = len(loop)
    lines = [
        "## MD overhead",
        "",
        "Engine against a bare ASE loop (Bussi, no output): CHGNet, Li6PS5Cl with 52 atoms, "
        f"{TIME_STEP_FS:g} fs steps, a frame every {FRAME_INTERVAL_FS:g} fs, one thread on {platform.machine()}, "
        f"{n_turns} turns each of {n_steps} steps in alternation. The target is 3 %.",
        "",
        "| per step | bare loop | engine | difference |",
        "| --- | --- | --- | --- |",
    ]
    for index, name in ((1, "processor time"), (0, "wall time")):
        ratio = 100 * (engine[:, index] / loop[:, index] - 1)
        error = ratio.std(ddof=1) / np.sqrt(n_turns)
        lines.append(
            f"| {name} | {1000 * loop[:, index].mean() / n_steps:.1f} ms | "
            f"{1000 * engine[:, index].mean() / n_steps:.1f} ms | {ratio.mean():+.1f} ± {error:.1f} % |"
        )
    outside = (engine[:, 2] - loop[:, 2]) / n_steps
    lines.append(
        f"| processor time outside the force calls | {1000 * loop[:, 2].mean() / n_steps:.2f} ms | "
        f"{1000 * engine[:, 2].mean() / n_steps:.2f} ms | {1000 * outside.mean():+.2f} ms |"
    )
    calls = engine[:, 3] - loop[:, 3]
    lines.append(
        f"| force calls | {loop[:, 3].mean() / n_steps:.3f} | {engine[:, 3].mean() / n_steps:.3f} | "
        f"{calls.mean() / n_steps:+.3f} |"
    )
    step = loop[:, 1].mean() / n_steps
    default_steps = round(1000.0 * RunLimits().segment_ps / TIME_STEP_FS)
    each = 100 * outside.mean() / step
    afresh = 100 * calls.mean() / default_steps
    lines += [
        "",
        "The first two rows compare the clocks, which scatter with the machine's load, over segments far shorter than "
        f"usual. The last two count what the engine adds: {each:.2f} % of a step for checks, frames and files, and "
        f"{calls.mean():.0f} force call at the start of each segment, so that a restart is exact, which is "
        f"{afresh:.2f} % in a segment of {default_steps} steps, the default 2 ps. "
        f"Together: **{each + afresh:.2f} %**.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100, help="steps of one turn")
    parser.add_argument("--rounds", type=int, default=8, help="timed turns of each")
    arguments = parser.parse_args()
    text = report(*measure(arguments.steps, arguments.rounds), arguments.steps)
    print(text)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(text)


if __name__ == "__main__":
    main()
