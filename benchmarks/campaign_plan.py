"""Plan and submit ten thousand candidates from parsed structures; parse CIFs and order entries, each by itself.

    python benchmarks/campaign_plan.py --candidates 10000 --output docs/benchmarks/campaign.md

The candidates are random decorations of supercells of rock salt (8 to 64 atoms) with Li, one or
two other cations and one or two anions: nearly every one has a composition of its own, as entries of a database do.
One in fifty is given a second time with its origin shifted. Commands run in processes of their own; their processor
time, wall time and largest resident memory are those of the operating system.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from pymatgen.core import Lattice, Structure

CATIONS = (
    "Na",
    "K",
    "Mg",
    "Ca",
    "Sr",
    "Al",
    "Ga",
    "In",
    "Sc",
    "Y",
    "La",
    "Si",
    "Ge",
    "Sn",
    "Ti",
    "Zr",
    "Hf",
    "P",
    "Sb",
)
ANIONS = ("O", "S", "Se", "F", "Cl", "Br", "I")
PER_FILE = 500

CAMPAIGN = """\
name: benchmark
candidates:
  - kind: files
    paths: [structures]
mobile_ion: Li
potential: {name: ase, model: ase.calculators.lj.LennardJones, options: {sigma: 2.0, rc: 5.0}}
stages:
  - stage: validate
    must_be_neutral: false
  - stage: relax
  - stage: probe
    rules:
      - {property: greatest_sigma_300k_ms_cm, at_least: 0.01}
  - stage: conductivity
