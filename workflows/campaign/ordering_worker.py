"""A process that orders crystals, portion after portion.

Started as `python -P -m superion.workflows.campaign.ordering_worker`. It says a word when it is ready, reads one
pickled portion after the other from its standard input, and answers each on its standard output. When the input ends,
because the process that started it is gone, it leaves at once.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import threading
from typing import Any, BinaryIO


def _listen(portions: BinaryIO, queued: queue.Queue[Any]) -> None:
    """Pass portions on, and notice the end while one is being ordered."""
    while True:
        try:
            queued.put(pickle.load(portions))
        except (EOFError, pickle.UnpicklingError):
            os._exit(0)


def main() -> None:
    """Order what comes until the input ends."""
    from .order_in_parallel import order_some

    # Ctrl-C reaches the whole terminal group: who started this process ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    # What libraries print must not get between the answers.
    os.dup2(2, 1)
    queued: queue.Queue[Any] = queue.Queue()
    portions = os.fdopen(os.dup(0), "rb")
    threading.Thread(target=_listen, args=(portions, queued), daemon=True).start()
    pickle.dump("ready", answers)
    answers.flush()
    while True:
        crystals, settings = queued.get()
        pickle.dump(order_some(crystals, settings), answers)
        answers.flush()


if __name__ == "__main__":
    main()
