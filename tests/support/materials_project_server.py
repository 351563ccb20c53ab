"""A server on the loopback that answers the Materials Project's client: a heartbeat and summaries."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pymatgen.core import Structure


@dataclass
class MaterialsProjectServer:
    """Where it listens, and the paths that it was asked for."""

    url: str
    asked: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which the client finds it; it reads them once, when it is imported."""
        return {"MP_API_ENDPOINT": self.url, "MP_API_KEY": "k" * 32}


def summary_of(material_id: str, structure: Structure) -> dict[str, Any]:
    """Describe a structure as the database does, in the fields that a campaign asks for."""
    return {
        "material_id": material_id,
        "formula_pretty": structure.composition.reduced_formula,
        "structure": structure.as_dict(),
    }


@contextmanager
def materials_project_server(
    summaries: list[dict[str, Any]], *, answers: int = 1000
) -> Iterator[MaterialsProjectServer]:
    """Serve the same summaries to every query until the end of the block; after so many answers the key is refused."""
    server: MaterialsProjectServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            content: dict[str, Any] = {"data": summaries, "meta": {"total_doc": len(summaries)}}
            if "heartbeat" in self.path:
                content = {"status": "OK", "db_version": "2026.1", "version": "1", "access_controlled_batch_ids": []}
            body = json.dumps(content).encode()
            is_refused = "summary" in self.path and sum("summary" in path for path in server.asked) > answers
            self.send_response(403 if is_refused else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = MaterialsProjectServer(f"http://127.0.0.1:{http.server_address[1]}/")
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
