"""Many trajectories in one job, advanced together where the MD engine can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from jobflow import Response

from ..database.documents import CandidateDoc
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification
from ..runtime.continuation import CheckpointPlace
from ..runtime.maker import Maker
from ..runtime.timed_job import job
from ..runtime.trajectory_job import run_trajectories
from .md import MdMaker


@dataclass
class MdPackMaker(Maker):
    """Advance a pack of trajectories (structures × temperatures × replicas) in one job.

    Each trajectory is the one that a job of `md` would run by itself, with the same key, stop rules and checkpoints;
    the MD engine, `md.protocol.engine`, decides how many it advances at once. The output is where each lies. A job of
    `md` that `continues` there finds it ended and makes its document at once; where the pack could not run it, that
    job says why. `superion.flows.md_pack.PackedMdMaker` chains the two.

    A job stopped by a signal or by its wall time replaces itself with its continuation.

    Parameters
    ----------
    name : str
        Name of the job.
    md : MdMaker
        What each trajectory is, and when it ends.
    """

    resource_kind: ClassVar[str] = "md"

    name: str = "MD pack"
    md: MdMaker = field(default_factory=MdMaker)

    @job
    def make(
        self,
        candidates: Sequence[CandidateDoc],
        temperatures_k: Sequence[float],
        replicas: Sequence[int],
        continues: Sequence[CheckpointPlace | None] = (),
    ) -> list[CheckpointPlace | None] | Response:
        """Run a pack; the three sequences say, entry by entry, what each trajectory is.

        Parameters
        ----------
        candidates : sequence of CandidateDoc
            The materials, in the cells to simulate.
        temperatures_k : sequence of float
            Temperatures in K.
        replicas : sequence of int
            Indices of the independent runs.
        continues : sequence of CheckpointPlace or None
            Checkpoints of the job that this one replaces; empty for a job that may be the first.

        Returns
        -------
        list of CheckpointPlace or None, or Response
            Where each trajectory lies, None for one that was refused; with the continuation that replaces this job
            where it was interrupted.
        """
        potential = load_potential(self.md.potential or PotentialSpecification())
        wanted = [
            self.md.trajectory(candidate, temperature_k, replica)
            for candidate, temperature_k, replica in zip(candidates, temperatures_k, replicas, strict=True)
        ]
        ended = run_trajectories(wanted, potential, self.md.limits, self.md.checkpoint_root, continues=continues)
        places = [None if member.result is None else CheckpointPlace.of(member.result) for member in ended]
        is_interrupted = any(
            member.error is None and (member.result is None or member.result.state == "partial") for member in ended
        )
        if is_interrupted:
            continuation = self.make(list(candidates), list(temperatures_k), list(replicas), places)
            return Response(output=places, replace=continuation)
        return places
