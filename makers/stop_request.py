"""Remember that this process was told to stop, so that no further molecular dynamics starts in it.

A signal ends a trajectory cleanly as partial, and its job then replaces itself by its continuation. A launcher
that runs everything in one process, such as `jobflow.run_locally`, would start that continuation at once and so
make the process deaf to the signal; the continuation belongs to the next process.
"""

from __future__ import annotations

_stop_was_requested = False


def remember_stop_request() -> None:
    """Note that a signal asked this process to stop."""
    global _stop_was_requested
    _stop_was_requested = True


def stop_was_requested() -> bool:
    """Say whether a signal asked this process to stop.

    Returns
    -------
    bool
        True from the first such signal on.
    """
    return _stop_was_requested


def leave_if_stop_was_requested() -> None:
    """End this process before it starts more work than the signal allows.

    Raises
    ------
    KeyboardInterrupt
        If a signal asked this process to stop; what Ctrl-C would have raised.
    """
    if _stop_was_requested:
        raise KeyboardInterrupt("a signal stopped this run: start it again and it continues from its checkpoints")
