"""Workers on a host that is reached by ssh: a real server, whose connections break."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from superion.errors import StoreError
from support.mongo_server import database_on
from support.ssh_server import SshServer, ssh_server

pytest.importorskip("jobflow_remote")
sys.path.append(str(Path(__file__).parent / "support"))
from remote_bench import PROBE, RemoteBench, remote_bench

STAGES = [{"stage": "validate"}, PROBE | {"duration_ps": 50.0, "minimum_ps": 49.0, "segment_ps": 2.0}]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path) as listening:
        yield listening


@pytest.fixture
def bench(tmp_path: Path, mongo_server: str, server: SshServer) -> Iterator[RemoteBench]:
    changes = {"host": server.host}
    with (
        database_on(mongo_server) as store,
        remote_bench(tmp_path / "bench", store, "shell", stages=STAGES, profile_changes=changes) as made,
    ):
        yield made


@pytest.mark.slow
def test_a_unit_goes_through_ssh_and_lives_through_its_loss(bench: RemoteBench, server: SshServer) -> None:
    assert bench.engine.is_remote
    ticket, flow = bench.unit(1)
    key = ticket.stage_key
    bench.engine.submit([(ticket, flow)])
    bench.start_runner()
    bench.wait(lambda units: any(job.name.startswith("probe") for job in units[key].running))
    dynamics = bench.standing()[key].running[0]
    bench.wait(lambda _: bench.engine.progress([dynamics.uuid]))
    progress = bench.engine.progress([dynamics.uuid])[dynamics.uuid].progress
    assert 0 <= progress.completed_ps <= progress.requested_ps
    assert {finding.state for finding in bench.engine.check()} == {"ok"}, bench.engine.check()
    assert bench.engine.recover("lattice").put_back == ()

    server.go_away()
    with pytest.raises(StoreError, match=r"worker .* (does not answer|cannot be reached)"):
        bench.engine.progress([dynamics.uuid])
    report = bench.engine.recover("lattice")
    assert report.put_back == ()
    assert any("reached" in sentence or "answer" in sentence for sentence in report.left), report
    assert "error" in {finding.state for finding in bench.engine.check()}
    # The queue's database is here: what is known is still told.
    assert bench.standing()[key].phase in ("queued", "running")
    # Long enough for the runner to give its next step up.
    bench.wait(lambda _: bench.jobs(state="REMOTE_ERROR"))
    assert bench.standing()[key].phase == "queued"

    server.start()
    assert bench.recover_until("finished") == []
    assert bench.document(key).state == "completed"
    log = next(log for log in bench.engine.logs("lattice", key) if log.name == "probe 1000 K")
    assert log.place is not None
    assert log.place.startswith("127.0.0.1:")
    assert {len(list(Path(job["run_dir"]).glob("attempt_*"))) for job in bench.jobs()} == {1}
