"""What the status says of a campaign while it runs, read again and again as by somebody who watches it."""

from __future__ import annotations

import threading
from pathlib import Path

from lattice_campaign import open_campaigns
from pymongo.errors import PyMongoError
from superion.database.project import find_project
from superion.errors import SuperionError
from superion.workflows.campaign.status import CampaignStatus, StatusReader

EVERY_S = 1.0


class StatusWatch:
    """A thread that reads the status of the campaign `lattice` until it is told to end."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder, self.store = folder, store
        self.seen: list[CampaignStatus] = []
        self.refusals: list[str] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        with open_campaigns(self.folder, self.store) as collections:
            reader = StatusReader("lattice", collections, find_project(self.folder))
            while not self._end.wait(EVERY_S):
                try:
                    self.seen.append(reader.read())
                except (SuperionError, PyMongoError) as error:
                    self.refusals.append(str(error))
            reader.close()

    def end(self) -> None:
        """Look no more."""
        self._end.set()
        self._thread.join(120)
        assert not self._thread.is_alive()

    def must_have_told_the_truth(self, n_candidates: int, *, server_was_away: bool = False) -> None:
        """No candidate was ever missing, called failed, or called done before it was; nobody seemed idle."""
        seen = [status for status in self.seen if status.n_candidates]
        states = [status.state for status in seen]
        assert "running" in states
        n_done = 0
        # Submitted and not yet begun.
        for status in seen[states.index("running") :]:
            assert sum(status.counts.values()) == status.n_candidates == n_candidates, status
            assert status.failed == []
            # What is done stays done.
            assert status.counts.get("done", 0) >= n_done, status
            n_done = status.counts.get("done", 0)
            # The coordinator may still be putting its things away.
            assert status.state in ({"finished", "running"} if n_done == n_candidates else {"running"}), status
            assert status.engine is not None
            if not server_was_away:
                assert status.engine.problem is None, status
            # A unit in somebody's hands is not called waiting.
            at_work = {(job.stage, job.label) for job in status.engine.running}
            running = {stage.stage: stage.running for stage in status.stages}
            for name in {stage for stage, _ in at_work}:
                assert running[name] == len({label for stage, label in at_work if stage == name}), status
