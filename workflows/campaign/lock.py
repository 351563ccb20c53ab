"""One driver per campaign."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ...errors import StoreError
from ..dispatch.run_folder import RunFolder, is_locked, lock_run


@contextlib.contextmanager
def campaign_lock(folder: Path, campaign_id: str, *, wait_s: float) -> Iterator[int]:
    """Hold a campaign as its one driver; a dead driver's lock is free as soon as its workers are gone.

    Parameters
    ----------
    folder : Path
        Folder of the campaign; made where it is missing.
    campaign_id : str
        The campaign.
    wait_s : float
        How long to wait for the workers of a dead driver, in s.

    Yields
    ------
    int
        Open file that holds the lock; workers inherit it.

    Raises
    ------
    StoreError
        If a living driver holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = lock_run(RunFolder(folder), wait_s=wait_s)
    except StoreError:
        raise StoreError(
            f"The campaign {campaign_id} is being run by {_holder(folder)}: watch it with `superion campaign status "
            f"{campaign_id}`, or stop it with `superion campaign pause {campaign_id}`."
        ) from None
    try:
        yield lock
    finally:
        os.close(lock)


def is_being_driven(folder: Path) -> bool:
    """Say whether a driver or one of its workers lives.

    Parameters
    ----------
    folder : Path
        Folder of the campaign.

    Returns
    -------
    bool
        False where the campaign never ran here.
    """
    return is_locked(RunFolder(folder))


def _holder(folder: Path) -> str:
    """Name the process that wrote itself into the lock."""
    try:
        return f"process {int((folder / 'lock').read_text().split()[0])} on this machine"
    except (OSError, ValueError, IndexError):
        return "another process on this machine"
