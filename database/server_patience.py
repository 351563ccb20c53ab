"""Waiting for a MongoDB server that is away for a while: it restarts, its network fails, another member takes over."""

from __future__ import annotations

import logging
import math
import os
import random
import time
from collections.abc import Callable
from typing import TypeVar

from pymongo.errors import BulkWriteError, ConnectionFailure, CursorNotFound

from ..errors import SettingsError, StoreAwayError

PATIENCE_VARIABLE = "SUPERION_STORE_PATIENCE_S"
"""Environment variable with the time in s for which writes wait for a server that does not answer."""

CONNECT_PATIENCE_VARIABLE = "SUPERION_STORE_CONNECT_PATIENCE_S"
"""Environment variable with the time in s for which a worker waits for a server that is away when a job begins."""

DEFAULT_PATIENCE_S = 3600.0
READ_PATIENCE_S = 60.0
"""Reads wait at most this long: nothing is lost with them, and somebody may be looking at the screen."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
_MOST_LOST_RACES = 10
_DUPLICATE_KEY = 11000

Result = TypeVar("Result")

logger = logging.getLogger("superion.store")
_away: set[str] = set()
"""Servers that this process has told to be away: one line for each time, however many collections wait."""


def write_patience_s() -> float:
    """Read how long writes wait for a server.

    Returns
    -------
    float
        SUPERION_STORE_PATIENCE_S, or 3600 s.

    Raises
    ------
    SettingsError
        If it is no number of seconds.
    """
    return _seconds_in(PATIENCE_VARIABLE, DEFAULT_PATIENCE_S)


def connect_patience_s() -> float:
    """Read how long to wait for a server when connecting.

    Returns
    -------
    float
        SUPERION_STORE_CONNECT_PATIENCE_S, which pilots on clusters set; else 0: somebody sits before the screen.

    Raises
    ------
    SettingsError
        If it is no number of seconds.
    """
    return _seconds_in(CONNECT_PATIENCE_VARIABLE, 0.0)


def _seconds_in(variable: str, default: float) -> float:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number) or number < 0:
        raise SettingsError(f"{variable}={text!r} is no number of seconds: correct it, or unset it.")
    return number


def read_patience_s() -> float:
    """Give how long reads wait for a server.

    Returns
    -------
    float
        60 s, or what writes wait where that is less.
    """
    return min(READ_PATIENCE_S, write_patience_s())


def is_outage(error: BaseException) -> bool:
    """Tell whether an error says that the server is away, so that the same request may succeed later.

    Parameters
    ----------
    error : BaseException
        What the driver raised.

    Returns
    -------
    bool
        False where the server answered and refused.

    Examples
    --------
    >>> from pymongo.errors import NetworkTimeout, OperationFailure
    >>> is_outage(NetworkTimeout("timed out")), is_outage(OperationFailure("not authorized"))
    (True, False)
    """
    if isinstance(error, CursorNotFound):
        # The server began anew in between, and knows nothing of what it was asked before; only reads have cursors.
        return True
    if isinstance(error, BulkWriteError):
        # Written, but the server shut down before enough members had it.
        return bool(error.details.get("writeConcernErrors")) and not error.details.get("writeErrors")
    return isinstance(error, ConnectionFailure)


def patiently(
    action: Callable[[], Result],
    server: str,
    patience_s: float,
    *,
    on_outage: Callable[[], str] | None = None,
) -> Result:
    """Repeat a request until the server answers, with pauses that double and are spread at random.

    Parameters
    ----------
    action : callable
        The request; doing it twice must be the same as once.
    server : str
        Where, without credentials.
    patience_s : float
        How long to go on, in s.
    on_outage : callable, optional
        Called before the first repetition; gives a few words on what was done to keep what is to be written.

    Returns
    -------
    object
        What the action returns.

    Raises
    ------
    StoreAwayError
        If the server stays away.
    """
    pause_s = FIRST_PAUSE_S
    deadline: float | None = None
    lost_races = 0
    kept = ""
    while True:
        try:
            result = action()
        except Exception as error:
            if _is_lost_race(error) and lost_races < _MOST_LOST_RACES:
                lost_races += 1
                continue
            if not is_outage(error):
                raise
            now = time.monotonic()
            is_first = deadline is None
            if deadline is None:
                deadline = now + patience_s
                kept = on_outage() if on_outage is not None else ""
            gives_up = now + pause_s > deadline
            # The first failure may be a connection that a restart of the server closed: the next try opens another.
            if not is_first or gives_up:
                _tell_once(server, error, kept, patience_s)
            if gives_up:
                raise StoreAwayError(
                    f"The MongoDB server of {server} did not answer for {patience_s:g} s ({type(error).__name__}): "
                    f"see that it runs and that this host reaches it{f'; {kept}' if kept else ''}."
                ) from None
        else:
            # An outage that an earlier request met, and did not see the end of, is over as well.
            _away.discard(server)
            if deadline is not None:
                logger.info("the MongoDB server of %s answers again", server)
            return result
        time.sleep(pause_s * random.uniform(0.5, 1.0))
        pause_s = min(2.0 * pause_s, LONGEST_PAUSE_S)


def _tell_once(server: str, error: BaseException, kept: str, patience_s: float) -> None:
    """Say in one line that the server is away."""
    if server in _away:
        return
    _away.add(server)
    logger.warning(
        "the MongoDB server of %s does not answer (%s): trying again for up to %g s%s",
        server,
        type(error).__name__,
        patience_s,
        f"; {kept}" if kept else "",
    )


def _is_lost_race(error: BaseException) -> bool:
    """Tell whether another process inserted the same document in between: it is there now, and is replaced."""
    if not isinstance(error, BulkWriteError):
        return False
    codes = {entry.get("code") for entry in error.details.get("writeErrors") or ()}
    return codes == {_DUPLICATE_KEY}
