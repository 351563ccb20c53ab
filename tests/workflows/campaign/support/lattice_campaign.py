"""A small real campaign: ions on the analytic lattice, real dynamics in seconds. Also a driver to be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import yaml
from pymatgen.core import Lattice, Structure
from superion.database.campaigns import CampaignCollections
from superion.database.project import find_project
from superion.workflows.campaign.runner import run_campaign
from superion.workflows.campaign.submit import submit_campaign

SPACING = 3.0
PROBE = {"stage": "probe", "duration_ps": 2.4, "minimum_ps": 0.8, "segment_ps": 0.8, "temperature_k": 1000.0}
PROBE |= {"minimum_edge_angstrom": 9.0, "target_relative_error": None, "analysis": {"equilibration_ps": 0.2}}


def lattice_cell(n_ions: int, seed: int, anion: str = "Cl") -> Structure:
    """As many ions as anions, each kind on 27 sites of its own."""
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    dice = np.random.default_rng(seed)
    ions, anions = (grid[np.sort(dice.permutation(27)[:n_ions])] for _ in range(2))
    positions = np.vstack([ions, anions + 0.5]) * SPACING
    return Structure(
        Lattice.cubic(3 * SPACING), ["Li"] * n_ions + [anion] * n_ions, positions, coords_are_cartesian=True
    )


def write_campaign(folder: Path, cells: dict[str, Structure], **changes) -> Path:
    """Write structure files and a campaign file that screens them; give the file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, cell in cells.items():
        (folder / f"{name}.json").write_text(json.dumps(cell.as_dict()))
    anions = ("Cl", "Br", "I")
    content = {
        "name": "lattice",
        "candidates": [{"kind": "files", "paths": ["c*.json"]}],
        "mobile_ion": "Li",
        "potential": {
            "name": "ase",
            "model": "troubled_calculator.TroubledCalculator",
            "device": "cpu",
            "options": {
                "folder": str(folder),
                "barriers_ev": {"Li": 0.15, **dict.fromkeys(anions, 5.0)},
                "spacing_angstrom": SPACING,
                "offsets": {anion: [0.5, 0.5, 0.5] for anion in anions},
                "repulsion_ev": 1.0,
            },
        },
        "md": {"time_step_fs": 4.0, "frame_interval_fs": 40.0},
        "stages": [{"stage": "validate"}, PROBE],
        "limits": {"minimum_free_disk_gb": 0.0},
    } | changes
    path = folder / "campaign.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def open_campaigns(folder: Path, store: str | None = None) -> CampaignCollections:
    """Open the store of a folder's project, or one at an address."""
    return CampaignCollections.open(store, project=find_project(folder, create=True))


def run_here(folder: Path, store: str | None = None, *, workers: int = 2, **options):
    """Submit the folder's campaign and run it; give both reports."""
    (folder / ".superion").mkdir(exist_ok=True)
    with open_campaigns(folder, store) as collections:
        submitted = submit_campaign(folder / "campaign.yaml", collections, workers=1)
        ran = run_campaign("lattice", collections, find_project(folder), workers=workers, **options)
    return submitted, ran


def rows_of(folder: Path, store: str | None = None) -> dict[str, dict]:
    """All rows without what may differ from run to run."""
    with open_campaigns(folder, store) as collections:
        rows = [row.model_dump(mode="json") for row in collections.iter_rows("lattice", with_structures=True)]
    return {row["label"]: row | {"updated_at": None} for row in rows}


def worker_path(*folders: Path) -> str:
    """Give the PYTHONPATH of workers: some folders, and what the tests themselves import by it."""
    return os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])


def start(folder: Path, *store: str) -> subprocess.Popen:
    """Start a driver process."""
    command = [sys.executable, __file__, str(folder), *store]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def disturb(folder: Path, wait: float, *store: str, workers_too: bool) -> subprocess.Popen:
    """Start a driver, wait until it has made something new, and kill it."""
    patterns = [".superion/trajectories/*/segment*", ".superion/units/*/*/outcomes/*.json"]
    driver = start(folder, *store)
    before = sum(len(list(folder.glob(pattern))) for pattern in patterns)
    while driver.poll() is None and sum(len(list(folder.glob(pattern))) for pattern in patterns) == before:
        time.sleep(0.01)
    time.sleep(wait)
    if driver.poll() is None:
        workers = psutil.Process(driver.pid).children()
        driver.send_signal(signal.SIGKILL)
        for worker in workers if workers_too else []:
            worker.kill()
        driver.communicate()
    return driver


def main() -> None:
    """Submit and run the campaign of a folder, in a store of its own or at an address, as a process of its own."""
    sys.path.insert(0, str(Path(__file__).parent))
    _, ran = run_here(Path(sys.argv[1]), *sys.argv[2:])
    print(ran.state, ran.n_finished)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
