"""How fast the first page of the usual queries is in the embedded store; writes docs/benchmarks/queries.md.

Run `python benchmarks/queries.py` (half an hour, about 6 GB in a temporary folder); `--rows 20000` tries it quickly
and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from superion.database.campaigns import CampaignCollections
from superion.database.candidate_rows import row_to_document
from superion.database.documents import CandidateOrigin, CandidateSummary, OrderingSummary, StageSummary
from superion.database.file_system import file_system_of
from superion.database.properties import PropertyEstimate
from superion.database.query import query_candidates
from superion.database.query_language.parser import element_symbols
from superion.database.sqlite_store import SqliteStore
from superion.database.stored_json import encode
from superion.database.units import parse_quantity
from superion.database.usual_queries import UsualQuery, ensure_usual_indexes, usual_queries

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "queries.md"
PAGE = 20
REPEATS = 9
TARGET_MS = 100.0
BATCH = 10_000
N_BASES = 20_000
CAMPAIGN_SIZE = 10_000
CATIONS = tuple(
    "Zr La Al Ti Si P Ge Sn Ta Nb Y In Ga Sb Mg Ca Sr Ba Zn Sc Er Gd Yb Lu Hf W Mo B Bi Tm".split()  # noqa: SIM905
)
STATUSES = ("rejected", "rejected", "rejected", "waiting", "running", "held", "failed", "done", "done", "done")
START = datetime(2026, 1, 1, tzinfo=UTC)


def make_row(n: int) -> CandidateSummary:
    """Make a row of usual size: common elements often, rare ones rarely, σ known of a third."""
    draw = random.Random(n)
    mobile = draw.choices(["Li", "Na", "Ag"], [70, 25, 5])[0]
    anions = draw.choices([["O"], ["S"], ["Cl"], ["P", "S"], ["P", "S", "Cl"], ["N"]], [45, 15, 15, 15, 7, 3])[0]
    weights = [1.0 / (1 + position) ** 1.5 for position in range(len(CATIONS))]
    elements = sorted({mobile, *anions, *draw.choices(CATIONS, weights, k=draw.randint(0, 2))})
    status = draw.choice(STATUSES)
    properties = {
        "mean_atomic_mass_amu": PropertyEstimate(value=draw.uniform(10, 90)),
        "element_cost_usd_per_kg": PropertyEstimate(value=draw.lognormvariate(3, 2)),
    }
    if draw.random() < 0.5:
        properties["energy_above_hull_ev_per_atom"] = PropertyEstimate(value=draw.expovariate(20.0))
        properties["percolation_barrier_3d_ev"] = PropertyEstimate(value=draw.uniform(0.1, 2.0))
    if status == "done":
        sigma = draw.lognormvariate(-4.0, 3.0)
        properties["sigma_300k_ms_cm"] = PropertyEstimate(
            value=sigma, interval_68=(sigma / 2, 2 * sigma), interval_95=(sigma / 4, 4 * sigma)
        )
        properties["activation_energy_ev"] = PropertyEstimate(value=draw.uniform(0.15, 0.8), interval_68=(0.1, 0.9))
        properties["electrochemical_window_v"] = PropertyEstimate(value=draw.uniform(0.0, 5.0))
    elif status == "rejected":
        properties["greatest_sigma_300k_ms_cm"] = PropertyEstimate(bound="upper", limit=draw.lognormvariate(-7.0, 2.0))
    stage = draw.choice(["validate", "relax", "stability", "percolation", "probe", "conductivity"])
    key = f"{draw.getrandbits(64):016x}"
    campaign = f"campaign-{n // CAMPAIGN_SIZE:04d}"
    return CandidateSummary(
        key=f"{campaign}/{key[:12]}",
        campaign_id=campaign,
        candidate_id=key[:12],
        label=f"entry {n}",
        formula="".join(f"{element}{draw.randint(1, 12)}" for element in elements),
        elements=elements,
        n_elements=len(elements),
        mobile_ion=mobile,
        origins=[CandidateOrigin(source="files", identifier=f"cifs/{n}.cif")],
        status=status,
        stage=stage,
        reason="no conductor: σ(300 K) is surely below the threshold" if status == "rejected" else None,
        properties=properties,
        stages={stage: StageSummary(state="passed", stage_keys=[f"{draw.getrandbits(256):064x}"])},
        orderings=[OrderingSummary(fingerprint=f"{draw.getrandbits(256):064x}")],
        updated_at=START + timedelta(seconds=n),
    )


def vary(base: dict[str, Any], n: int) -> dict[str, Any]:
    """Make another stored row of one: another candidate of its chemistry, all numbers moved by up to a tenth."""
    draw = random.Random(n)
    factor = draw.uniform(0.9, 1.1)
    candidate = f"{draw.getrandbits(48):012x}"
    campaign = f"campaign-{n // CAMPAIGN_SIZE:04d}"

    def moved(value: Any) -> Any:
        if isinstance(value, float):
            return value * factor
        if isinstance(value, dict):
            return {key: moved(item) for key, item in value.items()}
        return tuple(map(moved, value)) if isinstance(value, tuple) else value

    return {
        **base,
        "_id": f"{n:024x}",
        "key": f"{campaign}/{candidate}",
        "campaign_id": campaign,
        "candidate_id": candidate,
        "label": f"entry {n}",
        "properties": moved(base["properties"]),
        "search": moved(base["search"]),
        "updated_at": START + timedelta(seconds=n),
    }


def fill(path: Path, n_rows: int) -> float:
    """Write the rows, without the checks for older ones that an update makes; return the time in s."""
    start = time.perf_counter()
    bases = [row_to_document(make_row(n)) for n in range(min(n_rows, N_BASES))]
    store = SqliteStore(path, "candidates", key="key")
    store.connect()
    connection = store._collection.database.connection()
    for first in range(0, n_rows, BATCH):
        bodies = [(encode(vary(bases[n % N_BASES], n)),) for n in range(first, first + BATCH)]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany('INSERT INTO "documents_candidates" (body) VALUES (?)', bodies)
        connection.execute("COMMIT")
    store.close()
    return time.perf_counter() - start


def index(path: Path) -> float:
    """Make the usual indexes and their statistics; return the time in s."""
    start = time.perf_counter()
    store = SqliteStore(path, "candidates", key="key")
    store.connect()
    connection = store._collection.database.connection()
    connection.execute("PRAGMA cache_size=-262144")
    ensure_usual_indexes(store)
    connection.execute("PRAGMA analysis_limit=400")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Timing:
    """How long a page took, in ms: at first, and then; wall time, and in the median processor time."""

    name: str
    first_ms: float
    median_ms: float
    fastest_ms: float
    processor_ms: float
    n_found: int

    def line(self) -> str:
        """Write a line of the table."""
        return (
            f"| {self.name} | {self.n_found} | {self.first_ms:.1f} | {self.median_ms:.1f} | {self.fastest_ms:.1f} "
            f"| {self.processor_ms:.1f} |"
        )


def measure(name: str, ask: Callable[[], list[Any]]) -> Timing:
    """Ask once, and then several times again."""
    times = []
    processor_times = []
    found: list[Any] = []
    for _ in range(1 + REPEATS):
        start, processor_start = time.perf_counter(), time.process_time()
        found = ask()
        times.append(1000.0 * (time.perf_counter() - start))
        processor_times.append(1000.0 * (time.process_time() - processor_start))
    again, processor_again = times[1:], processor_times[1:]
    return Timing(name, times[0], statistics.median(again), min(again), statistics.median(processor_again), len(found))


def example_row() -> dict[str, Any]:
    """Give a row that is there."""
    n = 3 * CAMPAIGN_SIZE // 2
    return vary(row_to_document(make_row(n % N_BASES)), n)


def usual(collections: CampaignCollections) -> Iterator[Timing]:
    """Measure the usual queries, with values of rows that are there."""
    row = example_row()
    values = {
        "key": row["key"],
        "campaign_id": row["campaign_id"],
        "label": row["label"],
        "formula": row["formula"],
        "search.chemical_system": "Li-P-S",
    }
    for query in usual_queries():
        criteria = {path: values.get(path, condition) for path, condition in query.criteria.items()}

        def ask(criteria: dict[str, Any] = criteria, query: UsualQuery = query) -> list[Any]:
            return list(collections.candidates.query(criteria, sort=dict(query.sort), limit=PAGE))

        yield measure(query.name, ask)


def flags(collections: CampaignCollections) -> Iterator[Timing]:
    """Measure what users ask of `superion query`, down to typed rows."""
    campaign = example_row()["campaign_id"]
    parse_quantity("1 mS/cm", "mS/cm", what="the first unit")
    element_symbols()
    for arguments in (
        {},
        {"sort": "activation_energy"},
        {"sort": "energy_above_hull"},
        {"thresholds": {"sigma_300k": "0.1 mS/cm", "energy_above_hull": "30 meV"}},
        {"elements": "Li,P,S"},
        {"elements": "Li,P,S", "thresholds": {"sigma_300k": "0.1 mS/cm", "energy_above_hull": "30 meV"}},
        {"elements": "Li,S,Tm"},
        {"elements": "Ag,Tm"},
        {"elements": "Li", "exclude_elements": "Ge,Ta"},
        {"campaign": campaign},
        {"campaign": campaign, "status": "done"},
        {"campaign": campaign, "elements": "Li,P,S", "thresholds": {"sigma_300k": "0.1 mS/cm"}},
        {"where": "elements within Li, P, S, Cl and sigma_300k > 1 mS/cm"},
        {"where": "surely (sigma_300k > 1 mS/cm)"},
    ):
        shown = ", ".join(f"{name} = {value}" for name, value in arguments.items()) or "nothing asked for"

        def ask(arguments: dict[str, Any] = arguments) -> list[Any]:
            return query_candidates(collections, limit=PAGE, **arguments)

        yield measure(shown, ask)


def processor() -> str:
    """Name the processor."""
    try:
        text = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
        return next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Model name"))
    except (OSError, subprocess.CalledProcessError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="folder on the disk to be measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        path = Path(name) / "results.db"
        filled = fill(path, arguments.rows)
        print(f"filled in {filled:.0f} s", flush=True)
        indexed = index(path)
        print(f"indexed in {indexed:.0f} s", flush=True)
        size_gb = path.stat().st_size / 1e9
        disk = file_system_of(name)
        start = time.perf_counter()
        with CampaignCollections.open(path) as collections:
            opened_ms = 1000.0 * (time.perf_counter() - start)
            assert collections.candidates.count() == arguments.rows
            by_usual = [timing for timing in usual(collections) if print(timing.line(), flush=True) is None]
            by_flags = [timing for timing in flags(collections) if print(timing.line(), flush=True) is None]
    slow = [timing.name for timing in (*by_usual, *by_flags) if timing.median_ms > TARGET_MS]
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    titles = (
        f"| rows found | first / ms | median of {REPEATS} / ms | fastest / ms | processor time / ms |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
    )
    text = (
        "## Queries of candidates\n\n"
        f"The first page of {PAGE} rows among {arguments.rows:,} in the embedded store of {size_gb:.1f} GB with its\n"
        "indexes, in one process: wall time, which other programs on the machine lengthen, and processor time, which\n"
        f"they do not. The target is {TARGET_MS:.0f} ms; above it, by the median: {', '.join(slow) or 'none'}.\n"
        f"Opening the store took {opened_ms:.0f} ms; the benchmark took at most {memory_gb:.2f} GB of memory. Writing\n"
        f"the rows took {filled:.0f} s, indexing them {indexed:.0f} s.\n"
        f"Made by `benchmarks/queries.py` on {processor()}, {disk}, Python {platform.python_version()}, SQLite\n"
        f"{sqlite3.sqlite_version}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.\n\n"
        "The usual queries (`superion.database.usual_queries`), as documents:\n\n"
        "| query " + titles + "\n".join(timing.line() for timing in by_usual) + "\n\n"
        "What `superion query` is asked, as typed rows, best σ(300 K) first unless sorted otherwise; units and\n"
        "elements had been read before, for the first ones of a process load their libraries:\n\n"
        "| flags " + titles + "\n".join(timing.line() for timing in by_flags) + "\n"
    )
    print(text)
    if arguments.rows == 1_000_000:
        TABLE.write_text(text)


if __name__ == "__main__":
    main()
