"""The stop rule that ends a student's run where its committee disagrees or atoms come too close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..dynamics.frames import frames_from_segment_ends, trajectory_frames
from ..dynamics.results import StopVerdict
from ..dynamics.trajectory import Trajectory
from ..potentials.training.close_contacts import too_close
from ..potentials.training.committee import largest_deviations

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


@dataclass(frozen=True)
class CommitteeWatch:
    """Ends a trajectory as `committee_disagrees` or `atoms_too_close`.

    A frame on which the committee disagrees is uncertain. A few of them are worth a label, but end no run; too many do,
    and so does one on which the committee disagrees widely.

    Parameters
    ----------
    calculators : sequence of Calculator
        The members of the committee, the one that runs among them.
    threshold_ev_per_angstrom : float
        Disagreement on the force on one atom above which a frame is uncertain, in eV/Å.
    closest_distances : mapping of str to float
        Shortest distance in Å of each pair of elements in the labelled frames.
    contact_fraction : float
        Part of that distance that is still allowed.
    frame_stride : int
        Looks at every n-th frame, counted from the end of each segment.
    most_uncertain : int
        Number of uncertain frames that end no run.
    wide_ratio : float
        Disagreement over the threshold that ends a run at once.
    """

    calculators: Sequence[Calculator]
    threshold_ev_per_angstrom: float
    closest_distances: Mapping[str, float]
    contact_fraction: float = 0.85
    frame_stride: int = 5
    most_uncertain: int = 0
    wide_ratio: float = 2.0
    _deviations: dict[int, float] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def __name__(self) -> str:
        """Name of the rule in the history."""
        return "committee_watch"

    def __call__(self, trajectory: Trajectory) -> StopVerdict:
        """Look at the frames that came since the last time.

        Parameters
        ----------
        trajectory : Trajectory
            The trajectory so far.

        Returns
        -------
        StopVerdict
            With a reason to stop, or none.
        """
        places = frames_from_segment_ends(trajectory, self.frame_stride)
        for frame in trajectory_frames(trajectory, [place for place in places if place not in self._deviations]):
            contact = too_close(frame, self.closest_distances, self.contact_fraction)
            if contact is not None:
                return StopVerdict(reason="atoms_too_close", message=f"There is {contact}.", estimate={})
        largest = max(self._look_at_new(trajectory), default=0.0)
        n_uncertain = len(self.uncertain_frames(trajectory))
        estimate = {
            "largest_deviation_ev_per_angstrom": largest if np.isfinite(largest) else None,
            "n_uncertain_frames": n_uncertain,
        }
        threshold = self.threshold_ev_per_angstrom
        if largest > self.wide_ratio * threshold:
            message = (
                f"The committee disagrees on a force by {largest:.2g} eV/Å, above {self.wide_ratio:g} times the "
                f"{threshold:.2g} eV/Å that it shows on frames it knows."
            )
        elif n_uncertain > self.most_uncertain:
            message = (
                f"The committee disagrees on a force by more than the {threshold:.2g} eV/Å that it shows on frames it "
                f"knows in {n_uncertain} of the {len(places)} frames looked at so far; {self.most_uncertain} are "
                "allowed."
            )
        else:
            return StopVerdict(estimate=estimate)
        return StopVerdict(reason="committee_disagrees", message=message, estimate=estimate)

    def uncertain_frames(self, trajectory: Trajectory) -> list[int]:
        """Return the frames on which the committee disagrees, among those looked at.

        Parameters
        ----------
        trajectory : Trajectory
            The trajectory.

        Returns
        -------
        list of int
            Indices of frames, in order.
        """
        self._look_at_new(trajectory)
        return [place for place, value in sorted(self._deviations.items()) if value > self.threshold_ev_per_angstrom]

    def _look_at_new(self, trajectory: Trajectory) -> list[float]:
        """Return the disagreements on the frames that were not looked at before, and keep them."""
        places = frames_from_segment_ends(trajectory, self.frame_stride)
        new = [place for place in places if place not in self._deviations]
        found = largest_deviations(trajectory_frames(trajectory, new), self.calculators).tolist()
        self._deviations.update(zip(new, found, strict=True))
        return found
