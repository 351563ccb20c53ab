"""The campaign on the lattice, handed to an engine of clusters: profile and file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from superion.database.documents.candidate_summary import CandidateSummary
from superion.database.project import find_project
from superion.database.ranking.by_property import rank_by_property
from superion.workflows.campaign.coordinate import coordinate_campaign
from superion.workflows.campaign.cost import campaign_cost
from superion.workflows.campaign.submit import submit_campaign

sys.path.append(str(Path(__file__).parent))
from lattice_campaign import lattice_cell, open_campaigns, rows_of, run_here, write_campaign

SUPPORT = Path(__file__).parent


def python_path() -> str:
    """Where workers find what the tests import: their support, and what this process was told."""
    return os.pathsep.join([str(SUPPORT), *filter(None, [os.environ.get("PYTHONPATH")])])


def write_profile(folder: Path, scheduler: str, **changes: Any) -> Path:
    """Write the profile of a cluster whose jobs can import the potential of the tests; give the file."""
    work = folder / "work"
    content = {
        "scheduler": scheduler,
        "work_folder": str(work),
        "python": sys.executable,
        "environment": {"PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)},
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
    folder.mkdir(parents=True, exist_ok=True)
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


def coordinate(folder: Path, store: str, *, poll_s: float = 0.5, events: list | None = None, once: bool = False):
    """Submit the folder's campaign to its cluster and see it through; give the report."""
    with open_campaigns(folder, store) as collections:
        submit_campaign(folder / "campaign.yaml", collections, workers=1)
        take = (lambda event: None) if events is None else events.append
        return coordinate_campaign(
            "lattice", collections, find_project(folder), poll_s=poll_s, on_event=take, once=once
        )


def start_coordinator(folder: Path, store: str) -> subprocess.Popen:
    """Start a coordinator as a process of its own."""
    command = [sys.executable, str(Path(__file__)), str(folder), store]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True)


def findings(folder: Path, store: str | None = None) -> dict[str, tuple]:
    """What a campaign found, without what may differ between two runs: status, reason and values by material."""
    return {
        label: (
            row["status"],
            row["reason"],
            {name: (value["value"], value.get("interval_95")) for name, value in row["properties"].items()},
        )
        for label, row in rows_of(folder, store).items()
    }


def ranking(folder: Path, store: str | None = None) -> list[tuple[int, str, float]]:
    """The materials as the probe ranks them: place, name, diffusivity."""
    with open_campaigns(folder, store) as collections:
        rows = [CandidateSummary.model_validate(row.model_dump()) for row in collections.iter_rows("lattice")]
    ranked = rank_by_property(rows, "probe_diffusivity_cm2_s").ranked
    return [(entry.rank, entry.row.label, entry.score) for entry in ranked]


def must_tell_where_it_came_from(folder: Path, store: str, engine: str) -> None:
    """See that each document names allocation and engine, and that the campaign's cost sums up all of them."""
    with open_campaigns(folder, store) as collections:
        documents = list(collections.jobs.query({}, properties=["output.provenance"]))
        origins = [document["output"]["provenance"] for document in documents]
        assert {origin["engine"] for origin in origins} == {engine}
        assert all(origin["queue_job_id"].isdigit() and origin["engine_id"] and origin["host"] for origin in origins)
        cost = campaign_cost("lattice", collections)
    assert (cost.n_documents, cost.n_without_times) == (len(documents), 0)
    assert cost.total.n_jobs == len(documents)
    assert 0.0 < cost.total.cpu_hours <= cost.total.wall_hours * 2
    assert {stage.name for stage in cost.stages} == {"validate", "probe"}


def findings_here(folder: Path, n_candidates: int) -> dict[str, tuple]:
    """What the same campaign finds on one machine."""
    write_cluster_campaign(folder, "local", folder, n_candidates, dispatch={"engine": "local"})
    run_here(folder)
    return findings(folder)


def segment_stamps(folder: Path) -> dict[Path, int]:
    """When each segment of the cluster's trajectories was written."""
    found = folder.glob("work/trajectories/*/segment*")
    return {path: path.stat().st_mtime_ns for path in found if path.suffix == ".h5md"}


def wait_for(read: Callable[[], Any], what: str, timeout_s: float = 400.0, until: Callable[[Any], Any] = bool) -> Any:
    """Read until the condition holds, and give what was read."""
    deadline = time.monotonic() + timeout_s
    while not until(found := read()):
        assert time.monotonic() < deadline, f"{what}: not after {timeout_s} s; {found}"
        time.sleep(0.1)
    return found


def main() -> None:
    """Coordinate the campaign of a folder."""
    report = coordinate(Path(sys.argv[1]), sys.argv[2])
    print(report.state, report.reason, report.counts)


if __name__ == "__main__":
    main()
