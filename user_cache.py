"""Where superion keeps what can be made again at any time, such as parsed structures and converted models."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "SUPERION_CACHE"
"""Environment variable: the folder of the cache, or `off`."""


def cache_folder() -> Path | None:
    """Say where the cache is.

    Returns
    -------
    Path or None
        SUPERION_CACHE, or else `superion` in the user's cache folder; None where it is switched off.
    """
    given = os.environ.get(VARIABLE, "")
    if given.lower() in ("off", "none", "0"):
        return None
    if given:
        return Path(given).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "superion"
