"""The engine with a worker of processes on this host: phases, failures with their reasons, a user's own project."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.guarded_server import guarded_server, must_hide_the_password
from support.mongo_server import database_on
from support.wire_server import WireServer

pytest.importorskip("jobflow_remote")
sys.path.append(str(Path(__file__).parent / "support"))
from remote_bench import PROBE, QUICK_RUNNER, RemoteBench, remote_bench


@pytest.fixture
def bench(tmp_path: Path, mongo_server: str) -> Iterator[RemoteBench]:
    with database_on(mongo_server) as store, remote_bench(tmp_path, store, "shell") as made:
        yield made


@pytest.fixture
def guarded_bench(tmp_path: Path, mongo_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteBench]:
    """A bench whose server asks for a password, which all that is left of it holds in one file alone."""
    with guarded_server(tmp_path / "server") as address:
        # The environment of a runner goes on to the jobs that it submits.
        monkeypatch.setenv("SUPERION_STORE", address)
        with remote_bench(tmp_path / "bench", address, "shell") as made:
            yield made
        must_hide_the_password(tmp_path / "bench", address, but_in="bench.yaml")


def test_a_unit_runs_to_its_document_and_one_without_its_potential_tells_why(guarded_bench: RemoteBench) -> None:
    bench = guarded_bench
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
    # What reaches a worker knows neither the server nor the database.
    written = [file for file in (bench.folder / "work").rglob("*") if file.is_file()]
    assert any(file.name == "jfremote_in.json" for file in written)
    place = bench.store.partition("@")[2].partition("?")[0].encode()
    assert [file for file in written if place in file.read_bytes()] == []


def test_flows_run_unchanged_in_a_project_that_knows_nothing_of_superion(bench: RemoteBench) -> None:
    server, database = bench.store.rsplit("/", 1)

    def store(collection: str, kind: str = "MongoURIStore") -> dict[str, str]:
        return {"type": kind, "uri": server, "database": database, "collection_name": collection}

    own = {
        "name": "own",
        "runner": QUICK_RUNNER,
        "queue": {"store": store("own_jobs"), "flows_collection": "own_flows", "auxiliary_collection": "own_auxiliary"},
        "jobstore": {
            "docs_store": store("own_outputs"),
            "additional_stores": {"data": store("own_data", "GridFSURIStore")},
        },
        "workers": {
            "mine": {
                "type": "local",
                "scheduler_type": "shell",
                "work_dir": str(bench.folder / "own_runs"),
                "pre_run": f"export PATH={Path(sys.executable).parent}:$PATH OMP_NUM_THREADS=1",
            }
        },
    }
    (bench.folder / "projects" / "own.yaml").write_text(yaml.safe_dump(own))
    script = """
    from jobflow_remote import ConfigManager, submit_flow
    from pymatgen.core import Lattice, Structure
    from superion.potentials.specification import PotentialSpecification
    from superion.workflows.stages.registry import load_stage
    from superion.workflows.stages.stage import StageContext

    ConfigManager().get_project("own").get_job_controller().reset()
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    potential = PotentialSpecification(name="ase", model="ase.calculators.lj.LennardJones", device="cpu")
    context = StageContext(potential=potential, mobile_ion="Na", ion_charge=1.0, label="salt")
    stage = load_stage("validate")
    submit_flow(stage.make(cell, stage.settings_model(), context), worker="mine", project="own")
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=bench.folder)
    assert told.returncode == 0, told.stderr
    bench.start_runner("own")
    found = bench.engine.controller.db["own_jobs"]
    bench.wait(lambda _: found.count_documents({"state": {"$in": ["COMPLETED", "FAILED"]}}) == 1)
    document = bench.engine.controller.db["own_outputs"].find_one({"output.stage": "validate"})
    assert document is not None, list(found.find({}, {"error": 1}))
    assert document["output"]["label"] == "salt"


@pytest.mark.slow
def test_a_full_disk_is_told_and_a_retry_goes_on_when_there_is_room(tmp_path: Path, mongo_server: str) -> None:
    # No file may grow beyond 32 KiB: documents fit, trajectories do not.
    full = {"setup": ["ulimit -f 32"]}
    with database_on(mongo_server) as store, remote_bench(tmp_path, store, "shell", profile_changes=full) as bench:
        ticket, flow = bench.unit(1)
        key = ticket.stage_key
        bench.engine.submit([(ticket, flow)])
        runner = bench.start_runner()
        # Nobody's fault that a search for lost jobs could mend.
        assert bench.recover_until("failed") == []
        reason = bench.standing()[key].reason
        assert "free some space" in reason
        assert "\n" not in reason
        runner.terminate()
        runner.wait()
        bench.profile_changes = {}
        bench.write_project()
        assert bench.engine.retry("lattice", [key]) == 1
        bench.start_runner()
        assert bench.recover_until("finished") == []
        assert bench.document(key).state == "completed"


@pytest.mark.slow
def test_a_runner_outlives_a_database_that_is_away_for_half_a_minute(tmp_path: Path, mongo_server: str) -> None:
    server = WireServer(tmp_path / "server")
    server.start()
    stages = [{"stage": "validate"}, PROBE | {"duration_ps": 100.0, "minimum_ps": 99.0, "segment_ps": 4.0}]
    try:
        with remote_bench(tmp_path / "bench", server.uri, "shell", stages=stages) as bench:
            ticket, flow = bench.unit(1)
            bench.engine.submit([(ticket, flow)])
            runner = bench.start_runner()
            key = ticket.stage_key
            bench.wait(lambda units: any(job.name.startswith("probe") for job in units[key].running))
            server.stop()
            time.sleep(30.0)
            server.start()
            # After a failure its scheduler rests for two minutes.
            bench.recover_until("finished", 400.0)
            assert runner.poll() is None
            assert bench.document(key).state == "completed"
            assert bench.collections.jobs.count({"output.stage_key": key}) == 1
            assert {len(list(Path(job["run_dir"]).glob("attempt_*"))) for job in bench.jobs()} == {1}
    finally:
        server.stop()
