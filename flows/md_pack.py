"""A pack of trajectories: one job that advances them together, and one document for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import Flow, Job, OutputReference

from ..database.documents import CandidateDoc
from ..makers.md import MdMaker
from ..makers.md_pack import MdPackMaker
from ..runtime.maker import Maker


@dataclass
class PackedMdMaker(Maker):
    """Run trajectories of structures × temperatures × replicas as one unit of work, with one document for each.

    Parameters
    ----------
    name : str
        Name of the flow.
    md : MdMaker
        What each trajectory is, and when it ends; `md.protocol.engine` names the MD engine, which decides how many it
        advances at once.

    Examples
    --------
    >>> flow = PackedMdMaker().make(["the cell"], temperatures_k=[600, 800], n_replicas=2)
    >>> [job.name for job, _ in flow.iterflow()]
    ['MD pack', 'MD 600 K, replica 1', 'MD 600 K, replica 2', 'MD 800 K, replica 1', 'MD 800 K, replica 2']
    """

    name: str = "MD pack"
    md: MdMaker = field(default_factory=MdMaker)

    def make(
        self,
        candidates: Sequence[CandidateDoc | OutputReference],
        temperatures_k: Sequence[float],
        n_replicas: int = 1,
    ) -> Flow:
        """Build the flow.

        Parameters
        ----------
        candidates : sequence of CandidateDoc or OutputReference
            The materials, in the cells to simulate.
        temperatures_k : sequence of float
            Temperatures in K, for each of them.
        n_replicas : int
            Independent trajectories at each temperature.

        Returns
        -------
        Flow
            Its output is one `TrajectoryDoc` for each trajectory: candidate by candidate, temperature by temperature,
            replica by replica.
        """
        cells = [(candidate, temperature_k) for candidate in candidates for temperature_k in temperatures_k]
        production = trajectory_jobs(self.md, cells, n_replicas, packed=True)
        runs = [run for replicas in production.runs for run in replicas]
        return Flow([*production.ahead, *runs], output=[run.output for run in runs], name=self.name)


@dataclass(frozen=True)
class TrajectoryJobs:
    """Jobs of production runs.

    Attributes
    ----------
    ahead : list of Job
        What must end before them: the pack, if there is one.
    runs : list of list of Job
        One for each replica of each cell; their outputs are `TrajectoryDoc`.
    """

    ahead: list[Job]
    runs: list[list[Job]]


def trajectory_jobs(
    md: MdMaker, cells: Sequence[tuple[CandidateDoc | OutputReference, float]], n_replicas: int, *, packed: bool
) -> TrajectoryJobs:
    """Make the jobs of trajectories, each on its own or behind one job that advances them all.

    Parameters
    ----------
    md : MdMaker
        What each trajectory is.
    cells : sequence of tuple
        Materials in the cells to simulate, or references to them, with temperatures in K.
    n_replicas : int
        Independent trajectories of each.
    packed : bool
        Whether one job advances them all.

    Returns
    -------
    TrajectoryJobs
        The jobs, named after their trajectories.
    """
    replicas = range(n_replicas)
    if not packed:
        return TrajectoryJobs([], [[_run(md, *cell, replica, n_replicas) for replica in replicas] for cell in cells])
    wanted = [(candidate, temperature_k, replica) for candidate, temperature_k in cells for replica in replicas]
    pack = MdPackMaker(md=md).make(*(list(column) for column in zip(*wanted, strict=True)))
    places = iter(range(len(wanted)))
    runs = [[_run(md, *cell, replica, n_replicas, pack.output[next(places)]) for replica in replicas] for cell in cells]
    return TrajectoryJobs([pack], runs)


def _run(
    md: MdMaker,
    candidate: CandidateDoc | OutputReference,
    temperature_k: float,
    replica: int,
    n_replicas: int,
    continues: OutputReference | None = None,
) -> Job:
    run = md.make(candidate, temperature_k, replica, continues)
    suffix = f", replica {replica + 1}" if n_replicas > 1 else ""
    run.name = f"{md.name} {temperature_k:g} K{suffix}"
    return run
