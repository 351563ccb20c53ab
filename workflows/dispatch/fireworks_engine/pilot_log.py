"""What pilots and their workers write into their logs: superion's own words, not every step of FireWorks."""

from __future__ import annotations

import logging


def log_to_stderr() -> None:
    """Write superion's messages to standard error, with the time; what others print themselves stays."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    # Started with -m, a module is no child of the package by its name.
    for name in ("superion", "__main__"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
