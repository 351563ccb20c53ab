"""A campaign through jobflow-remote on a real Slurm: the same result as on one machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from superion.scripts.cli import main as superion

sys.path.append(str(Path(__file__).parent / "support"))
sys.path.append(str(Path(__file__).parents[1] / "dispatch" / "jobflow_remote_engine" / "support"))
from cluster_campaign import (
    coordinate,
    findings,
    findings_here,
    must_tell_where_it_came_from,
    ranking,
    write_cluster_campaign,
)
from remote_bench import PROJECT, remote_bench

pytest.importorskip("jobflow_remote")


def test_slurm_by_jobflow_remote_finds_what_one_machine_finds(tmp_path, database, slurm_cluster, capsys):
    here = tmp_path / "here"
    here.mkdir()
    with remote_bench(tmp_path / "bench", database, "slurm") as bench:
        bench.start_runner()
        folder = tmp_path / "campaign"
        folder.mkdir()
        dispatch = {"engine": "jobflow_remote", "cluster": str(bench.cluster), "project": PROJECT}
        write_cluster_campaign(folder, "jobflow_remote", bench.cluster, 3, dispatch=dispatch)
        events = []
        report = coordinate(folder, database, events=events)
        assert (report.state, report.n_finished, report.n_failed) == ("finished", 6, 0), events
        # Nothing is computed twice, and nothing is handed over twice.
        assert coordinate(folder, database).n_finished == 0
        assert bench.engine.controller.flows.count_documents({}) == 6
        capsys.readouterr()
        assert superion(["campaign", "status", "lattice", "--store", database, "--json"]) == 0
        status = json.loads(capsys.readouterr().out)
        assert (status["state"], status["engine"]["units"]) == ("finished", {"finished": 6})
        must_tell_where_it_came_from(folder, database, "jobflow_remote")
        found, ranked = findings(folder, database), ranking(folder, database)
    # Last: two cores are enough for one thing at a time. The potential knows its folder, so there it is again.
    assert found == findings_here(here, 3)
    assert ranked == ranking(here)
    assert len({score for _, _, score in ranked}) == 3
