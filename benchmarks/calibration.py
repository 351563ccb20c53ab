"""Measure the coverage of all intervals on synthetic trajectories and write the tables for the docs.

Run from the repository root:

    OMP_NUM_THREADS=1 python benchmarks/calibration.py --per-cell 250 --processes 2
    OMP_NUM_THREADS=1 python benchmarks/calibration.py --mechanisms 1000 --processes 2

The first writes the table of the kinds in `superion.transport.calibration`, the second that of `benchmarks/mechanisms`.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from mechanisms.catalogue import CATALOGUE, HELD_OUT
from mechanisms.judge import Verdict, judge
from superion.transport.calibration import (
    CALIBRATION_CELLS,
    CALIBRATION_KINDS,
    Coverage,
    Outcome,
    adaptive_run,
    coverage,
    outcomes_of_one,
)

HEADER = (
    "| motion | ions | frames | estimator | trajectories | withheld | 68 % | 95 % | 95 % bound | mean | scatter |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)
MECHANISM_HEADER = (
    "| mechanism | ps | tracer: 68 % | 95 % | mean | error claimed | along axes | charge: 68 % | 95 % | mean "
    "| along axes | Haven | its 68 % | flags |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)
TARGET = 0.2
IONS = (8, 24, 64)


def row(kind: str, ions: str, frames: str, estimator: str, rate: Coverage) -> str:
    """Format one line of the table."""
    return (
        f"| {kind} | {ions} | {frames} | {estimator} | {rate.n} | {rate.withheld:.3f} | {rate.coverage_68:.3f} | "
        f"{rate.coverage_95:.3f} | {rate.bound_95:.3f} | {rate.mean:.3f} | {rate.scatter:.3f} |"
    )


def mechanism_row(name: str, n_frames: int, verdict: Verdict) -> str:
    """Format one line of the table of mechanisms."""
    tracer, axes, charge, charge_axes = verdict.tracer, verdict.axes, verdict.charge, verdict.charge_axes
    flags = ", ".join(f"{flag} {share:.2f}" for flag, share in verdict.flagged.items() if share >= 0.005)
    collective = "– | – | – | – | – | –"
    if charge is not None and charge_axes is not None:
        collective = (
            f"{charge.coverage_68:.3f} | {charge.coverage_95:.3f} | {charge.mean:.3f} | "
            f"{charge_axes.coverage_68:.3f}, {charge_axes.coverage_95:.3f} | {verdict.haven_bias:+.3f} | "
            f"{verdict.haven_coverage_68:.3f}"
        )
    return (
        f"| {name}{' *' if name in HELD_OUT else ''} | {n_frames // 10} | {tracer.coverage_68:.3f} | "
        f"{tracer.coverage_95:.3f} | {tracer.mean:.3f} | {verdict.width:.3f} | "
        f"{axes.coverage_68:.3f}, {axes.coverage_95:.3f} | {collective} | {flags} |"
    )


def calibrate_mechanisms(n_trajectories: int, processes: int, output: Path) -> None:
    """Judge all mechanisms at 50 and 200 ps and write their table."""
    began = time.monotonic()
    lines = [MECHANISM_HEADER]
    jobs = [(name, n_frames) for name in CATALOGUE for n_frames in (500, 2000)]
    with ProcessPoolExecutor(processes) as pool:
        futures = [pool.submit(judge, name, n_trajectories, n_frames) for name, n_frames in jobs]
        for (name, n_frames), future in zip(jobs, futures, strict=True):
            lines.append(mechanism_row(name, n_frames, future.result()))
            print(lines[-1], flush=True)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Run the calibration and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-cell", type=int, default=250, help="trajectories per kind, number of ions and length")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--adaptive-per-cell", type=int, default=500, help="followed trajectories per number of ions")
    parser.add_argument("--adaptive-frames", type=int, default=1000, help="longest followed trajectory, in frames")
    parser.add_argument("--skip-adaptive", action="store_true", help="leave out stopping rules and ruled_out")
    parser.add_argument("--output", type=Path, default=Path("calibration_table.md"))
    parser.add_argument("--mechanisms", type=int, metavar="N", help="judge the mechanisms instead, N trajectories each")
    options = parser.parse_args()
    if options.mechanisms:
        calibrate_mechanisms(
            options.mechanisms, options.processes, options.output.with_name("calibration_mechanisms.md")
        )
        return
    lines = [HEADER]

    def write(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    print(HEADER, flush=True)
    began = time.monotonic()
    seeds = range(options.per_cell)
    with ProcessPoolExecutor(options.processes) as pool:
        for kind in CALIBRATION_KINDS:
            pooled: dict[str, list[Outcome]] = {"tracer": [], "charge": []}
            for n_ions, n_frames in CALIBRATION_CELLS:
                job = partial(outcomes_of_one, kind, n_ions, n_frames)
                outcomes = list(pool.map(job, seeds, chunksize=10))
                for number, estimator in enumerate(pooled):
                    part = [pair[number] for pair in outcomes]
                    pooled[estimator] += part
                    write(row(kind, str(n_ions), str(n_frames), estimator, coverage(part)))
            for estimator, part in pooled.items():
                write(row(f"**{kind}**", "all", "all", estimator, coverage(part)))
        for kind in CALIBRATION_KINDS if not options.skip_adaptive else ():
            followed: list[tuple[Outcome, bool]] = []
            for n_ions in IONS:
                job = partial(adaptive_run, kind, n_ions, options.adaptive_frames, target_relative_error=TARGET)
                followed += pool.map(job, range(options.adaptive_per_cell), chunksize=5)
            rate = coverage([claimed for claimed, _ in followed])
            write(row(f"**{kind}**", "all", f"≤ {options.adaptive_frames}", f"tracer, stopped at {TARGET:.0%}", rate))
            errors = sum(error for _, error in followed)
            share = errors / len(followed)
            write(f"| **{kind}** | all | any look | false ruled_out | {len(followed)} | | | | {share:.3f} | | |")
    minutes = (time.monotonic() - began) / 60
    print(f"{minutes:.1f} minutes")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
