"""Measure the coverage of all intervals on synthetic trajectories and write the table for the docs.

Run from the repository root:

    OMP_NUM_THREADS=1 python benchmarks/calibration.py --per-cell 250 --processes 2
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat
from pathlib import Path

from superion.transport.calibration import (
    CALIBRATION_CELLS,
    CALIBRATION_KINDS,
    Coverage,
    Outcome,
    adaptive_outcome,
    coverage,
    is_falsely_ruled_out,
    outcomes_of_one,
)

HEADER = (
    "| motion | ions | frames | estimator | trajectories | withheld | 68 % | 95 % | 95 % bound | mean | scatter |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)
TARGET = 0.2


def row(kind: str, ions: str, frames: str, estimator: str, rate: Coverage) -> str:
    """Format one line of the table."""
    return (
        f"| {kind} | {ions} | {frames} | {estimator} | {rate.n} | {rate.withheld:.3f} | {rate.coverage_68:.3f} | "
        f"{rate.coverage_95:.3f} | {rate.bound_95:.3f} | {rate.mean:.3f} | {rate.scatter:.3f} |"
    )


def main() -> None:
    """Run the calibration and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-cell", type=int, default=250, help="trajectories per kind, number of ions and length")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--skip-adaptive", action="store_true", help="leave out stopping rules and ruled_out")
    parser.add_argument("--output", type=Path, default=Path("docs/calibration_table.md"))
    options = parser.parse_args()
    lines = [HEADER]

    def write(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    print(HEADER)
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
        if not options.skip_adaptive:
            for kind in CALIBRATION_KINDS:
                adaptive: list[Outcome] = []
                errors: list[bool] = []
                for n_ions in (8, 24, 64):
                    arguments: list[Iterable[object]] = [repeat(kind), repeat(n_ions), repeat(2000), seeds]
                    adaptive += pool.map(adaptive_outcome, *arguments, repeat(TARGET), chunksize=5)
                    errors += pool.map(is_falsely_ruled_out, *arguments, chunksize=5)
                write(row(f"**{kind}**", "all", "≤ 2000", f"tracer, stopped at {TARGET:.0%}", coverage(adaptive)))
                lines.append("")
                write(f"false ruled_out, {kind}: {sum(errors)} of {len(errors)}")
    minutes = (time.monotonic() - began) / 60
    print(f"{minutes:.1f} minutes")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
