"""A small OPTIMADE server on the loopback: structures in pages, as the specification's JSON:API asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlparse

from optimade.models.utils import anonymize_formula, reduce_formula
from pymatgen.core import Structure

PAGE = 3


@dataclass
class OptimadeServer:
    """Where it listens, what it serves, and what it was asked."""

    url: str
    entries: list[dict[str, Any]]
    filters: list[str] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    """Status codes that it answers with first."""


def entry_of(structure: Structure, number: str) -> dict[str, Any]:
    """Describe a structure as OPTIMADE does, partial occupancies and vacancies included."""
    names, species = [], {}
    for site in structure:
        symbols = [element.symbol for element in site.species]
        amounts = [float(amount) for amount in site.species.values()]
        if sum(amounts) < 1.0 - 1e-6:
            symbols.append("vacancy")
            amounts.append(1.0 - sum(amounts))
        name = "_".join(f"{symbol}{amount:g}" for symbol, amount in zip(symbols, amounts, strict=True))
        species[name] = {"name": name, "chemical_symbols": symbols, "concentration": amounts}
        names.append(name)
    composition = structure.composition.element_composition
    elements = sorted(element.symbol for element in composition)
    is_disordered = not structure.is_ordered
    formula = composition.formula.replace(" ", "")
    return {
        "id": number,
        "type": "structures",
        "links": None,
        "relationships": None,
        "attributes": {
            "immutable_id": None,
            "last_modified": "2026-01-01T00:00:00Z",
            "elements": elements,
            "nelements": len(elements),
            "elements_ratios": [composition.get_atomic_fraction(symbol) for symbol in elements],
            "chemical_formula_descriptive": structure.formula,
            "chemical_formula_reduced": reduce_formula(formula),
            "chemical_formula_anonymous": anonymize_formula(formula),
            "chemical_formula_hill": None,
            "dimension_types": [1, 1, 1],
            "nperiodic_dimensions": 3,
            "lattice_vectors": structure.lattice.matrix.tolist(),
            "cartesian_site_positions": structure.cart_coords.tolist(),
            "nsites": len(structure),
            "species_at_sites": names,
            "species": list(species.values()),
            "structure_features": ["disorder"] if is_disordered else [],
            "assemblies": None,
        },
    }


@contextmanager
def optimade_server(entries: list[dict[str, Any]]) -> Iterator[OptimadeServer]:
    """Serve entries until the end of the block."""
    server: OptimadeServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlparse(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            if server.failures:
                self._answer(server.failures.pop(0), {"errors": [{"title": "busy", "detail": "later"}]})
                return
            if address.path != "/v1/structures":
                self._answer(404, {"errors": [{"title": "Not Found", "detail": address.path}]})
                return
            server.filters.append(query.get("filter", ""))
            offset = int(query.get("page_offset", 0))
            more = offset + PAGE < len(server.entries)
            following = urlencode({**query, "page_offset": offset + PAGE})
            self._answer(
                200,
                {
                    "data": server.entries[offset : offset + PAGE],
                    "links": {"next": f"{server.url}/v1/structures?{following}" if more else None},
                    "meta": {
                        "query": {"representation": self.path},
                        "api_version": "1.1.0",
                        "more_data_available": more,
                        "data_returned": len(server.entries),
                        "data_available": len(server.entries),
                    },
                },
            )

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.api+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = OptimadeServer(f"http://127.0.0.1:{http.server_address[1]}", entries)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
