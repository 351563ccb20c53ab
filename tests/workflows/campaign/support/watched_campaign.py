"""A campaign of two candidates on a cluster: its commands are processes of their own, and somebody reads its status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import quick_command
from cluster_campaign import findings, segment_stamps, wait_for
from lattice_campaign import open_campaigns
from status_watch import StatusWatch
from superion.database.project import find_project
from superion.workflows.campaign.status import StatusReader
from support.pilots import kill_pilots

N_CANDIDATES = 2
SECONDS_PER_STEP = "0.03"

LONGEST_S = 600.0
"""Who is killed in the very moment of a change on the launchpad leaves a lock, which counts as left after minutes.

On a busy machine all else takes long, too."""


class WatchedCampaign:
    """The campaign of a folder's `campaign.yaml`, begun by `superion campaign run` and ended by `resume`.

    Its dynamics is slow until told otherwise, so that a fault finds it at work.

    Parameters
    ----------
    folder : Path
        Where its file is; the file `slow` and what the commands print go there, too.
    store : str
        Address of the store.
    undisturbed : dict
        What the campaign finds where nothing goes wrong.
    seconds_per_step : str
        How much longer a step of the dynamics takes.
    """

    def __init__(
        self, folder: Path, store: str, undisturbed: dict, *, seconds_per_step: str = SECONDS_PER_STEP
    ) -> None:
        self.folder, self.store, self.undisturbed = folder, store, undisturbed
        self.commands: list[subprocess.Popen[bytes]] = []
        (folder / "slow").write_text(seconds_per_step)
        self.watch = StatusWatch(folder, store)
        self.start("run", "campaign.yaml")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `superion campaign` with these words; what it prints goes to a log of its own."""
        log = (self.folder / f"command{len(self.commands)}.log").open("wb")
        command = [sys.executable, quick_command.__file__, "campaign", *words, "--store", self.store]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env=environment)
        self.commands.append(process)
        return process

    def words(self) -> str:
        """What the commands have printed so far."""
        return "\n".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("command*.log")))

    def wait_for_segments(self) -> dict[Path, int]:
        """Wait until each candidate's dynamics has one whole segment, give all of them."""
        found, _ = wait_for(
            lambda: (segment_stamps(self.folder), self.words()),
            "whole segments",
            until=lambda found: len({path.parent for path in found[0]}) == N_CANDIDATES,
        )
        return found

    def wait_for_words(self, wanted: str, timeout_s: float = LONGEST_S) -> None:
        """Wait until a command has printed something."""
        wait_for(self.words, wanted, timeout_s, until=lambda words: wanted in words)

    def speed_up(self) -> None:
        """Let the dynamics run at full speed."""
        (self.folder / "slow").unlink(missing_ok=True)

    def lose_coordinator(self) -> None:
        """Kill the command that sees the campaign through, as when a login node throws its user out."""
        self.commands[-1].kill()
        self.commands[-1].wait()

    def resume(self, before: dict[Path, int], timeout_s: float = LONGEST_S, **known: Any) -> None:
        """Run `superion campaign resume` to its end; see that nothing is missing or twice, and no status lied.

        Parameters
        ----------
        before : dict
            Whole segments from before the fault, which must be left as they are.
        timeout_s : float
            How long it may take, in s.
        **known
            What the status may have told of beside work: see `StatusWatch.must_have_told_the_truth`.
        """
        self.lose_coordinator()
        try:
            status = self.start("resume", "lattice").wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not over after {timeout_s:g} s\n{self.words()}\n{self.watch.seen[-1]}") from None
        self.watch.end()
        assert status == 0, self.words()
        self.watch.must_have_told_the_truth(N_CANDIDATES, **known)
        after = segment_stamps(self.folder)
        assert before.items() <= after.items()
        # Interrupted or not, the same trajectories.
        found = findings(self.folder, self.store)
        assert found == self.undisturbed, found
        with open_campaigns(self.folder, self.store) as collections:
            reader = StatusReader("lattice", collections, find_project(self.folder))
            last = reader.read()
            reader.close()
            assert (last.state, last.counts) == ("finished", {"done": N_CANDIDATES})
            keys = [row.stages["probe"].stage_keys[0] for row in collections.iter_rows("lattice")]
            documents = collections.jobs.count({"output.stage_key": {"$in": keys}, "output.state": "completed"})
        assert documents == N_CANDIDATES

    def leave(self) -> None:
        """End what is left, whatever became of the test: it would hand allocations to the next one's queue."""
        for command in self.commands:
            command.kill()
            command.wait()
        kill_pilots(self.folder)
        self.watch.end()
