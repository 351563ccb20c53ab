"""A NEP file against CHGNet on the twenty conductors of the tutorial: order of the probe's diffusivities, and speed.

    OMP_NUM_THREADS=1 python benchmarks/nep_obelix.py nep89.txt --folder /scratch/nep

The campaign that ships with superion is run as far as its probe (4 ps at 1000 K) with the NEP file as its potential, in
the folder given; CHGNet's results are those that ship. The two are compared as computed and measured values are, bounds
as bounds. The speed is that of a force call on the cells of the probe, by both in turns. Killed, the same command
continues. It prints a section and writes it to ``docs/benchmarks/nep_obelix.md``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import csv
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from superion.dynamics.threads import use_threads
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.runtime.atoms import ase_atoms
from superion.structures.order import order_structure
from superion.structures.read import read_structure

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "configs" / "campaigns" / "obelix"
REPORT = ROOT / "docs" / "benchmarks" / "nep_obelix.md"
PROBE = "probe_diffusivity_cm2_s"
TIMED = ("122", "gvd", "dvn")
"""Crystals whose cells are timed: an argyrodite, a nitride, a halide."""


def chgnet_rows() -> Iterator[dict[str, str]]:
    """Give CHGNet's diffusivities as a table of measurements.

    Yields
    ------
    dict
        ID, composition and diffusivity, an upper bound as ``<D``.
    """
    for row in csv.DictReader((SHIPPED / "summary.csv").open(encoding="utf-8")):
        composition, _, identifier = row["label"].partition(" ")
        limit = row[f"{PROBE}_limit"]
        yield {
            "ID": identifier.strip("()"),
            "composition": composition,
            "D_cm2_s": f"<{float(limit):.6g}" if limit else f"{float(row[PROBE]):.6g}",
        }


def write_campaign(folder: Path, model: Path) -> Path:
    """Write the campaign of the NEP file.

    Parameters
    ----------
    folder : Path
        Where it runs.
    model : Path
        The NEP file.

    Returns
    -------
    Path
        The campaign file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SHIPPED / "cifs", folder / "cifs", dirs_exist_ok=True)
    rows = list(chgnet_rows())
    with (folder / "chgnet.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    campaign: dict[str, Any] = yaml.safe_load((SHIPPED / "obelix.yaml").read_text(encoding="utf-8"))
    (source,) = campaign["candidates"]
    source |= {"path": "chgnet.csv", "measured": {PROBE: {"column": "D_cm2_s", "unit": "cm^2/s"}}, "carry": []}
    campaign |= {"name": "obelix-nep", "potential": {"name": "nep", "model": str(model.resolve())}}
    campaign["stages"] = [stage for stage in campaign["stages"] if stage["stage"] in ("validate", "relax", "probe")]
    for stage in campaign["stages"]:
        stage.pop("rules", None)
    campaign["ranking"] = {"by": PROBE, "top_k": 5}
    path = folder / "campaign.yaml"
    path.write_text(yaml.safe_dump(campaign, sort_keys=False), encoding="utf-8")
    return path


def superion(folder: Path, *words: str) -> str:
    """Run a command of superion and give its standard output."""
    command = [sys.executable, "-m", "superion.scripts.cli", *words]
    return subprocess.run(command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE).stdout


def time_calls(model: Path, n_rounds: int) -> list[tuple[str, int, float, float]]:
    """Time forces by both potentials in turns.

    Parameters
    ----------
    model : Path
        The NEP file.
    n_rounds : int
        Timed calls of each.

    Returns
    -------
    list of (str, int, float, float)
        Formula, atoms, and median processor times of CHGNet and NEP in s.
    """
    use_threads(1)
    potentials = [
        load_potential(PotentialSpecification(name="chgnet", device="cpu")),
        load_potential(PotentialSpecification(name="nep", model=str(model))),
    ]
    generator = np.random.default_rng(0)
    rows = []
    for name in TIMED:
        structure = order_structure(read_structure(SHIPPED / "cifs" / f"{name}.cif")).structure
        atoms = ase_atoms(structure)
        copies = [atoms.copy() for _ in potentials]
        for copy, potential in zip(copies, potentials, strict=True):
            # once, as in dynamics: calorine reads its file whenever it is attached
            copy.calc = potential.calculator()
        seconds = np.empty((n_rounds + 1, 2))
        for row in seconds:
            atoms.positions += generator.normal(scale=0.01, size=atoms.positions.shape)
            for column, copy in enumerate(copies):
                copy.positions = atoms.positions
                begun = time.process_time()
                copy.get_forces()
                row[column] = time.process_time() - begun
        chgnet_s, nep_s = np.median(seconds[1:], axis=0)
        rows.append((structure.composition.reduced_formula, len(atoms), float(chgnet_s), float(nep_s)))
    return rows


def report(
    agreement: str, model: str, timings: list[tuple[str, int, float, float]], volumes: tuple[float, float]
) -> str:
    """Write the section.

    Parameters
    ----------
    agreement : str
        What `superion campaign compare` prints.
    model : str
        Name of the NEP file.
    timings : list
        From `time_calls`.
    volumes : tuple of float
        Mean and standard deviation of the difference of the relaxed volumes, NEP less CHGNet, in percent.

    Returns
    -------
    str
        Markdown.
    """
    lines = [
        "## NEP against CHGNet on twenty conductors",
        "",
        f"`{model}` and CHGNet 0.3.0 on the materials of the [tutorial](tutorial_obelix.md): D of lithium from one run "
        "of at most 4 ps at 1000 K each, in the cell that the potential relaxed. CHGNet's values stand as measured.",
        "",
        "```text",
        agreement.strip(),
        "```",
        "",
        f"Relaxed volumes by NEP differ from CHGNet's by {volumes[0]:+.1f} % on average, with a standard deviation of "
        f"{volumes[1]:.1f} %.",
        "",
        "| forces of | atoms | CHGNet | NEP | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {formula} | {n_atoms} | {1000 * chgnet_s:.0f} ms | {1000 * nep_s:.1f} ms | {chgnet_s / nep_s:.0f} |"
        for formula, n_atoms, chgnet_s, nep_s in timings
    ]
    return "\n".join([*lines, ""])


def volume_difference(folder: Path) -> tuple[float, float]:
    """Compare the relaxed volumes of the rows with CHGNet's."""
    by_chgnet = {
        row["label"]: float(row["volume_change_percent"])
        for row in csv.DictReader((SHIPPED / "summary.csv").open(encoding="utf-8"))
    }
    rows = json.loads(superion(folder, "query", "--campaign", "obelix-nep", "--limit", "0", "--json"))
    differences = []
    for row in rows["rows"] if isinstance(rows, dict) else rows:
        value = row.get("properties", {}).get("volume_change_percent") or {}
        if value.get("value") is not None:
            mine, theirs = 1.0 + value["value"] / 100.0, 1.0 + by_chgnet[row["label"]] / 100.0
            differences.append(100.0 * (mine / theirs - 1.0))
    return float(np.mean(differences)), float(np.std(differences, ddof=1))


def main() -> None:
    """Run, compare, time and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="NEP file")
    parser.add_argument("--folder", type=Path, required=True, help="where the campaign runs")
    parser.add_argument("--workers", type=int, default=1, help="processes of the campaign")
    parser.add_argument("--rounds", type=int, default=10, help="timed force calls of each potential")
    parser.add_argument("--output", type=Path, default=REPORT, help="Markdown file to write")
    arguments = parser.parse_args()
    path = write_campaign(arguments.folder, arguments.model)
    superion(arguments.folder, "campaign", "run", path.name, "--workers", str(arguments.workers))
    agreement = superion(
        arguments.folder,
        "campaign",
        "compare",
        "obelix-nep",
        "--computed",
        PROBE,
        "--measured",
        PROBE,
        "--baseline",
        "mobile_ion_density_per_angstrom3",
    )
    timings = time_calls(arguments.model, arguments.rounds)
    text = report(agreement, arguments.model.name, timings, volume_difference(arguments.folder))
    print(text)
    arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
