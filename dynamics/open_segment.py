"""The open segment of a trajectory: frames in memory, and the file at its end."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from ase import Atoms, units

from .checkpoint import Checkpoint
from .description import TrajectoryDescription
from .durable import TEMPORARY_SUFFIX, reserve, write_durably
from .engines.engine import SegmentStart, Snapshot
from .plan import StepPlan
from .protocol import RunLimits
from .results import SegmentRecord
from .segment_file import SegmentFrames, SegmentHeader, encode_segment, estimated_size_bytes, segment_name


class OpenSegment:
    """Gathers the frames of one segment and writes them with the last safe state.

    Parameters
    ----------
    folder : Path
        The trajectory folder.
    index : int
        Number of closed segments before it.
    start : Checkpoint
        State that it begins with.
    template : ase.Atoms
        Elements, masses and periodicity.
    description : TrajectoryDescription
        Whose trajectory it is.
    plan : StepPlan
        The run in steps.
    limits : RunLimits
        How it is written.
    """

    def __init__(
        self,
        folder: Path,
        index: int,
        start: Checkpoint,
        template: Atoms,
        description: TrajectoryDescription,
        plan: StepPlan,
        limits: RunLimits,
    ) -> None:
        self.path = folder / segment_name(index)
        self.start_step = start.step
        self.end_step = plan.next_boundary(start.step)
        self.checkpoint = start
        # a run that ended within its first frame interval has left a segment at step 0
        self.lacks_first_frame = index == 0
        self._start = start
        self._template = template
        self._description = description
        self._plan = plan
        self._limits = limits
        self._capacity = (self.end_step - start.step) // plan.frame_steps + 2
        self._frames = SegmentFrames.with_capacity(
            self._capacity, len(template), with_velocities=limits.store_velocities
        )

    def engine_start(self) -> SegmentStart:
        """Give what an engine needs to begin it."""
        return SegmentStart(
            template=self._template,
            protocol=self._description.protocol,
            time_step_fs=self._plan.time_step_fs,
            degrees_of_freedom=self._description.degrees_of_freedom,
            checkpoint=self._start,
        )

    def reserve(self) -> None:
        """Take room on the disk for the whole segment.

        Raises
        ------
        DiskFullError
            If there is none.
        """
        size = estimated_size_bytes(self._capacity, len(self._template), with_velocities=self._limits.store_velocities)
        reserve(self.path, size)

    def discard_reservation(self) -> None:
        """Give back room that was reserved and not used."""
        self.path.with_name(self.path.name + TEMPORARY_SUFFIX).unlink(missing_ok=True)

    def record(self, step: int, snapshot: Snapshot) -> None:
        """Store a frame, and the state to which a failure before the next frame goes back."""
        velocities = snapshot.momenta / self._template.get_masses()[:, np.newaxis]
        kinetic_energy = float(0.5 * np.vdot(snapshot.momenta, velocities))
        observables = {
            "potential_energy": snapshot.potential_energy_ev,
            "kinetic_energy": kinetic_energy,
            "temperature": float(2.0 * kinetic_energy / (self._description.degrees_of_freedom * units.kB)),
            "volume": float(np.abs(np.linalg.det(snapshot.cell))),
        }
        if snapshot.conserved_energy_ev is not None:
            observables["conserved_energy"] = snapshot.conserved_energy_ev
        if snapshot.pressure_gpa is not None:
            observables["pressure"] = snapshot.pressure_gpa
        self._frames.append(step, snapshot.positions, velocities * (1000.0 * units.fs), snapshot.cell, observables)
        self.keep(step, snapshot)

    def keep(self, step: int, snapshot: Snapshot) -> None:
        """Make a state the one that the segment ends with."""
        self.checkpoint = Checkpoint(
            key=self._description.key,
            step=step,
            positions=snapshot.positions,
            momenta=snapshot.momenta,
            cell=snapshot.cell,
            integrator_state=snapshot.integrator_state,
        )

    @property
    def is_worth_writing(self) -> bool:
        """Whether there is a frame or a later state to keep."""
        return self._frames.n_frames > 0 or self.checkpoint.step > self.start_step

    def write(self) -> SegmentRecord:
        """Write the frames and the last safe state, and give the record for the manifest.

        Raises
        ------
        DiskFullError
            If there is no room.
        """
        header = SegmentHeader(
            key=self._description.key,
            numbers=self._template.numbers,
            masses_amu=np.array(self._description.masses_amu),
            periodic=self._description.periodic,
            time_step_fs=self._plan.time_step_fs,
        )
        data = encode_segment(header, self._frames, self.checkpoint, self._limits.compression)
        write_durably(self.path, data)
        steps = self._frames.steps
        return SegmentRecord(
            file=self.path.name,
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
            first_step=steps[0] if steps else self.checkpoint.step,
            n_frames=len(steps),
            last_step=self.checkpoint.step,
        )
