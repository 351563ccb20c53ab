"""The engine with a worker of processes on this host: phases, failures with their reasons, a user's own project."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mongo_server import database_on

sys.path.append(str(Path(__file__).parent / "support"))
from remote_bench import PROJECT, RemoteBench, remote_bench


@pytest.fixture
def bench(tmp_path: Path, mongo_server: str) -> Iterator[RemoteBench]:
    with database_on(mongo_server) as store, remote_bench(tmp_path, store, "shell") as made:
        yield made


def test_a_unit_runs_to_its_document_and_one_without_its_potential_tells_why(bench: RemoteBench) -> None:
    good = bench.unit(1)
    bench.set_campaign("lattice", potential={"name": "ase", "model": "no_such_package.Calculator", "device": "cpu"})
    bad = bench.unit(2)
    keys = good[0].stage_key, bad[0].stage_key
    assert bench.engine.submit([good, bad]) == list(keys)
    assert {unit.phase for unit in bench.standing().values()} == {"queued"}
    assert "jf -p bench runner start" in (bench.engine.feed("lattice").problem or "")
    bench.start_runner()
    phases = set()

    def is_over(units) -> bool:
        phases.add(units[keys[0]].phase)
        return units[keys[0]].phase == "finished" and units[keys[1]].phase == "failed"

    units = bench.wait(is_over)
    assert "running" in phases
    assert bench.document(keys[0]).state == "completed"
    assert bench.engine.feed("lattice").problem is None
    reason = units[keys[1]].reason
    assert "no_such_package" in reason
    assert "\n" not in reason
    assert reason.startswith("probe 1000 K: ")
    log = bench.engine.logs("lattice", keys[1])[0]
    assert (log.state, log.name) == ("FAILED", "probe 1000 K")
    assert "Traceback" in log.text
    assert Path(log.place).is_dir()
    findings = {finding.subject: finding for finding in bench.engine.check()}
    assert {finding.state for finding in findings.values()} == {"ok"}, findings
    # A retry runs what failed once more, and nothing else.
    done = {job["db_id"] for job in bench.jobs(state="COMPLETED")}
    assert bench.engine.retry("lattice", [keys[1]]) == 1
    assert bench.standing()[keys[1]].phase in ("queued", "running")
    bench.wait(is_over)
    assert all(len(list(Path(job["run_dir"]).glob("attempt_*"))) == 1 for job in bench.jobs() if job["db_id"] in done)


def test_flows_run_unchanged_in_a_project_that_knows_nothing_of_campaigns(bench: RemoteBench) -> None:
    script = f"""
    from jobflow_remote import submit_flow
    from pymatgen.core import Lattice, Structure
    from superion.workflows.stages.registry import load_stage
    from superion.workflows.stages.stage import StageContext
    from superion.potentials.specification import PotentialSpecification

    stage = load_stage("validate")
    cell = Structure(Lattice.cubic(5.64), ["Na"] * 4 + ["Cl"] * 4, [
        [0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0],
        [0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]])
    context = StageContext(potential=PotentialSpecification(name="ase", model="ase.calculators.lj.LennardJones"),
                           mobile_ion="Na", ion_charge=1.0, label="salt")
    flow = stage.make(cell, stage.settings_model(), context)
    print(submit_flow(flow, project="{PROJECT}", worker="bench_cluster_analysis"))
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, cwd=bench.folder
    )
    assert told.returncode == 0, told.stderr
    bench.start_runner()
    bench.wait(lambda _: all(job["state"] in ("COMPLETED", "FAILED") for job in bench.jobs()))
    assert {job["state"] for job in bench.jobs()} == {"COMPLETED"}, bench.words()
    outputs = list(bench.collections.jobs.query({"output.stage": "validate"}))
    assert [output["output"]["state"] for output in outputs] == ["completed"]
    assert os.environ["JFREMOTE_PROJECTS_FOLDER"]
