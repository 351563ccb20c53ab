"""`make quickstart`: CHGNet on Li6PS5Cl; shortened in every run, whole behind the marker `slow`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["run", "conductivity", "Li6PS5Cl", "--preset", "quickstart"]
LONGEST_COMPUTING_S = 12 * 60
FEWEST_HOPS = 20


def superion(arguments: list[str], folder: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUPERION")}
    return subprocess.run(
        [str(Path(sys.executable).with_name("superion")), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def test_make_quickstart_runs_this_command():
    recipe = (ROOT / "Makefile").read_text()
    assert f"superion {' '.join(COMMAND)}" in recipe


def test_shortened(tmp_path):
    short = ["--temperatures", "1000,1400", "--duration-ps", "0.08", "--workers", "1"]
    for setting in (
        "relax.maximum_steps=2",
        "md.limits.segment_ps=0.04",
        "md.limits.minimum_ps=0.08",
        "md.frame_interval_fs=2",
        "diffusion.settings.equilibration_ps=0.02",
    ):
        short += ["--set", setting]
    finished = superion([*COMMAND, *short, "--json"], tmp_path, timeout_s=1000)
    assert finished.returncode == 0, finished.stderr
    (document,) = json.loads(finished.stdout)["documents"]
    potential = document["provenance"]["potential"]
    assert (potential["name"], potential["dtype"]) == ("chgnet", "float32")
    assert (document["doc_type"], document["state"]) == ("conductivity", "completed")
    assert (document["formula"], document["n_atoms"]) == ("Li6PS5Cl", 52)
    assert (document["mobile_ion"], document["ion_charge"]) == ("Li", 1.0)
    assert document["temperature_failures"] == {}
    assert [result["temperature_k"] for result in document["temperatures"]] == [1000.0, 1400.0]
    for result in document["temperatures"]:
        assert result["n_ions"] == 24
        assert result["nernst_einstein"]["upper_bound_95_ms_cm"] > 0
    assert {error["source"] for error in document["systematic_errors"]} == {
        "potential",
        "cell_size",
        "ordering",
        "run_length",
        "method",
    }
    # So short a run shows no diffusion: it must be said, and no value claimed.
    assert document["sigma_300k_ms_cm"] is None
    assert list(tmp_path.rglob("*.html"))
    shown = superion(["list"], tmp_path, timeout_s=300)
    assert "Li6PS5Cl" in shown.stdout


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whole(tmp_path):
    started = time.monotonic()
    finished = superion([*COMMAND, "--json"], tmp_path, timeout_s=3000)
    elapsed_s = time.monotonic() - started
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout)
    (document,) = answer["documents"]
    assert len(document["temperatures"]) >= 3
    for temperature in document["temperatures"]:
        assert temperature["effective_hops"] >= FEWEST_HOPS
    assert document["sigma_300k_ms_cm"] > 0
    low, high = document["sigma_300k_interval_68_ms_cm"]
    assert low < document["sigma_300k_ms_cm"] < high
    assert elapsed_s < LONGEST_COMPUTING_S
