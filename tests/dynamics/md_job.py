"""One MD job as a process of its own, to be killed and resumed: python md_job.py JOB.json."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import sys
from pathlib import Path

import ase.io
import numpy as np
from superion.dynamics.engine import run_md
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.results import StopVerdict
from superion.dynamics.trajectory import Trajectory
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification


def displacement_rule(trajectory: Trajectory) -> StopVerdict:
    """Never stops; its estimates fill the history."""
    positions = trajectory.positions()
    moved = float(np.mean((positions[-1] - positions[0]) ** 2))
    return StopVerdict(message=f"{moved:.6f} Å²", estimate={"msd": moved, "frames": trajectory.n_frames})


def calm_check(trajectory: Trajectory) -> StopVerdict:
    """Never finds anything."""
    return StopVerdict(estimate={"hottest": float(trajectory.temperatures().max())})


def run_job(job: dict) -> dict:
    """Run a described job and return its result as plain data."""
    result = run_md(
        ase.io.read(job["structure"]),
        load_potential(PotentialSpecification(**job["potential"])),
        MdProtocol(**job["protocol"]),
        RunLimits(**job["limits"]),
        job["root"],
        stop_rules=[displacement_rule],
        health_checks=[calm_check],
    )
    return result.model_dump(mode="json")


if __name__ == "__main__":
    description = json.loads(Path(sys.argv[1]).read_text())
    # load the potential's packages first, so that a kill meets dynamics and not imports
    load_potential(PotentialSpecification(**description["potential"])).calculator()
    print("ready", flush=True)
    print(json.dumps(run_job(description)), flush=True)
