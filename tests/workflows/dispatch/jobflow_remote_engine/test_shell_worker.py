"""The engine with a worker of processes on this host: units, their phases, control, deaths."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mongo_server import database_on

sys.path.append(str(Path(__file__).parent / "support"))
from remote_bench import RemoteBench, remote_bench


@pytest.fixture
def bench(tmp_path: Path, mongo_server: str) -> Iterator[RemoteBench]:
    with database_on(mongo_server) as store, remote_bench(tmp_path, store, "shell") as made:
        yield made


def test_a_unit_runs_to_its_document(bench: RemoteBench) -> None:
    ticket, flow = bench.unit(1)
    assert bench.engine.submit([(ticket, flow)]) == [ticket.stage_key]
    assert bench.standing()[ticket.stage_key].phase == "queued"
    assert "runner" in (bench.engine.feed("lattice").problem or "")
    bench.start_runner()
    seen = set()
    bench.wait(lambda units: seen.add(units[ticket.stage_key].phase) or units[ticket.stage_key].phase == "finished")
    assert "running" in seen
    assert bench.document(ticket.stage_key).state == "completed"
    assert bench.engine.feed("lattice").problem is None
