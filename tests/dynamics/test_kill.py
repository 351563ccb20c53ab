"""SIGKILL at random instants, resume until the end: the trajectory equals the unbroken one bit by bit."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np
import pytest
from conftest import make_cosine_system
from superion.dynamics.trajectory import Trajectory

JOB_SCRIPT = Path(__file__).with_name("md_job.py")

PROTOCOLS = {
    "bussi": {"temperature_k": 800, "time_step_fs": 2.0},
    "nose_hoover_chain": {"temperature_k": 800, "time_step_fs": 2.0, "thermostat": "nose_hoover_chain"},
    "langevin": {"temperature_k": 800, "time_step_fs": 2.0, "thermostat": "langevin"},
    "nve": {"temperature_k": 800, "time_step_fs": 2.0, "ensemble": "nve"},
    "npt": {"temperature_k": 500, "time_step_fs": 2.0, "ensemble": "npt"},
}

DIFFERS_BY_RIGHT = {"folder", "resumed_from_step", "wall_time_s"}


def cosine_job(protocol: dict, folder: Path) -> dict:
    system = make_cosine_system()
    volume_per_atom = system.atoms.get_volume() / len(system.atoms)
    potential = system.specification.model_dump()
    potential["options"] |= {"bulk_modulus_gpa": 20.0, "volume_angstrom3_per_atom": volume_per_atom}
    ase.io.write(folder / "structure.traj", system.atoms)
    return {
        "structure": str(folder / "structure.traj"),
        "potential": potential,
        "protocol": protocol,
        "limits": {"duration_ps": 1.0, "segment_ps": 0.1, "store_velocities": True},
    }


def load_job_module():
    spec = importlib.util.spec_from_file_location("md_job", JOB_SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Moment:
    """When to send a signal: after so many more segments have appeared, and then a while."""

    new_segments: int
    delay_s: float

    def wait(self, root: Path, has_ended: Callable[[], bool]) -> None:
        """Watch the disk until the moment has come, or the job has ended."""
        there = count_segments(root)
        while count_segments(root) < there + self.new_segments:
            if has_ended():
                return
            time.sleep(0.001)
        time.sleep(self.delay_s)


def count_segments(root: Path) -> int:
    return len(list(root.glob("*/segment-*.h5md")))


def seconds_per_segment(root: Path) -> float:
    """Time from one closed segment to the next, free of what a process does before its first step."""
    closed = sorted(path.stat().st_mtime for path in root.glob("*/segment-*.h5md"))
    return (closed[-1] - closed[0]) / (len(closed) - 1)


def random_moments(seed: str, segments: list[int], segment_s: float) -> list[Moment]:
    """One moment for each number of segments, in random order, each with a random delay within a segment."""
    chance = random.Random(seed)
    return [Moment(count, chance.uniform(0.0, segment_s)) for count in chance.sample(segments, len(segments))]


def forked_life(job: dict, moment: Moment, outcome: Path, number: signal.Signals = signal.SIGKILL) -> bool:
    """Run the job in a forked process and send it a signal at a moment; True if it was killed before its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            outcome.write_text(json.dumps(load_job_module().run_job(job)))
            code = 0
        finally:
            os._exit(code)
    # Left unreaped, so that the signal never meets a stranger's process.
    moment.wait(Path(job["root"]), lambda: os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    os.kill(child, number)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, "the job failed"
    return False


def fresh_life(job: dict, after_s: float | None, folder: Path) -> dict | None:
    """Run the job in a new interpreter and SIGKILL it a while after it is ready; None if it was killed."""
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", str(JOB_SCRIPT), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout.readline().strip() == "ready", process.stderr.read()
        if after_s is not None:
            time.sleep(after_s)
            process.kill()
        output, errors = process.communicate()
        if process.returncode == -signal.SIGKILL:
            return None
        assert process.returncode == 0, errors
        return json.loads(output.splitlines()[-1])


def assert_same_trajectory(broken: dict, unbroken: dict) -> None:
    for field in unbroken.keys() - DIFFERS_BY_RIGHT:
        assert broken[field] == unbroken[field], field  # the segments' sha256 are among them
    assert broken["history"]
    ours, theirs = Trajectory(broken["folder"]), Trajectory(unbroken["folder"])
    ours.verify()
    for name in ("positions", "velocities", "cells", "temperatures", "energies", "steps"):
        assert np.array_equal(getattr(ours, name)(), getattr(theirs, name)()), name
    for one, other in zip(ours.segment_paths, theirs.segment_paths, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("name", PROTOCOLS)
def test_killed_run_equals_unbroken_run(name: str, tmp_path: Path):
    """Five kills for each integrator, 25 in all: before the first step, and within the first to third new segment."""
    job = cosine_job(PROTOCOLS[name], tmp_path)
    module = load_job_module()
    unbroken = module.run_job(job | {"root": str(tmp_path / "whole")})
    assert (unbroken["state"], unbroken["n_frames"]) == ("completed", 51)

    moments = random_moments(f"kill {name}", [0, 1, 1, 2, 2], seconds_per_segment(tmp_path / "whole"))
    attempt = 0
    segments_at_kill = set()
    while moments:
        root = tmp_path / f"broken-{attempt}"
        broken_job = job | {"root": str(root)}
        while moments and forked_life(broken_job, moments[0], tmp_path / "broken.json"):
            moments.pop(0)
            segments_at_kill.add(count_segments(root))
        assert_same_trajectory(module.run_job(broken_job), unbroken)
        attempt += 1
    assert len(segments_at_kill - {0}) >= 2, "the kills did not hit a run under way"


@pytest.mark.parametrize("name", [pytest.param("bussi", marks=pytest.mark.slow), "npt"])
def test_stops_and_kills_in_any_order(name: str, tmp_path: Path):
    """Clean stops at any step and kills, mixed: other segments, the same frames."""
    job = cosine_job(PROTOCOLS[name], tmp_path)
    module = load_job_module()
    unbroken = module.run_job(job | {"root": str(tmp_path / "whole")})
    # A stop closes the open segment, so six moments of one segment each never reach the end of ten.
    moments = random_moments(f"stop {name}", [1] * 6, 0.6 * seconds_per_segment(tmp_path / "whole"))
    broken_job = job | {"root": str(tmp_path / "broken")}
    stopped = 0
    numbers = [signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1]
    for moment, number in zip(moments, numbers, strict=True):
        outcome = tmp_path / "outcome.json"
        outcome.unlink(missing_ok=True)
        forked_life(broken_job, moment, outcome, number)
        if outcome.exists():
            stopped += json.loads(outcome.read_text())["stop_reason"] == "signal"
    assert stopped >= 2
    broken = module.run_job(broken_job)
    assert broken["state"] == "completed"
    assert broken["history"] == unbroken["history"]
    ours, theirs = Trajectory(broken["folder"]), Trajectory(unbroken["folder"])
    for quantity in ("positions", "velocities", "cells", "temperatures", "energies", "steps"):
        assert np.array_equal(getattr(ours, quantity)(), getattr(theirs, quantity)()), quantity


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_killed_run_of_a_neural_network_equals_unbroken_run(
    name: str, tmp_path: Path, tiny_mace_specification, li6ps5cl
):
    """New interpreters, a real MACE model on Li6PS5Cl, five kills for each integrator."""
    from pymatgen.io.ase import AseAtomsAdaptor

    ase.io.write(tmp_path / "structure.traj", AseAtomsAdaptor.get_atoms(li6ps5cl))
    job = {
        "structure": str(tmp_path / "structure.traj"),
        "potential": tiny_mace_specification.model_dump(),
        "protocol": PROTOCOLS[name] | {"temperature_k": 300, "time_step_fs": 1.0},
        "limits": {"duration_ps": 0.1, "segment_ps": 0.02, "store_velocities": True},
    }
    kill_and_compare_in_new_interpreters(job, tmp_path, n_kills=5, seed=f"mace {name}")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_run_of_chgnet_equals_unbroken_run(tmp_path: Path, li6ps5cl):
    from pymatgen.io.ase import AseAtomsAdaptor

    ase.io.write(tmp_path / "structure.traj", AseAtomsAdaptor.get_atoms(li6ps5cl))
    job = {
        "structure": str(tmp_path / "structure.traj"),
        "potential": {"name": "chgnet", "device": "cpu"},
        "protocol": {"temperature_k": 600, "time_step_fs": 2.0},
        "limits": {"duration_ps": 0.08, "segment_ps": 0.02, "store_velocities": True},
    }
    kill_and_compare_in_new_interpreters(job, tmp_path, n_kills=5, seed="chgnet")


def test_new_interpreters_agree(tmp_path: Path):
    """Hash seeds and memory layout change between interpreters; the bits do not."""
    job = cosine_job(PROTOCOLS["bussi"], tmp_path)
    kill_and_compare_in_new_interpreters(job, tmp_path, n_kills=1, seed="fresh")


def kill_and_compare_in_new_interpreters(job: dict, folder: Path, n_kills: int, seed: str) -> None:
    unbroken = fresh_life(job | {"root": str(folder / "whole")}, None, folder)
    length_s = unbroken["wall_time_s"]
    instants = random.Random(seed)
    kills = attempt = 0
    while kills < n_kills:
        broken_job = job | {"root": str(folder / f"broken-{attempt}")}
        result = None
        while result is None and kills < n_kills:
            result = fresh_life(broken_job, instants.uniform(0.0, 0.6 * length_s), folder)
            kills += result is None
        assert_same_trajectory(result or fresh_life(broken_job, None, folder), unbroken)
        attempt += 1
