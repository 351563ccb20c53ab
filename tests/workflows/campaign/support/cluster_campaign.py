"""The campaign on the lattice, handed to an engine of clusters: profile and file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import yaml

from .lattice_campaign import lattice_cell, write_campaign

SUPPORT = Path(__file__).parent


def write_profile(folder: Path, scheduler: str, **changes: Any) -> Path:
    """Write the profile of a cluster whose jobs can import the potential of the tests; give the file."""
    work = folder / "work"
    content = {
        "scheduler": scheduler,
        "work_folder": str(work),
        "python": sys.executable,
        "environment": {"PYTHONPATH": f"{SUPPORT}", "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)},
        "resources": {
            kind: {"cores": 1, "memory_gb": 0.4, "time_limit": "00:10:00"} for kind in ("relax", "md", "analysis")
        },
        "packing": {
            "relax": {"jobs_at_a_time": 1, "allocations": 1, "idle_s": 20},
            "md": {"jobs_at_a_time": 2, "allocations": 1, "idle_s": 20},
            "analysis": {"jobs_at_a_time": 1, "allocations": 1, "idle_s": 20},
        },
        "stop_margin_s": 5,
        "heartbeat_s": 2,
    } | changes
    path = folder / f"test_{scheduler}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def write_cluster_campaign(folder: Path, engine: str, profile: Path, n_candidates: int = 6, **changes: Any) -> Path:
    """Write the campaign of so many candidates for an engine; give its file."""
    anions = ("Cl", "Br", "I")
    cells = {
        f"c{index}": lattice_cell(6 + 3 * index, seed=index, anion=anions[index % 3]) for index in range(n_candidates)
    }
    (folder / ".superion").mkdir(parents=True, exist_ok=True)
    dispatch = {"engine": engine, "cluster": str(profile)}
    return write_campaign(folder, cells, **({"dispatch": dispatch} | changes))


def environment_of(cluster: Any | None) -> dict[str, str]:
    """Environment of a process that reaches the queue."""
    return {**os.environ, "OMP_NUM_THREADS": "1", **(cluster.environment if cluster is not None else {})}
