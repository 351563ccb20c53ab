"""The command `superion`, whose coordinator looks at its engine every second: nobody waits for nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from superion.workflows.campaign.coordinate import coordinate_campaign

POLL_S = 1.0


@contextmanager
def quick_coordinator() -> Iterator[None]:
    """Shorten the pause between two looks, in this process."""
    defaults = coordinate_campaign.__kwdefaults__
    before = defaults["poll_s"]
    defaults["poll_s"] = POLL_S
    try:
        yield
    finally:
        defaults["poll_s"] = before


if __name__ == "__main__":
    from superion.scripts.cli import main

    with quick_coordinator():
        sys.exit(main())
