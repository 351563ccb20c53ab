"""Which worker takes the jobs that a job made while it ran: its own says so, before the runner sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monty.json import MontyDecoder

from ....files import write_text_atomically
from ....runtime.resource_kind import resource_kind_of

WORKERS = "superion_workers"
"""Entry of a job's manager configuration: by kind of job, the worker and what to ask of its queue."""


def send_to_workers(output: Path) -> None:
    """Send the jobs that a job made to the workers of their kinds, where its output file lists any.

    Parameters
    ----------
    output : Path
        The output file, as jobflow-remote wrote it; it is written anew.
    """
    content = json.loads(output.read_text(encoding="utf-8"))
    response = content.get("response") or {}
    made = [job for name in ("replace", "detour", "addition") for job in _jobs_within(response.get(name))]
    for job in made:
        config = job["config"]["manager_config"]
        if workers := config.get(WORKERS):
            # Without a worker for its kind, registered after this was submitted, it goes where its maker went.
            config |= workers.get(resource_kind_of(MontyDecoder().process_decoded(job)), {})
    if made:
        write_text_atomically(output, json.dumps(content))


def _jobs_within(flow: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Give the jobs of a flow, and of flows in it, as plain data."""
    if flow is None:
        return
    if "jobs" not in flow:
        yield flow
        return
    for part in flow["jobs"]:
        yield from _jobs_within(part)
