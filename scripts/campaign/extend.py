"""`superion campaign extend`: more candidates, longer dynamics, other rules for a campaign that is there."""

from __future__ import annotations

from ..console import write_json
from ..options import JsonOption, StoreOption
from .check import CampaignFileArgument
from .submit import WorkersOption, submit_file


def extend(
    file: CampaignFileArgument,
    workers: WorkersOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a submitted campaign up to date with its changed file, reusing all that is done.

    More sources add candidates; a longer duration continues trajectories where they end; a changed rule computes
    nothing. A campaign that was never submitted is refused, lest a mistyped name start everything anew.
    """
    found = submit_file(file, store=store, workers=workers, must_exist=True)
    if as_json:
        write_json(vars(found))
