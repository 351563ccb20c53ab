"""Sequential stopping, replayed on stored trajectories of full length: MD steps against the fixed-length protocol.

    OMP_NUM_THREADS=1 python benchmarks/sequential_stopping.py --processes 2
    OMP_NUM_THREADS=1 python benchmarks/sequential_stopping.py --quick

Makes candidates of known order on the analytic conductor (`stopping_candidates.py`), runs each with the engine at every
temperature to the full length of the conductivity stage, replays every run look by look with the rules of the stages
(`stopping_replay.py`), lets the stages judge what is left (`stopping_protocols.py`), and compares the best candidates
and the MD steps with those of runs that all go to their full length. `--folder` keeps the trajectories, and finds them
there. `--quick` takes few candidates and short runs, and writes no page.

    python benchmarks/sequential_stopping.py --campaign-project DIR [--campaign NAME]

replays the trajectories of a finished campaign in a superion project (`stopping_campaign.py`). Only those of full
length can be replayed, so run the campaign, or `superion campaign extend` it, with `target_relative_error: null` and
`target_sigma_300k_ms_cm: null` in both stages: its trajectories then go on to `duration_ps` where rules had ended them.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from stopping_campaign import load_campaign
from stopping_candidates import MOBILE_ION, make_candidates
from stopping_comparison import compare
from stopping_page import FIXED, SEQUENTIAL, AnalyticSet, analytic_page, ends_of, paragraph, with_interval
from stopping_protocols import NEVER, Material, Outcome, Way, follow, remembered_analysis, run_in_full, screen
from superion.errors import SuperionError
from superion.workflows.stages.conductivity import ConductivitySettings
from superion.workflows.stages.probe import ProbeSettings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks" / "sequential_stopping.md"


@dataclass(frozen=True)
class Job:
    """One candidate to replay.

    Parameters
    ----------
    material : Material
        The candidate.
    ways : mapping of str to Way
        Ways to end its runs.
    library : Path
        Folder of its full-length trajectories.
    makes_library : bool
        Whether to run those that are not there.
    """

    material: Material
    ways: Mapping[str, Way]
    library: Path
    makes_library: bool


@dataclass(frozen=True)
class Followed:
    """One candidate with all ways to end its runs.

    Parameters
    ----------
    name : str
        Its name.
    outcomes : dict of str to Outcome
        By the name of the way.
    dynamics_cpu_s, replay_cpu_s : float
        Processor times.
    """

    name: str
    outcomes: dict[str, Outcome]
    dynamics_cpu_s: float
    replay_cpu_s: float


def follow_candidate(job: Job) -> Followed:
    """Make the stored trajectories of a candidate, where that is asked for, and replay them in every way."""
    start = time.process_time()
    if job.makes_library:
        settings = job.ways[FIXED].conductivity
        assert settings is not None
        run_in_full(job.material, settings, job.library)
    made = time.process_time()
    with remembered_analysis():
        outcomes = {name: follow(job.material, way, job.library) for name, way in job.ways.items()}
    return Followed(job.material.name, outcomes, made - start, time.process_time() - made)


def follow_all(jobs: Sequence[Job], processes: int) -> list[Followed]:
    """Replay all candidates."""
    found = []
    with ExitStack() as stack:
        pool = stack.enter_context(ProcessPoolExecutor(processes)) if processes > 1 else None
        for followed in map(follow_candidate, jobs) if pool is None else pool.map(follow_candidate, jobs):
            found.append(followed)
            spent = ", ".join(f"{outcome.total_steps} {name}" for name, outcome in followed.outcomes.items())
            print(f"{followed.name}: MD steps {spent}", file=sys.stderr, flush=True)
    return found


def analytic(options: argparse.Namespace) -> str:
    """Make candidates of known order, replay them, and give the page."""
    if options.quick:
        probe = ProbeSettings(duration_ps=6.0)
        conductivity = ConductivitySettings(duration_ps=12.0, temperatures_k=(800.0, 1000.0))
        number, ks = options.candidates or 6, (2,)
    else:
        probe, conductivity = ProbeSettings(), ConductivitySettings()
        number, ks = options.candidates or 40, (5, 10)
    if number < 2 * ks[0]:
        raise SystemExit(f"{number} candidates are too few to look for the best {ks[0]}: ask for {2 * ks[0]} or more.")
    changes = {FIXED: NEVER, SEQUENTIAL: {}, f"{SEQUENTIAL}, `minimum_barrier_ev` 0.2": {"minimum_barrier_ev": 0.2}}
    if options.quick:
        changes = {FIXED: NEVER, SEQUENTIAL: {}}
    ways = {
        name: Way(probe.model_copy(update=change), conductivity.model_copy(update=change))
        for name, change in changes.items()
    }
    candidates = make_candidates(number, options.set_number)
    with ExitStack() as stack:
        library = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="full-length-")))
        library.mkdir(parents=True, exist_ok=True)
        followed = follow_all(
            [
                Job(Material(one.label, one.structure, MOBILE_ION, 1.0, one.potential, one.md), ways, library, True)
                for one in candidates
            ],
            options.processes,
        )
    found = AnalyticSet(
        candidates=candidates,
        ways=ways,
        outcomes={way: {one.name: one.outcomes[way] for one in followed} for way in ways},
        ks=[k for k in ks if 2 * k <= number],
    )
    dynamics, replays = (sum(getattr(one, f"{part}_cpu_s") for one in followed) / 60 for part in ("dynamics", "replay"))
    kept = ", less what `--folder` held already," if options.folder else ""
    made_by = f"""Made by `benchmarks/sequential_stopping.py{" --quick" if options.quick else ""}`, Python
        {platform.python_version()}: {dynamics:.1f} min of processor time for the dynamics{kept} and
        {replays:.1f} min for the replays."""
    return analytic_page(found, made_by)


def campaign(options: argparse.Namespace) -> str:
    """Replay a finished campaign, and give what there is to say of it."""
    stored = load_campaign(options.campaign_project, options.campaign)
    lines = [f"## Sequential stopping in the campaign {stored.name}", ""]
    if stored.stops_by_itself:
        warning = """The file of this campaign lets rules end runs. Only runs that no rule could end are of full length,
            so this says nothing of the saving: run it on with `target_relative_error: null` and
            `target_sigma_300k_ms_cm: null` in its stages first (`superion campaign extend`)."""
        lines += [paragraph(warning), ""]
    lines += [f"- left out: {label}: {reason}" for label, reason in sorted(stored.left_out.items())]
    lines += [f"- {len(stored.entries)} candidates have runs of full length, {len(stored.left_out)} have not"]
    if not stored.entries:
        return "\n".join(lines) + "\n"
    jobs = [
        Job(material, {FIXED: fixed, SEQUENTIAL: sequential}, stored.library, False)
        for material, fixed, sequential in stored.entries
    ]
    followed = follow_all(jobs, options.processes)
    outcomes = {way: {one.name: one.outcomes[way] for one in followed} for way in (FIXED, SEQUENTIAL)}
    reference, screened = screen(outcomes[FIXED], ()), screen(outcomes[SEQUENTIAL], ())
    for k in [k for k in (5, 10) if 2 * k <= len(followed)] or [max(1, len(followed) // 2)]:
        compared = compare(screened, reference, k)
        lines.append(
            f"- {with_interval(compared.ratio)} of the MD steps of runs of full length; of the best {k} by σ(300 K), "
            f"{with_interval(compared.overlap)} are the same"
        )
    for stage in ("probe", "conductivity"):
        if any(getattr(one, f"{stage}_ends") for one in outcomes[SEQUENTIAL].values()):
            lines.append(f"- {stage}: {ends_of(outcomes[SEQUENTIAL].values(), stage)}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few candidates, short runs; no page unless --output")
    parser.add_argument("--candidates", type=int, default=None, help="how many (default: 40, quick 6)")
    parser.add_argument("--set-number", type=int, default=0, help="another set has other densities, other dynamics")
    parser.add_argument("--folder", type=Path, default=None, help="keeps the full-length trajectories")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--campaign-project", type=Path, default=None, help="project folder of a finished campaign")
    parser.add_argument("--campaign", default=None, help="its name; needed where there are several")
    parser.add_argument("--output", type=Path, default=None, help=f"page to write (default: {PAGE.name} in the docs)")
    options = parser.parse_args()
    try:
        text = analytic(options) if options.campaign_project is None else campaign(options)
    except SuperionError as error:
        raise SystemExit(str(error)) from None
    print(text)
    output = options.output
    if output is None and not options.quick and options.campaign_project is None:
        output = PAGE
    if output is not None:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
