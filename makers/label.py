"""Energies, forces and stresses for frames, by a teacher."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jobflow import Response

from ..dynamics.stop_request import StopRequest
from ..errors import TrainingError
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..potentials.training.frame_digest import frame_digest
from ..potentials.training.label_store import LabelStore
from ..potentials.training.labelled_frames import (
    TEACHER,
    check_labelled_frames,
    read_labelled_frames,
    with_labels,
)
from ..potentials.training.records import FrameSet
from ..runtime.checkpoint_root import checkpoint_root_of
from ..runtime.frame_files import read_frame_set, write_frame_set
from ..runtime.maker import Maker
from ..runtime.stop_request import leave_if_stop_was_requested, remember_stop_request
from ..runtime.timed_job import job, note_device
from ..runtime.walltime import time_left_s

if TYPE_CHECKING:
    from ase import Atoms


class LabellingStopped(Exception):
    """A signal, or the end of the allocation, stopped a labelling; the labels so far are kept."""


@dataclass
class LabelMaker(Maker):
    """Label frames by any registered potential, or take labelled frames from a file.

    Each label is on disk as soon as it is made, under a key of frame and teacher. A job that is killed and started
    again labels no frame twice, and a frame that an earlier flow labelled is not labelled either.

    Parameters
    ----------
    name : str
        Name of the job.
    teacher : PotentialSpecification, str, dict or None
        The potential that labels; None for the flow's.
    labelled_frames : str or None
        Extended XYZ file of frames that are labelled already, for example by a density-functional code; they are
        added to the set. All must be of the teacher's level of theory; those without a `teacher` count as its own.
    largest_force_ev_per_angstrom : float
        Frames with a larger force on an atom are left out: nothing is learned from overlapping atoms.
    checkpoint_root : str or None
        Folder of labels and frames; None for the flow's.
    """

    resource_kind: ClassVar[str] = "relax"

    name: str = "label"
    teacher: PotentialSpecification | None = None
    labelled_frames: str | None = None
    largest_force_ev_per_angstrom: float = 30.0
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the teacher by name, too."""
        if self.teacher is not None:
            self.teacher = potential_specification(self.teacher)

    @job(output_schema=FrameSet)
    def make(self, frames: Sequence[FrameSet], dataset: FrameSet | None = None) -> FrameSet | Response:
        """Label frames and add them to those that are labelled.

        Parameters
        ----------
        frames : sequence of FrameSet
            Frames without labels.
        dataset : FrameSet or None
            Labelled frames to add them to.

        Returns
        -------
        FrameSet or Response
            All labelled frames, each once; the continuation that replaces this job where it was interrupted.

        Raises
        ------
        PotentialError
            If the teacher does not know an element, or gives something that is not a number.
        TrainingError
            If labels are missing, are no numbers or come from different teachers.
        """
        began = time.monotonic()
        leave_if_stop_was_requested()
        labelled = [] if dataset is None else read_frame_set(dataset)
        if self.labelled_frames is not None:
            labelled += self._from_file(self.labelled_frames)
        try:
            new, n_computed, n_left_out = self._label([frame for one in frames for frame in read_frame_set(one)])
        except LabellingStopped:
            remember_stop_request()
            return Response(output=None, replace=self.make(frames, dataset))
        together = {frame_digest(frame): frame for frame in [*labelled, *new]}
        _name_the_teacher(list(together.values()))
        return write_frame_set(
            list(together.values()),
            self.checkpoint_root,
            n_computed=n_computed,
            n_left_out=n_left_out,
            wall_time_s=time.monotonic() - began,
        )

    def _from_file(self, path: str) -> list[Atoms]:
        given = read_labelled_frames(path)
        check_labelled_frames(given, path, fewest_frames=1)
        return given

    def _label(self, frames: Sequence[Atoms]) -> tuple[list[Atoms], int, int]:
        """Label frames one by one, until all are done or the job must end."""
        if not frames:
            return [], 0, 0
        potential = load_potential(self.teacher or PotentialSpecification())
        symbols = sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()})
        known = potential.known_elements()
        if known is not None and not known.issuperset(symbols):
            lacking = ", ".join(sorted(set(symbols) - known))
            raise TrainingError(
                f"The teacher {potential.name} does not know {lacking}: choose a teacher that knows every element of "
                "the structures, or leave those structures out."
            )
        note_device(potential.provenance.device)
        store = LabelStore(checkpoint_root_of("labels", self.checkpoint_root) / "labels", potential)
        kept = []
        with StopRequest(time_left_s()) as stop:
            for frame in frames:
                labels = store.label(frame)
                if np.abs(labels.forces_ev_per_angstrom).max() <= self.largest_force_ev_per_angstrom:
                    kept.append(with_labels(frame, labels, teacher=store.teacher))
                if stop.reason() is not None:
                    raise LabellingStopped
        return kept, store.n_computed, len(frames) - len(kept)


def _name_the_teacher(frames: Sequence[Atoms]) -> None:
    """Count frames of a file that name no teacher among those of the only one: the user vouches for them."""
    named = {frame.info[TEACHER] for frame in frames if TEACHER in frame.info}
    if len(named) == 1:
        for frame in frames:
            frame.info.setdefault(TEACHER, next(iter(named)))
