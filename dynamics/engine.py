"""Run molecular dynamics to its end, in steps that can be killed at any instant: one trajectory, or a set of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from ..errors import ProtocolError
from ..potentials.potential import Potential
from .engines.registry import md_engine_class
from .member import Member, TrajectoryRequest
from .protocol import MdProtocol, RunLimits
from .results import MdProgress, MdResult
from .stop_request import StopRequest
from .trajectory_set import TrajectorySet
from .verdicts import StopRule


@dataclass(frozen=True)
class SetMemberResult:
    """What became of one trajectory of a set.

    Attributes
    ----------
    key : str
        Identity of the trajectory; also its folder's name.
    result : MdResult or None
        How it ended; None where it was refused, and where the run was stopped before its turn came.
    error : Exception or None
        Why it was refused: what `run_md` would have raised.
    """

    key: str
    result: MdResult | None
    error: Exception | None


def run_md(
    atoms: Atoms,
    potential: Potential,
    protocol: MdProtocol,
    limits: RunLimits,
    checkpoint_root: str | Path,
    *,
    stop_rules: Sequence[StopRule] = (),
    health_checks: Sequence[StopRule] = (),
    on_progress: Callable[[MdProgress], None] | None = None,
) -> MdResult:
    """Run a trajectory, or continue the one that is there, until a rule or a limit ends it.

    The trajectory lives in ``<checkpoint_root>/<key>``, where `trajectory_key` gives the key. Each segment is one
    closed H5MD file that holds its frames and, in float64, the state at its end. At each segment's start all is
    rebuilt from that state, neighbour lists included, whether this process wrote it or one that was killed since:
    so on one CPU thread the trajectory does not depend, to the last bit, on how often it was interrupted.

    A stop by signal or wall time closes the open segment at the next step, also between two regular checkpoints.
    That is exact for a potential whose forces depend on the positions alone. Where a neighbour list with a skin
    makes them depend on earlier steps in the last bits, which is measured at the stop, the result carries a flag.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure to start from; left as it is. Momenta, where given, start the run, less the motion of the whole;
        else they are drawn.
    potential : Potential
        The potential.
    protocol : MdProtocol
        What the trajectory is: temperature, ensemble, time step, seed, the engine that integrates, …
    limits : RunLimits
        How long it goes on, and how it is written.
    checkpoint_root : str or Path
        Folder of all trajectories; made if missing.
    stop_rules : sequence of callables, optional
        Each is given the `Trajectory` after every segment and returns a `StopVerdict`; a reason ends the run as
        completed. A rule must depend on the trajectory alone.
    health_checks : sequence of callables, optional
        Likewise, but a reason ends the run as failed. NaN and exploding forces, runaway temperature and collapse
        of the volume are watched without asking.
    on_progress : callable, optional
        Given an `MdProgress` about once a second.

    Returns
    -------
    MdResult
        State, reason and files. A request that is satisfied already returns at once.

    Raises
    ------
    ProtocolError
        If the settings make no sense for this structure, potential or engine, or there is no such engine.
    PotentialError
        If the potential does not know an element, or fails on the structure that the run starts from.
    CheckpointError
        If the folder holds the trajectory of another structure, potential or protocol.
    LockedTrajectoryError
        If another living process writes this trajectory.
    TrajectoryError
        If a file of the trajectory is damaged, or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from ase.build import bulk
    >>> from superion.dynamics.engine import run_md
    >>> from superion.dynamics.protocol import MdProtocol, RunLimits
    >>> from superion.potentials.registry import load_potential
    >>> from superion.potentials.specification import PotentialSpecification
    >>> emt = load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = run_md(
    ...         bulk("Cu", cubic=True), emt, MdProtocol(temperature_k=300), RunLimits(duration_ps=0.1), folder
    ...     )
    >>> result.state, result.stop_reason, result.n_frames
    ('completed', 'max_length', 6)
    """
    request = TrajectoryRequest(atoms, protocol, checkpoint_root, stop_rules, health_checks, on_progress)
    (ended,) = run_md_set([request], potential, limits)
    if ended.error is not None:
        raise ended.error
    assert ended.result is not None
    return ended.result


def run_md_set(requests: Sequence[TrajectoryRequest], potential: Potential, limits: RunLimits) -> list[SetMemberResult]:
    """Run a set of trajectories, or continue those that are there, until rules or limits have ended each.

    Every trajectory is what `run_md` makes of the same request, with its own folder, lock, checkpoints, progress, stop
    rules and health checks; what ends, fails or is refused in one leaves the others as they are. Their engine decides
    how many it advances together: the others wait, and enter as members leave. With ASE, they run one after the other.

    A stop by signal or wall time closes the open segments of all, and those that wait do not begin.

    Parameters
    ----------
    requests : sequence of TrajectoryRequest
        The trajectories; all of one engine.
    potential : Potential
        The potential of all of them.
    limits : RunLimits
        How long each goes on, and how it is written; `max_runtime_s` is the wall time of the whole set.

    Returns
    -------
    list of SetMemberResult
        In the order of the requests.

    Raises
    ------
    ProtocolError
        If the set is empty, names a trajectory twice or engines of two kinds, if settings make no sense for a structure
        or the engine, or there is no such engine.
    PotentialError
        If the engine cannot use the potential.

    Examples
    --------
    >>> import tempfile
    >>> from ase.build import bulk
    >>> from superion.potentials.registry import load_potential
    >>> from superion.potentials.specification import PotentialSpecification
    >>> emt = load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     requests = [
    ...         TrajectoryRequest(bulk("Cu", cubic=True), MdProtocol(temperature_k=300, replica=replica), folder)
    ...         for replica in (0, 1)
    ...     ]
    ...     ended = run_md_set(requests, emt, RunLimits(duration_ps=0.04))
    >>> [member.result.n_frames for member in ended]
    [3, 3]
    """
    with StopRequest(limits.max_runtime_s) as stop:
        names = {request.protocol.engine for request in requests}
        if len(names) != 1:
            named = ", ".join(sorted(names)) or "none"
            raise ProtocolError(f"A set of trajectories needs one MD engine, and these name {named}: split the set.")
        engine = md_engine_class(names.pop())(potential)
        members = [Member(request, potential, limits) for request in requests]
        _refuse_duplicates(members)
        for request in requests:
            engine.check(request.atoms, request.protocol)
        TrajectorySet(engine, members, stop).run()
        return [SetMemberResult(member.key, member.result, member.error) for member in members]


def _refuse_duplicates(members: Sequence[Member]) -> None:
    seen: dict[str, int] = {}
    for place, member in enumerate(members):
        if member.key in seen:
            raise ProtocolError(
                f"Trajectories {seen[member.key] + 1} and {place + 1} of the set are one and the same (key "
                f"{member.key[:12]}…): change the replica or the seed of one, or leave it out."
            )
        seen[member.key] = place
