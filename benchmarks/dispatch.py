"""What dispatching costs: overhead per job of each engine, ten thousand candidates here, round trips to the database.

    python benchmarks/dispatch.py --output docs/benchmarks/dispatch.md
    python benchmarks/dispatch.py --jobs 1 20 200 --engines fireworks --skip-unpacked-above 20 --candidates 0

It starts a Slurm and a MongoDB-wire server of its own (`scripts/dev-services`), and stops them. `--candidates 0` and
`--counted` without a number leave these parts out.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("SUPERION_STORE", None)
os.environ.pop("SUPERION_STORE_FILE", None)

from campaign_plan import CAMPAIGN, Cost, run, write_structures
from dispatch_overhead import Overhead, fireworks_overhead, local_overhead, overhead_table, remote_overhead
from dispatch_services import Services, running_services
from dispatch_trips import Trips, count_trips, count_worker, growing, register_counter, trips_table

ENGINES = ("local", "fireworks", "jobflow_remote")


def main() -> None:
    """Measure and write the page."""
    options = _options()
    # Connections that are open already are not listened to.
    counter = register_counter()
    loads = [os.getloadavg()[0]]
    clusters = [name for name in options.engines if name != "local"]
    with tempfile.TemporaryDirectory(prefix="dispatch") as name:
        folder = Path(name)
        os.environ["SUPERION_CACHE"] = str(folder / "cache")
        lines = ["## Dispatch", ""]
        with running_services(folder) as services:
            told = subprocess.run(["sinfo", "--version"], capture_output=True, text=True, check=True)
            slurm = told.stdout.strip()
            measured = measure_overhead(
                services, options.engines, options.jobs, options.skip_unpacked_above, options.skip_remote_above
            )
            counted: list[Trips] = []
            for engine in clusters:
                for number in options.counted:
                    takes_results = number <= options.results_up_to and engine == "fireworks"
                    counted.append(count_trips(services, counter, engine, number, with_results=takes_results))
                    print(f"{engine}: round trips of {number} candidates counted", flush=True)
            worker = count_worker(services, counter) if options.counted and "fireworks" in clusters else {}
        loads.append(os.getloadavg()[0])
        costs = measure_campaign(folder, options.candidates) if options.candidates else {}
        loads.append(os.getloadavg()[0])
    lines += _introduction(loads, slurm)
    lines += _overhead_section(measured, options)
    if counted:
        lines += _trips_section(counted, worker)
    if costs:
        lines += _campaign_section(costs, options.candidates)
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 20, 200], help="numbers of trivial jobs")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument(
        "--skip-unpacked-above", type=int, default=20, metavar="N", help="no more than N jobs with an allocation each"
    )
    parser.add_argument(
        "--skip-remote-above", type=int, default=200, metavar="N", help="no more than N jobs through jobflow-remote"
    )
    parser.add_argument("--counted", type=int, nargs="*", default=[30, 300], help="candidates whose trips are counted")
    parser.add_argument(
        "--results-up-to", type=int, default=300, metavar="N", help="let FireWorks compute a stage of N candidates"
    )
    parser.add_argument("--candidates", type=int, default=10_000, help="candidates submitted on this machine")
    parser.add_argument("--note", default="", help="a sentence on this run, such as why a size is missing")
    parser.add_argument("--output", type=Path, default=None)
    return parser.parse_args()


def measure_overhead(
    services: Services, engines: list[str], numbers: list[int], skip_unpacked_above: int, skip_remote_above: int
) -> list[Overhead]:
    """Measure each engine in each of its ways with each number of jobs.

    Parameters
    ----------
    services : Services
        Servers.
    engines : list of str
        Engines.
    numbers : list of int
        Numbers of jobs.
    skip_unpacked_above : int
        Greatest number of jobs that get an allocation each.
    skip_remote_above : int
        Greatest number of jobs through jobflow-remote.

    Returns
    -------
    list of Overhead
        What was measured.
    """
    measured = []
    measures: dict[str, list[tuple[bool, Callable[[int], Overhead]]]] = {
        "local": [(True, lambda number: local_overhead(services, number))],
        "fireworks": [
            (True, lambda number: fireworks_overhead(services, number, is_packed=True)),
            (False, lambda number: fireworks_overhead(services, number, is_packed=False)),
        ],
        "jobflow_remote": [
            (True, lambda number: remote_overhead(services, number, is_packed=True)),
            (False, lambda number: remote_overhead(services, number, is_packed=False)),
        ],
    }
    for engine in engines:
        for is_packed, measure in measures[engine]:
            for number in numbers:
                most = min(
                    float("inf") if is_packed else skip_unpacked_above,
                    skip_remote_above if engine == "jobflow_remote" else float("inf"),
                )
                if number <= most:
                    measured.append(measure(number))
                    print(measured[-1], flush=True)
    return measured


def measure_campaign(folder: Path, number: int) -> dict[str, Cost]:
    """Submit a campaign on this machine and ask for its status, in processes of their own.

    Parameters
    ----------
    folder : Path
        Empty folder.
    number : int
        Candidates.

    Returns
    -------
    dict of str to Cost
        By command.
    """
    place = folder / "here"
    place.mkdir()
    (place / "campaign.yaml").write_text(CAMPAIGN)
    write_structures(place / "structures", number)
    costs = {}
    costs["`superion campaign submit`"], _ = run(place, "campaign", "submit", "campaign.yaml")
    costs["`superion campaign status --once`"], _ = run(place, "campaign", "status", "--once")
    return costs


def _introduction(loads: list[float], slurm: str) -> list[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("fireworks", "jobflow-remote", "jobflow", "pymongo"))
    return [
        f"Made by `benchmarks/dispatch.py` on {_processor()}, Python {platform.python_version()}, {os.cpu_count()} "
        f"cores, {slurm}, {packages}; queue and database are those of `scripts/dev-services` (one emulated node with "
        "as many processors as the machine has; the server is SecantusDB, not MongoDB). Load "
        f"{', '.join(f'{load:.1f}' for load in loads)} at the start, after the clusters and at the end: where it is "
        "above the number of cores, wall times are longer than they need be, and say little more than which of two "
        "is the longer.",
        "",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _overhead_section(measured: list[Overhead], options: argparse.Namespace) -> list[str]:
    cores = os.cpu_count()
    return [
        "### Overhead per job",
        "",
        "Jobs that add two numbers. In each cell: wall time in s from before the submission to the last result in the "
        "store, the same per job, and the Slurm allocations that were asked for meanwhile. With one job it is how long "
        "the first result takes: start of Python, imports, and the times between two looks of each engine. The "
        f"settings are those that superion ships. Packed, one allocation of {cores} cores takes {cores} jobs side by "
        "side: FireWorks' jobs run in processes that go on, each job of jobflow-remote's batch in a process of its "
        "own. One allocation per job is FireWorks' reservation mode (`qlaunch -r rapidfire` with `rlaunch singleshot`, "
        "which waits 5 s after each submission), and a plain worker of jobflow-remote, whose runner looks every 10 to "
        "15 s. `local` runs the jobs as one flow. Each number was measured once."
        + (f" {options.note}" if options.note else ""),
        "",
        *overhead_table(measured, options.jobs),
        "",
    ]


def _trips_section(counted: list[Trips], worker: dict[str, float]) -> list[str]:
    sizes = sorted({one.n_candidates for one in counted})
    grown = growing(counted)
    told = []
    if len(sizes) > 1:
        told = [
            f"Between {sizes[0]} and {sizes[-1]} candidates, and apart from the further portions in which a server "
            "sends a long answer, "
            + (f"these numbers grow: {'; '.join(grown)}." if grown else "no number grows.")
            + " jobflow-remote's units are handed over in portions of 100.",
            "",
        ]
    return [
        "### Round trips to the database",
        "",
        "Commands that the process which submits, coordinates or asks sends to the server; the workers' are not in it. "
        "They are counted, not timed. The queue is closed while they are counted. The engine's own calls get as many "
        "units of one job each as there are candidates. Opening an engine is counted in the first look only. One "
        "candidate in fifty is another one's structure again, and shares its units.",
        "",
        *trips_table(counted),
        "",
        *told,
        *_worker_lines(worker),
    ]


def _worker_lines(worker: dict[str, float]) -> list[str]:
    if not worker:
        return []
    commands = ", ".join(f"{number:g} {name}" for name, number in worker.items())
    return [
        f"A worker in a pilot of FireWorks sends {sum(worker.values()):g} commands for each job of one number "
        f"({commands}), nearly all of them FireWorks' own: what the cluster sends grows with the jobs.",
        "",
    ]


def _campaign_section(costs: dict[str, Cost], number: int) -> list[str]:
    return [
        "### A campaign on one machine",
        "",
        f"{number:,} candidates as in the benchmark of `plan`, embedded store, nothing parsed before. Each command is "
        "a process of its own; importing the libraries is included.",
        "",
        "| command | processor time / s | wall time / s | largest memory / GB |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {title} | {c.cpu_s:.1f} | {c.wall_s:.1f} | {c.memory_gb:.2f} |" for title, c in costs.items()),
        "",
    ]


if __name__ == "__main__":
    main()
