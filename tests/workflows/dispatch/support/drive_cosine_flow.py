"""A driver process for the kill tests: runs or resumes a small conductivity flow in a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from superion.database.job_store import open_job_store
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.flows.conductivity import ConductivityMaker
from superion.makers.md import MdMaker
from superion.makers.supercell import SupercellMaker
from superion.runtime.stop_criteria import StopCriteria
from superion.workflows.dispatch.local import resume_run, run_flow_locally

TESTS = Path(__file__).resolve().parents[3]


def build_flow(folder: Path):
    """Two temperatures of the analytic conductor, long enough to be hit by a kill."""
    sys.path.insert(0, str(TESTS))
    from conftest import make_cosine_system

    system = make_cosine_system(barrier_ev=0.2)
    maker = ConductivityMaker(
        potential=system.specification,
        temperatures_k=(800.0, 1200.0),
        relax=None,
        supercell=SupercellMaker(minimum_edge_angstrom=9.0),
        md=MdMaker(
            protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
            limits=RunLimits(duration_ps=6.0, segment_ps=0.5),
            stop=StopCriteria(target_relative_error=None),
        ),
        checkpoint_root=str(folder / "trajectories"),
    )
    return maker.make(system.atoms, label="cosine")


def main() -> None:
    """Run the flow, or resume it where a run is there."""
    folder = Path(sys.argv[1])
    store = open_job_store(folder / "results.db")
    if (folder / "run" / "flow.json").exists():
        report = resume_run(folder / "run", store, workers=2)
    else:
        report = run_flow_locally(build_flow(folder), store, folder / "run", workers=2)
    for job in report.failures:
        print(job.name, job.reason, job.log and job.log.read_text()[-2000:])
    print(report.state, *report.output_uuids)


if __name__ == "__main__":
    main()
