"""Writes to a MongoDB server that survive its absence: kept on the disk first, then repeated until they are done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson.errors import BSONError

from .server_patience import patiently, write_patience_s
from .spool import SpooledWrite, SpoolFile, keep, spool_folders


@dataclass(frozen=True)
class PendingWrite:
    """One write.

    Parameters
    ----------
    attempt : callable
        Does it; twice is the same as once.
    server : str
        Address of the server, without credentials and options.
    spooled : callable or None
        Gives what is kept on the disk while the server is away; None for what can be derived anew.
    """

    attempt: Callable[[], None]
    server: str
    spooled: Callable[[], SpooledWrite] | None


def write_through(writes: Sequence[PendingWrite]) -> None:
    """Do writes that belong together, one after the other.

    When the server does not answer, all that are not done are put on the disk before the first repetition. They leave
    it as they are done; where this process loses patience or dies, the next one that connects finds them.

    Parameters
    ----------
    writes : sequence of PendingWrite
        The writes.

    Raises
    ------
    StoreError
        If the server stays away longer than SUPERION_STORE_PATIENCE_S.
    """
    files: dict[int, SpoolFile] = {}
    n_done = 0

    def keep_the_rest() -> str:
        """Put on the disk what is not done; a full disk is no reason to stop trying."""
        to_keep = {
            number: spooled for number in range(n_done, len(writes)) if (spooled := writes[number].spooled) is not None
        }
        if not to_keep:
            return ""
        why_not = "" if files else _keep_together(to_keep, files)
        return _words(files, why_not)

    try:
        for number, write in enumerate(writes):
            patiently(write.attempt, write.server, write_patience_s(), on_outage=keep_the_rest)
            n_done = number + 1
            if number in files:
                files.pop(number).remove()
    finally:
        for file in files.values():
            file.release()


def _keep_together(to_keep: Mapping[int, Callable[[], SpooledWrite]], files: dict[int, SpoolFile]) -> str:
    """Put writes on the disk, all in one folder or none: a document is worth nothing without its bulk data.

    Gives a few words on why it did not work in the first folder where it works in none.
    """
    problems: list[str] = []
    for folder in spool_folders():
        try:
            for number, spooled in to_keep.items():
                files[number] = keep(spooled(), folder)
            return ""
        except (OSError, BSONError, OverflowError) as error:
            words = error.strerror if isinstance(error, OSError) else None
            problems.append(f"{words or type(error).__name__} in {folder}")
            while files:
                files.popitem()[1].remove()
    return problems[0]


def _words(files: Mapping[int, SpoolFile], why_not: str) -> str:
    """Say in a few words where the results wait."""
    if why_not:
        return f"results could NOT be kept on the disk ({why_not}), and are lost if this process ends before it answers"
    folder: Path = next(iter(files.values())).path.parent
    return f"results wait in {folder} meanwhile, and `superion db flush` puts in what is left there"


def as_document(document: Any) -> dict[str, Any]:
    """Make of a document what a MongoDB collection keeps of it.

    Parameters
    ----------
    document : object
        A document.

    Returns
    -------
    dict
        Plain data, with times and object ids.
    """
    from monty.json import jsanitize

    clean: dict[str, Any] = jsanitize(document, allow_bson=True, recursive_msonable=True)
    return clean
