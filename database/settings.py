"""The one setting that `database` reads from the environment."""

from __future__ import annotations

import os

STORE_VARIABLE = "SUPERION_STORE"
"""Environment variable that names the result store: an address, or a file; see `open_job_store`."""


def store_from_environment() -> str | None:
    """Read where results go from the environment.

    Returns
    -------
    str or None
        The value of SUPERION_STORE; None where it is not set or empty.
    """
    return os.environ.get(STORE_VARIABLE) or None
