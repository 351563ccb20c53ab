"""From lengths in ps to whole numbers of steps."""

from __future__ import annotations

from dataclasses import dataclass

from ase import Atoms

from ..errors import ProtocolError
from .protocol import MdProtocol, RunLimits
from .time_step import default_time_step_fs


def resolve_time_step_fs(atoms: Atoms, protocol: MdProtocol) -> float:
    """Time step in fs: the protocol's, or the one that the lightest element allows.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    protocol : MdProtocol
        The settings of the run.

    Returns
    -------
    float
        Time step in fs.
    """
    if protocol.time_step_fs is not None:
        return float(protocol.time_step_fs)
    return default_time_step_fs(atoms.get_chemical_symbols())


def frame_interval_steps(protocol: MdProtocol, time_step_fs: float) -> int:
    """Count the steps between stored frames: the whole number nearest to the interval asked for, at least one.

    Parameters
    ----------
    protocol : MdProtocol
        The settings of the run.
    time_step_fs : float
        Time step in fs.

    Returns
    -------
    int
        Number of steps.
    """
    return max(1, round(protocol.frame_interval_fs / time_step_fs))


@dataclass(frozen=True)
class StepPlan:
    """A run in whole steps, counted from the start of the trajectory.

    Attributes
    ----------
    time_step_fs : float
        Time step in fs.
    frame_steps : int
        Steps between stored frames.
    segment_steps : int
        Steps of one segment, a multiple of `frame_steps`.
    total_steps : int
        Steps of the whole trajectory, a multiple of `frame_steps`.
    minimum_steps : int
        Steps before which no stop rule ends the run.
    """

    time_step_fs: float
    frame_steps: int
    segment_steps: int
    total_steps: int
    minimum_steps: int

    def picoseconds(self, steps: int) -> float:
        """Length of a number of steps in ps."""
        return steps * self.time_step_fs / 1000.0

    def next_boundary(self, step: int) -> int:
        """Step at which the segment that starts at `step` closes: a multiple of `segment_steps`, or the end."""
        return min((step // self.segment_steps + 1) * self.segment_steps, self.total_steps)

    def is_boundary(self, step: int) -> bool:
        """Whether stop rules are asked at this step: at the end of a whole segment and of the trajectory."""
        return step > 0 and (step % self.segment_steps == 0 or step >= self.total_steps)


def plan_steps(atoms: Atoms, protocol: MdProtocol, limits: RunLimits) -> StepPlan:
    """Turn protocol and limits into whole numbers of steps.

    Segments begin and end at multiples of one segment, wherever a run was interrupted, and a length that is
    no whole number of frames is rounded up to the next frame.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.
    protocol : MdProtocol
        The settings of the run.
    limits : RunLimits
        Its lengths.

    Returns
    -------
    StepPlan
        The run in steps.

    Raises
    ------
    ProtocolError
        If the length is less than one step.

    Examples
    --------
    >>> from ase.build import bulk
    >>> plan = plan_steps(bulk("Cu"), MdProtocol(temperature_k=300), RunLimits(duration_ps=1))
    >>> plan.time_step_fs, plan.frame_steps, plan.total_steps
    (2.0, 10, 500)
    """
    time_step_fs = resolve_time_step_fs(atoms, protocol)
    frame_steps = frame_interval_steps(protocol, time_step_fs)
    wanted = round(1000.0 * limits.duration_ps / time_step_fs)
    if wanted < 1:
        raise ProtocolError(
            f"A run of {limits.duration_ps:g} ps has zero steps of {time_step_fs:g} fs: "
            "ask for a longer duration_ps or a shorter time_step_fs."
        )
    segment_frames = max(1, round(1000.0 * limits.segment_ps / (time_step_fs * frame_steps)))
    return StepPlan(
        time_step_fs=time_step_fs,
        frame_steps=frame_steps,
        segment_steps=segment_frames * frame_steps,
        total_steps=-(-wanted // frame_steps) * frame_steps,
        minimum_steps=round(1000.0 * limits.minimum_ps / time_step_fs),
    )
