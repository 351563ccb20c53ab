"""What the status says of a campaign while it runs, read again and again as by somebody who watches it."""

from __future__ import annotations

import threading
from pathlib import Path

from lattice_campaign import open_campaigns
from pymongo.errors import PyMongoError
from superion.database.project import find_project
from superion.errors import SuperionError
from superion.workflows.campaign.engine_status import EngineStatus
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
        self._thread.join(400)
        assert not self._thread.is_alive()

    def standstills(self) -> set[str]:
        """Why no runner worked, as told since the campaign began."""
        engines = [status.engine for status in self.seen if status.engine]
        return {engine.standstill for engine in engines if engine.standstill and engine.engine != "fireworks"}

    def must_have_told_the_truth(
        self, n_candidates: int, *, server_was_away: bool = False, failure: str | None = None, standstill: str = ""
    ) -> None:
        """No candidate was ever missing, nor called failed or done before it was, nor those at work idle.

        Parameters
        ----------
        n_candidates : int
            How many there are.
        server_was_away : bool
            Whether the engine's database could not always be asked.
        failure : str or None
            Word of the reason for which candidates do fail; None where none may seem to.
        standstill : str
            Word of the reason for which nobody may have worked for a while; empty where somebody always did.
        """
        seen = [status for status in self.seen if status.n_candidates]
        states = [status.state for status in seen]
        assert "running" in states
        n_done = 0
        # Submitted and not yet begun.
        for status in seen[states.index("running") :]:
            assert sum(status.counts.values()) == status.n_candidates == n_candidates, status
            assert all(failure is not None and failure in failed.reason for failed in status.failed), status
            # What is done stays done.
            assert status.counts.get("done", 0) >= n_done, status
            n_done = status.counts.get("done", 0)
            assert status.engine is not None
            if not server_was_away:
                assert status.engine.problem is None, status
            assert status.state in _true_states(status, status.engine, n_over=n_done + len(status.failed)), status
            # FireWorks' pilots are the coordinator's to hand in: only without it may nobody be there or come.
            if status.engine.engine == "fireworks" and status.engine.standstill:
                assert "no pilot is in the queue" in status.engine.standstill, status
                assert (status.engine.coordinator, status.state) == ("absent", "idle"), status
                assert not status.engine.running, status
            # A unit in somebody's hands is not called waiting.
            at_work = {(job.stage, job.label) for job in status.engine.running}
            running = {stage.stage: stage.running for stage in status.stages}
            for name in {stage for stage, _ in at_work}:
                assert running[name] == len({label for stage, label in at_work if stage == name}), status
        assert all(standstill and standstill in told for told in self.standstills()), self.standstills()


def _true_states(status: CampaignStatus, engine: EngineStatus, *, n_over: int) -> set[str]:
    """Give what the campaign may be called."""
    if engine.coordinator == "alive":
        return {"running"}
    if n_over == status.n_candidates:
        return {"finished"}
    # Without coordinator and queue, nobody does what is left; and who cannot ask the queue knows of no worker.
    is_coming = engine.units.get("queued") and not engine.standstill
    return {"running"} if engine.units.get("running") or is_coming else {"idle"}
