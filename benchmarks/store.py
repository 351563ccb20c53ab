"""How fast the embedded store is beside maggma's embedded stores; writes docs/benchmarks/store.md.

Run `python benchmarks/store.py` (a few minutes); `--large` and `--small` set the numbers of documents.
Maggma's stores are measured at the small size only: they look through all documents for each request.
MontyStore takes part where montydb is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

from maggma.core import Store
from maggma.stores import JSONStore, MemoryStore
from maggma.stores.mongolike import MontyClient, MontyStore
from superion.database.file_system import file_system_of
from superion.database.sqlite_store import SqliteStore

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "store.md"
START = datetime(2026, 1, 1)
BATCH = 1000
SECONDS_PER_MEASUREMENT = 1.0


@dataclass(frozen=True)
class Rates:
    """What one store does per second: of wall time for single writes, of processor time for all else."""

    batched_inserts: float
    single_writes: float
    lookups: float
    range_queries: float


def document(n: int) -> dict[str, Any]:
    """Make a job's output of the size and shape of a conductivity document without curves."""
    generator = random.Random(n)
    return {
        "uuid": f"{generator.getrandbits(128):032x}",
        "index": 1,
        "name": "conductivity",
        "output": {
            "doc_type": "conductivity",
            "formula": f"Li{n % 17}P{n % 5}S{n % 11}",
            "sigma_300k_ms_cm": generator.lognormvariate(0.0, 2.0),
            "activation_energy_ev": generator.uniform(0.1, 0.6),
            "points": [{"temperature_k": t, "value": generator.random()} for t in range(500, 1100, 100)],
            "provenance": {"created_at": START + timedelta(seconds=n), "host": "node", "packages": {"ase": "3.29.0"}},
            "notes": ["a sentence of usual length that says what a result of this size is worth"] * 3,
        },
    }


def rate(action: Callable[[int], Any], at_most: int, clock: Callable[[], float] = time.process_time) -> float:
    """Count how often an action can be done per second."""
    start = clock()
    done = 0
    while done < at_most and clock() - start < SECONDS_PER_MEASUREMENT:
        action(done)
        done += 1
    return done / (clock() - start)


def measure(store: Store, n_documents: int) -> Rates:
    """Fill a store and ask it."""
    store.connect()
    if not isinstance(store, MontyStore):  # which has no indexes
        for path in ("uuid", "output.sigma_300k_ms_cm", "output.formula"):
            store.ensure_index(path)
    documents = [document(n) for n in range(n_documents)]
    generator = random.Random(0)
    start = time.process_time()
    for first in range(0, n_documents, BATCH):
        store.update(documents[first : first + BATCH], key=["uuid", "index"])
    inserts = n_documents / (time.process_time() - start)
    single = rate(lambda n: store.update(document(n_documents + n), key=["uuid", "index"]), 2000, time.perf_counter)
    uuids = [generator.choice(documents)["uuid"] for _ in range(20_000)]

    def look_up(n: int) -> None:
        found = store.query_one({"uuid": uuids[n]})
        assert found["uuid"] == uuids[n]

    def best_in_range(n: int) -> None:
        low = 0.5 + (n % 100) / 50
        found = list(
            store.query(
                {"output.sigma_300k_ms_cm": {"$gte": low, "$lt": 2 * low}},
                sort={"output.sigma_300k_ms_cm": -1},
                limit=10,
            )
        )
        assert len(found) == 10

    lookups = rate(look_up, len(uuids))
    ranges = rate(best_in_range, 20_000)
    return Rates(inserts, single, lookups, ranges)


