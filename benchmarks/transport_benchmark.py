"""Transport analysis against its peers: time and peak memory of MSD and D with errors.

Each program runs in its own process on the same random walk with rattling, one thread, the positions already loaded.
Time and memory are those of the analysis alone: reading the file and building the peer's input objects are left out.
Memory is the rise of the peak resident set above the level before the analysis.

    python benchmarks/transport_benchmark.py                       # 200 ions × 20,000 frames
    python benchmarks/transport_benchmark.py --large               # also 1,000 ions × 100,000 frames
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

FRAME_INTERVAL_PS = 0.05
TEMPERATURE_K = 600.0
CELL_EDGE_ANGSTROM = 30.0
TRUE_DIFFUSIVITY_CM2_S = 2e-5
PEER_SECONDS = 600
PEER_GIB = 16
TABLE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks" / "transport.md"


@dataclass(frozen=True)
class Case:
    """A size of trajectory."""

    n_ions: int
    n_frames: int

    @property
    def positions_mib(self) -> float:
        """Size of the float32 positions in MiB; one framework atom at rest is among them."""
        return self.n_frames * (self.n_ions + 1) * 12 / 2**20

    @property
    def label(self) -> str:
        """Name for the table."""
        return f"{self.n_ions:,} ions × {self.n_frames:,} frames"


# ------------------------------------------------------------------------------------- one program in its own process


def write_walk(path: Path, case: Case) -> None:
    """Write unwrapped float32 positions: plain walks with rattling, and one framework atom at rest."""
    import numpy as np

    generator = np.random.default_rng(2026)
    positions = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(case.n_frames, case.n_ions + 1, 3))
    step = np.sqrt(2 * TRUE_DIFFUSIVITY_CM2_S * 1e4 * FRAME_INTERVAL_PS)
    place = generator.random((case.n_ions, 3)) * CELL_EDGE_ANGSTROM
    block = max(1, 2_000_000 // case.n_ions)
    for first in range(0, case.n_frames, block):
        count = min(block, case.n_frames - first)
        walk = place + np.cumsum(generator.normal(0, step, (count, case.n_ions, 3)), axis=0)
        place = walk[-1]
        positions[first : first + count, :-1] = walk + generator.normal(0, 0.1, walk.shape)
        positions[first : first + count, -1] = CELL_EDGE_ANGSTROM / 2
    positions.flush()


def prepare_superion(positions: Any) -> Callable[[], dict[str, Any]]:
    """Prepare our analysis: tracer and charge diffusivity, all intervals, conductivities, Haven ratio."""
    import numpy as np
    from superion.transport.analysis import analyze_diffusion
    from superion.transport.displacement_run import DisplacementRun

    n_atoms = positions.shape[1]
    run = DisplacementRun(
        positions_angstrom=positions,
        mobile_indices=np.arange(n_atoms - 1),
        framework_indices=np.array([n_atoms - 1]),
        masses_amu=np.full(n_atoms, 6.94),
        frame_interval_ps=FRAME_INTERVAL_PS,
        volume_angstrom3=CELL_EDGE_ANGSTROM**3,
        temperature_k=TEMPERATURE_K,
        cell_angstrom=np.eye(3) * CELL_EDGE_ANGSTROM,
    )

    def analyse() -> dict[str, Any]:
        tracer = analyze_diffusion([run], mobile_ion="Li", ion_charge=1.0).tracer
        return {"d": tracer.value_cm2_s, "error": tracer.standard_error_cm2_s, "lags": len(shared_lags(run.n_frames))}

    return analyse


def shared_lags(n_frames: int) -> Any:
    """Lags, in frames, of superion's fit: the peers get the same."""
    from superion.transport.lags import fit_lags, grid_step

    stride = grid_step(n_frames)
    return fit_lags((n_frames - 1) // stride) * stride


def prepare_pymatgen(positions: Any) -> Callable[[], dict[str, Any]]:
    """Prepare DiffusionAnalyzer, fed with displacements; it takes some 200 lags up to a length that is ours.

    It knows no list of lags and no number of them. It computes all lags of the run and keeps evenly spaced ones from
    1 ps to the length at which each ion has been seen `min_obs / n_ions` times.
    """
    import numpy as np
    from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer
    from pymatgen.core import Lattice, Structure
    from superion.transport.lags import MAXIMUM_LAG_SHARE

    n_atoms = positions.shape[1]
    structure = Structure(
        Lattice.cubic(CELL_EDGE_ANGSTROM), ["Li"] * (n_atoms - 1) + ["S"], positions[0], coords_are_cartesian=True
    )
    displacements = np.swapaxes(positions - positions[0], 0, 1)
    # To a third of the run, as superion's fit and kinisi; by default it would go to the whole.
    observations = round((n_atoms - 1) / MAXIMUM_LAG_SHARE)

    def analyse() -> dict[str, Any]:
        analyzer = DiffusionAnalyzer(
            structure,
            displacements,
            "Li",
            TEMPERATURE_K,
            time_step=FRAME_INTERVAL_PS * 1000,
            step_skip=1,
            min_obs=observations,
        )
        return {"d": analyzer.diffusivity, "error": analyzer.diffusivity_std_dev, "lags": len(analyzer.dt)}

    return analyse


def prepare_kinisi(positions: Any) -> Callable[[], dict[str, Any]]:
    """Prepare kinisi on the same lags, from an MDAnalysis universe in memory."""
    import MDAnalysis
    import numpy as np
    import scipp as sc
    from kinisi.analyze import DiffusionAnalyzer
    from MDAnalysis.coordinates.memory import MemoryReader

    n_frames, n_atoms, _ = positions.shape
    universe = MDAnalysis.Universe.empty(n_atoms, trajectory=True)
    universe.add_TopologyAttr("type", ["LI"] * (n_atoms - 1) + ["S"])
    edge = CELL_EDGE_ANGSTROM
    universe.load_new(
        positions, format=MemoryReader, order="fac", dimensions=np.array([edge, edge, edge, 90, 90, 90], np.float32)
    )
    lags = shared_lags(n_frames)
    interval = sc.scalar(FRAME_INTERVAL_PS, unit="ps")

    def analyse() -> dict[str, Any]:
        analyzer = DiffusionAnalyzer.from_universe(
            universe,
            specie="LI",
            time_step=interval,
            step_skip=sc.scalar(1),
            dt=sc.array(dims=["time interval"], values=lags.astype(float)) * interval,
            progress=False,
        )
        analyzer.diffusion(1.0 * sc.Unit("ps"), progress=False, random_state=np.random.RandomState(1))
        samples = sc.to_unit(analyzer.D, "cm2/s").values
        return {"d": float(np.mean(samples)), "error": float(np.std(samples)), "lags": len(lags)}

    return analyse


PROGRAMS: dict[str, Callable[[Any], Callable[[], dict[str, Any]]]] = {
    "superion": prepare_superion,
    "pymatgen-analysis-diffusion": prepare_pymatgen,
    "kinisi": prepare_kinisi,
}


def resident_mib(key: str) -> float:
    """Read VmRSS (now) or VmHWM (peak) of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"{key} is not in /proc/self/status")


def work(program: str, file: Path) -> None:
    """Run one program and print what it took, as JSON."""
    import warnings

    import numpy as np

    warnings.simplefilter("ignore")
    # A small run first, so that imports and compiled kernels are not timed.
    small = np.cumsum(np.random.default_rng(0).normal(0, 0.3, (1000, 9, 3)), axis=0).astype(np.float32)
    small[:, -1] = 1.0
    PROGRAMS[program](small)()
    analyse = PROGRAMS[program](np.load(file))
    Path("/proc/self/clear_refs").write_text("5")  # let the peak start from here
    before = resident_mib("VmRSS")
    start, start_of_work = time.perf_counter(), time.process_time()
    result = analyse()
    result["wall_seconds"] = time.perf_counter() - start
    result["seconds"] = time.process_time() - start_of_work
    result["mib"] = resident_mib("VmHWM") - before
    print(json.dumps(result))


# --------------------------------------------------------------------------------------------------------- comparison


def measure(program: str, file: Path, *, seconds: int | None, gib: float | None) -> dict[str, Any]:
    """Run one program in a fresh process, within a processor time and a memory."""

    def limit() -> None:
        if seconds is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 10))
        if gib is not None:
            resource.setrlimit(resource.RLIMIT_AS, (int(gib * 2**30), int(gib * 2**30)))

    command = [sys.executable, __file__, "--program", program, "--file", str(file)]
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, preexec_fn=limit, check=False)
    if done.returncode == -signal.SIGXCPU:
        return {"overrun": f"not done after {seconds} s"}
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        memory = "MemoryError" in done.stderr or "bad_alloc" in done.stderr or "Unable to allocate" in done.stderr
        return {"overrun": f"more than {gib:g} GiB" if memory and gib else f"failed: {last[:80]}"}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def compare(case: Case, repeats: int) -> dict[str, dict[str, Any]]:
    """Measure all programs on one case, taking the fastest of several repeats."""
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "walk.npy"
        write_walk(file, case)
        for program in PROGRAMS:
            ours = program == "superion"
            runs = []
            for _ in range(repeats):
                runs.append(
                    measure(program, file, seconds=None if ours else PEER_SECONDS, gib=None if ours else PEER_GIB)
                )
                if "overrun" in runs[-1]:
                    break
            results[program] = min(runs, key=lambda run: run.get("seconds", float("inf")))
            print(f"{case.label}, {program}: {results[program]}", file=sys.stderr, flush=True)
    return results


def table(case: Case, results: dict[str, dict[str, Any]]) -> str:
    """Write one case as Markdown."""
    ours = results["superion"]
    lines = [
        f"### {case.label}",
        "",
        f"Positions: {case.positions_mib:.0f} MiB (float32). True D = {TRUE_DIFFUSIVITY_CM2_S:.2e} cm²/s.",
        "",
        "| program | CPU time / s | time ÷ ours | memory / MiB | memory ÷ positions | lags | D / cm² s⁻¹ | its error |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for program, result in results.items():
        if "overrun" in result:
            lines.append(f"| {program} | {result['overrun']} | – | – | – | – | – | – |")
            continue
        cells = (
            program,
            f"{result['seconds']:.2f}",
            f"{result['seconds'] / ours['seconds']:.1f}",
            f"{result['mib']:.0f}",
            f"{result['mib'] / case.positions_mib:.2f}",
            result["lags"],
            f"{result['d']:.3e}",
            f"{result['error']:.1e}",
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def cpu_name() -> str:
    """Name of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def document(sections: list[str]) -> str:
    """Write the page of the documentation."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("pymatgen-analysis-diffusion", "kinisi", "numpy", "scipy")
    )
    introduction = f"""## Transport analysis

Mean squared displacement and diffusivity with errors, each program in its own process with one thread, on the same
random walk with rattling; one framework atom at rest defines the drift. Made by `benchmarks/transport_benchmark.py`
on {cpu_name()}, Python {platform.python_version()}, {packages}.

Time is processor time: waiting for a core does not count, sharing its caches does. Time and memory are those of the
analysis alone, after imports and a warm-up. Reading the file and building the input objects of the peers are left out,
except that kinisi's one call also takes the frames out of its input and unwraps them. Memory is the rise of the peak
resident set above the level before the analysis (the loaded positions are in that level). superion computes tracer and
charge diffusivity, per axis, with their covariances, intervals, conductivities and Haven ratio, and besides the lags of
the fit some 80 more for the figure; kinisi the tracer diffusivity with a posterior, on the lags of superion's fit.
DiffusionAnalyzer gives tracer and charge diffusivity with an error that is no error bar (it is far too small and
depends on the frame spacing). It cannot be given lags: it computes all of the run whatever is asked for, and keeps
about 200; `min_obs` is set so that the longest is a third of the run, as for the others. The peers have
{PEER_SECONDS // 60} minutes of processor time and {PEER_GIB} GiB of address space; overruns are reported as such.
"""
    return "\n".join([introduction, "\n\n".join(sections), ""])


def main() -> None:
    """Run the benchmark, or one program of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="also 1,000 ions × 100,000 frames")
    parser.add_argument("--only-large", action="store_true", help="only 1,000 ions × 100,000 frames")
    parser.add_argument("--ions", type=int, default=200)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3, help="of the small case; the fastest counts")
    parser.add_argument("--output", type=Path, default=TABLE, help="Markdown file to write")
    parser.add_argument("--program", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.program:
        work(options.program, options.file)
        return
    sections = []
    if not options.only_large:
        case = Case(options.ions, options.frames)
        sections.append(table(case, compare(case, options.repeats)))
    if options.large or options.only_large:
        case = Case(1_000, 100_000)
        sections.append(table(case, compare(case, 1)))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(document(sections))
    print(options.output.read_text())


if __name__ == "__main__":
    main()