"""


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    wall_s: float
    cpu_s: float
    memory_gb: float


def random_structure(generator: np.random.Generator) -> Structure:
    """Decorate rock salt at random."""
    edge = float(generator.uniform(4.6, 6.0))
    repeats = generator.integers(1, 3, size=3)
    grid = np.stack(np.meshgrid(*(np.arange(2 * n) for n in repeats), indexing="ij"), axis=-1).reshape(-1, 3)
    is_cation = grid.sum(axis=1) % 2 == 0
    cations = generator.choice(CATIONS, size=2, replace=False)
    anions = generator.choice(ANIONS, size=2, replace=False)
    symbols = np.where(
        is_cation,
        generator.choice(["Li", *cations], p=[0.6, 0.25, 0.15], size=len(grid)),
        generator.choice(anions, p=[0.8, 0.2], size=len(grid)),
    )
    symbols[0] = "Li"
    positions = grid / (2.0 * repeats) + generator.normal(scale=0.004, size=grid.shape)
    return Structure(Lattice.orthorhombic(*(edge * repeats)), symbols.tolist(), positions)


def write_structures(folder: Path, number: int) -> float:
    """Write parsed structures as JSON lines, and give the mean number of atoms."""
    generator = np.random.default_rng(1)
    folder.mkdir()
    sizes, lines = [], []
    structure = random_structure(generator)
    for index in range(number):
        if index % 50 == 49:
            structure.translate_sites(range(len(structure)), generator.random(3), to_unit_cell=True)
        else:
            structure = random_structure(generator)
        sizes.append(len(structure))
        lines.append(json.dumps(structure.as_dict()))
        if len(lines) == PER_FILE or index == number - 1:
            (folder / f"part{index // PER_FILE:04d}.jsonl").write_text("\n".join(lines) + "\n")
            lines = []
    return float(np.mean(sizes))


def run(folder: Path, *arguments: str) -> tuple[Cost, str]:
    """Run a command of superion and measure it, its own children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "superion.scripts.cli", *arguments]
    watched = [sys.executable, "-c", _WATCH, *command]
    done = subprocess.run(watched, cwd=folder, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    kilobytes = int(done.stderr.rsplit("maxrss ", 1)[1])
    return Cost(wall, cpu, kilobytes / 1e6), done.stdout


_WATCH = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
sys.stderr.write(f"maxrss {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
sys.exit(code)
"""


def cif_seconds(folder: Path, number: int) -> tuple[float, float]:
    """Processor time of parsing and checking one CIF, and of taking it from the cache."""
    from superion.database.documents.candidate_summary import CandidateOrigin
    from superion.workflows.candidates.one_file import read_candidates_of_file

    generator = np.random.default_rng(2)
    folder.mkdir()
    paths = []
    for index in range(number):
        paths.append(folder / f"{index}.cif")
        random_structure(generator).to(str(paths[-1]))
    os.environ["SUPERION_CACHE"] = str(folder / "cache")
    spent = []
    for _ in range(2):
        start = time.process_time()
        for path in paths:
            list(read_candidates_of_file(path, path.name, CandidateOrigin(source="files", identifier=path.name)))
        spent.append((time.process_time() - start) / number)
    return spent[0], spent[1]


def ordering_seconds(number: int) -> tuple[float, float]:
    """Mean and largest processor time of ordering one entry with half-occupied lithium sites."""
    from superion.errors import StructureError
    from superion.structures.orderings import order_candidates

    generator = np.random.default_rng(3)
    spent = []
    for _ in range(number):
        structure = random_structure(generator)
        half = [{"Li": 0.5} if site.specie.symbol == "Li" else site.specie.symbol for site in structure]
        start = time.process_time()
        try:
            order_candidates(Structure(structure.lattice, half, structure.frac_coords), mobile_ion="Li")
        except StructureError:
            continue
        finally:
            spent.append(time.process_time() - start)
    return float(np.mean(spent)), float(np.max(spent))


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--cifs", type=int, default=200)
    parser.add_argument("--orderings", type=int, default=20)
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["SUPERION_CACHE"] = str(folder / "cache")
        (folder / "campaign.yaml").write_text(CAMPAIGN)
        mean_atoms = write_structures(folder / "structures", options.candidates)
        costs: dict[str, Cost] = {}
        costs["`plan`, every structure read and checked for the first time"], _ = run(
            folder, "campaign", "plan", "campaign.yaml", "--json"
        )
        costs["`plan`, structures parsed before"], text = run(folder, "campaign", "plan", "campaign.yaml", "--json")
        plan = json.loads(text)
        costs["`submit`, structures parsed before"], _ = run(folder, "campaign", "submit", "campaign.yaml")
        costs["`submit` once more"], _ = run(folder, "campaign", "submit", "campaign.yaml")
        costs["`plan` of what was submitted"], _ = run(folder, "campaign", "plan", "campaign.yaml", "--json")
        first, cached = cif_seconds(folder / "cifs", options.cifs)
    mean, largest = ordering_seconds(options.orderings)
    page = [
        "## Plan and submit of a campaign",
        "",
        f"{options.candidates:,} candidates of {mean_atoms:.0f} atoms on average, {plan['n_candidates']:,} of them "
        "distinct, from structures in JSON. Each command is a process of its own; importing the libraries is "
        "included. The target for ten thousand is 60 s and 2 GB.",
        f"Made by `benchmarks/campaign_plan.py`, Python {platform.python_version()}, {os.cpu_count()} cores; load "
        f"{os.getloadavg()[0]:.1f} at the end. Where the load is above the number of cores, wall time says less than "
        "processor time.",
        "",
        "| command | processor time / s | wall time / s | largest memory / GB |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {title} | {c.cpu_s:.1f} | {c.wall_s:.1f} | {c.memory_gb:.2f} |" for title, c in costs.items()),
        "",
        "Where the second `plan` spends its wall time: "
        + ", ".join(f"{part} {seconds:.1f} s" for part, seconds in plan["seconds"].items())
        + ".",
        "",
        "| for one entry | processor time / ms |",
        "| --- | ---: |",
        f"| parse and check a CIF (mean of {options.cifs}) | {1e3 * first:.1f} |",
        f"| take it from the cache | {1e3 * cached:.2f} |",
        f"| order half-occupied lithium sites (mean of {options.orderings}) | {1e3 * mean:.0f} |",
        f"| the slowest of these | {1e3 * largest:.0f} |",
    ]
    text = "\n".join(page) + "\n"
    print(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