def bare_sqlite(folder: Path, n_documents: int) -> Rates:
    """Measure sqlite3 without any store around it, on the same disk: the ceiling."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE d (id INTEGER PRIMARY KEY, body TEXT)")
    connection.execute("CREATE UNIQUE INDEX u ON d (json_extract(body,'$.uuid'))")
    connection.execute("CREATE INDEX s ON d (json_extract(body,'$.output.sigma_300k_ms_cm'))")
    connection.execute("CREATE INDEX f ON d (json_extract(body,'$.output.formula'))")
    documents = [document(n) for n in range(n_documents)]
    start = time.process_time()
    for first in range(0, n_documents, BATCH):
        connection.execute("BEGIN IMMEDIATE")
        bodies = [(json.dumps(d, default=str),) for d in documents[first : first + BATCH]]
        connection.executemany("INSERT INTO d (body) VALUES (?)", bodies)
        connection.execute("COMMIT")
    inserts = n_documents / (time.process_time() - start)

    def insert(n: int) -> None:
        body = json.dumps(document(n_documents + n), default=str)
        connection.execute("INSERT INTO d (body) VALUES (?)", (body,))

    def look_up(n: int) -> None:
        uuid = documents[(n * 7919) % n_documents]["uuid"]
        sql = "SELECT body FROM d WHERE json_extract(body,'$.uuid')=?"
        json.loads(connection.execute(sql, (uuid,)).fetchone()[0])

    def best_in_range(n: int) -> None:
        low = 0.5 + (n % 100) / 50
        value = "json_extract(body,'$.output.sigma_300k_ms_cm')"
        sql = f"SELECT body FROM d WHERE {value}>=? AND {value}<? ORDER BY {value} DESC LIMIT 10"
        assert len([json.loads(body) for (body,) in connection.execute(sql, (low, 2 * low))]) == 10

    rates = Rates(inserts, rate(insert, 2000, time.perf_counter), rate(look_up, 20_000), rate(best_in_range, 20_000))
    connection.close()
    return rates


def peers(folder: Path) -> dict[str, Callable[[], Store]]:
    """List the stores of maggma that need no server."""
    stores: dict[str, Callable[[], Store]] = {
        "maggma MemoryStore (keeps nothing)": lambda: MemoryStore("benchmark"),
        "maggma JSONStore (one file, rewritten)": lambda: JSONStore(str(folder / "store.json"), read_only=False),
    }
    if MontyClient is not None:
        (folder / "monty").mkdir()
        stores["maggma MontyStore (SQLite)"] = lambda: MontyStore("benchmark", str(folder / "monty"))
    return stores


def row(name: str, n_documents: int, rates: Rates, reference: Rates | None) -> str:
    """Write one line of the table; ratios say how many times slower than ours at the same size."""
    cells = [name, f"{n_documents:,}"]
    for field in ("batched_inserts", "single_writes", "lookups", "range_queries"):
        value = getattr(rates, field)
        ratio = f" ({getattr(reference, field) / value:.3g}×)" if reference else ""
        cells.append(f"{value:,.3g}{ratio}" if value < 100 else f"{value:,.0f}{ratio}")
    return "| " + " | ".join(cells) + " |"


def processor() -> str:
    """Name the processor."""
    try:
        text = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
        return next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("Model name"))
    except (OSError, subprocess.CalledProcessError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    """Measure all stores and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, default=None, help="folder on the disk to be measured")
    arguments = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        disk = file_system_of(folder)
        ours_small = measure(SqliteStore(folder / "small.db"), arguments.small)
        lines.append(row("**superion SqliteStore**", arguments.small, ours_small, None))
        for peer, make in peers(folder).items():
            lines.append(row(peer, arguments.small, measure(make(), arguments.small), ours_small))
            print(lines[-1], flush=True)
        ours_large = measure(SqliteStore(folder / "large.db"), arguments.large)
        lines.append(row("**superion SqliteStore**", arguments.large, ours_large, None))
        print(lines[-1], flush=True)
        lines.append(row("sqlite3 alone", arguments.large, bare_sqlite(folder, arguments.large), ours_large))
        print(lines[-1], flush=True)
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in ("maggma", "pymongo"))
    load = os.getloadavg()[0]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(
        "## Embedded store\n\n"
        "Requests per second, one process, documents of about 1 kB with three indexed fields. In brackets: how many\n"
        "times slower than ours at the same size (below 1: faster). Processor time, which other programs on the\n"
        "machine do not lengthen, but wall time for single writes: ours and those of sqlite3 alone return when they\n"
        "are on the disk, maggma's stores do not wait for it. Batches hold 1,000 documents and are one commit each.\n"
        "The range query asks for the ten greatest σ(300 K) in an interval. sqlite3 alone inserts without looking\n"
        "for an older document, and knows nothing of MongoDB's kinds, lists and missing fields: the difference is\n"
        "what they cost. maggma's stores look through all documents for each request and are shown at the small\n"
        "size only.\n"
        f"Made by `benchmarks/store.py` on {processor()}, {disk}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version},\n{versions}; load {load:.1f} on {os.cpu_count()} cores.\n\n"
        "| store | documents | batched inserts / s | single writes / s | lookups / s | range + sort / s |\n"
        "| --- | --- | --- | --- | --- | --- |\n" + "\n".join(lines) + "\n"
    )
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
