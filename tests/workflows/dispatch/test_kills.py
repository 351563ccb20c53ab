"""Kills and signals at a real flow: driver, workers and both die at inconvenient instants; nothing is lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from superion.database.job_store import open_job_store

DRIVER = Path(__file__).parent / "support" / "drive_cosine_flow.py"


def start(folder: Path) -> subprocess.Popen:
    """Start a driver, which starts the flow or resumes it."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(DRIVER), str(folder)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for_growth(driver: subprocess.Popen, folder: Path, pattern: str) -> list[psutil.Process]:
    """Wait until one more file of a kind is there, and give the driver's workers."""
    before = len(list(folder.glob(pattern)))
    while driver.poll() is None and len(list(folder.glob(pattern))) <= before:
        time.sleep(0.02)
    assert driver.poll() is None, driver.communicate()
    return psutil.Process(driver.pid).children()


def finish(driver: subprocess.Popen) -> list[str]:
    """Wait for a driver and give the words of its last line: state and uuid of the answer."""
    output, errors = driver.communicate(timeout=500)
    assert driver.returncode == 0, errors.decode()[-3000:]
    return output.decode().splitlines()[-1].split()


def answer(folder: Path, uuid: str) -> str:
    """Give the final document, without what may differ: times, host and uuid."""
    store = open_job_store(folder / "results.db")
    document = store.get_output(uuid, load=True)
    store.close()
    for name in ("created_at", "host", "job_uuid", "wall_time_s", "cpu_time_s", "gpu_time_s"):
        document["provenance"].pop(name)
    return json.dumps(document, sort_keys=True, default=str)


def job_runs(folder: Path) -> int:
    """How many jobs began to run, over all drivers."""
    return len(list((folder / "run" / "jobs").iterdir()))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The answer of a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("unbroken")
    state, uuid = finish(start(folder))
    assert state == "completed"
    return answer(folder, uuid)


def test_killed_runs_give_the_same_answer(unbroken, tmp_path):
    """One run, disturbed twice, each time in another way."""
    # Everything at once, as a power cut does.
    driver = start(tmp_path)
    workers = wait_for_growth(driver, tmp_path, "trajectories/*/segment*.h5md")
    driver.kill()
    for worker in workers:
        worker.kill()
    driver.communicate()

    # One worker: its job is tried again at once.
    driver = start(tmp_path)
    wait_for_growth(driver, tmp_path, "trajectories/*/segment*.h5md")[0].kill()
    state, uuid = finish(driver)
    assert state == "completed"
    assert answer(tmp_path, uuid) == unbroken

    # Resumed once more, nothing runs.
    before = job_runs(tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "jobs").rglob("*")}
    assert finish(start(tmp_path)) == [state, uuid]
    assert job_runs(tmp_path) == before
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "jobs").rglob("*")} == stamps


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
def test_random_kills_give_the_same_answer(unbroken, tmp_path, seed):
    """Kills at random instants, of everything or of the driver only, until the run is over."""
    dice = random.Random(seed)
    kills = 0
    while True:
        driver = start(tmp_path)
        patterns = ["trajectories/*/segment*.h5md", "run/outcomes/*.json", "run/tasks/*.json"]
        before = sum(len(list(tmp_path.glob(pattern))) for pattern in patterns)
        while driver.poll() is None and sum(len(list(tmp_path.glob(pattern))) for pattern in patterns) <= before:
            time.sleep(0.01)
        try:
            driver.wait(timeout=dice.uniform(0.0, 1.0))
            break
        except subprocess.TimeoutExpired:
            workers = psutil.Process(driver.pid).children()
        driver.kill()
        kills += 1
        if dice.random() < 0.7:
            for worker in workers:
                worker.kill()
        driver.communicate()
    state, uuid = finish(driver)
    assert state == "completed"
    assert kills >= 5
    assert answer(tmp_path, uuid) == unbroken
