"""Pilots of FireWorks that run without a queue, and how tests end them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil


def kill_pilots(folder: Path) -> None:
    """End the pilots of a folder and their workers.

    Without a queue nobody else ends them, and they would wait for a server that is gone for good.
    """
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(word.startswith(f"{folder}/") for word in words) and any(".pilot" in word for word in words):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
