"""The stop rule that ends a student's run where its committee disagrees or atoms come too close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..dynamics.frames import last_segment_frames
from ..dynamics.results import StopVerdict
from ..dynamics.trajectory import Trajectory
from ..potentials.training.close_contacts import too_close
from ..potentials.training.committee import largest_deviations

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


@dataclass(frozen=True)
class CommitteeWatch:
    """Ends a trajectory as `committee_disagrees` or `atoms_too_close`, looking at the frames of each new segment.

    Parameters
    ----------
    calculators : sequence of Calculator
        The members of the committee, the one that runs among them.
    threshold_ev_per_angstrom : float
        Disagreement on the force on one atom above which the run ends, in eV/Å.
    closest_distances : mapping of str to float
        Shortest distance in Å of each pair of elements in the labelled frames.
    contact_fraction : float
        Part of that distance that is still allowed.
    frame_stride : int
        Looks at every n-th frame, counted from the end.
    """

    calculators: Sequence[Calculator]
    threshold_ev_per_angstrom: float
    closest_distances: Mapping[str, float]
    contact_fraction: float = 0.85
    frame_stride: int = 5

    @property
    def __name__(self) -> str:
        """Name of the rule in the history."""
        return "committee_watch"

    def __call__(self, trajectory: Trajectory) -> StopVerdict:
        """Look at the frames of the last segment.

        Parameters
        ----------
        trajectory : Trajectory
            The trajectory so far.

        Returns
        -------
        StopVerdict
            With a reason to stop, or none.
        """
        frames = last_segment_frames(trajectory, self.frame_stride)
        for frame in frames:
            contact = too_close(frame, self.closest_distances, self.contact_fraction)
            if contact is not None:
                return StopVerdict(reason="atoms_too_close", message=f"There is {contact}.", estimate={})
        deviations = largest_deviations(frames, self.calculators)
        largest = float(np.max(deviations)) if len(deviations) else 0.0
        estimate = {"largest_deviation_ev_per_angstrom": largest if np.isfinite(largest) else None}
        if largest <= self.threshold_ev_per_angstrom:
            return StopVerdict(estimate=estimate)
        return StopVerdict(
            reason="committee_disagrees",
            message=f"The committee disagrees on a force by {largest:.2g} eV/Å, above the "
            f"{self.threshold_ev_per_angstrom:.2g} eV/Å that it shows on frames it knows.",
            estimate=estimate,
        )
