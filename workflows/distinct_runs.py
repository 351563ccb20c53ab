"""Runs that are there twice: a copy adds no statistics, and must not count as a replica."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError

if TYPE_CHECKING:
    from .existing import ExistingRun

_A_COPY = 0.9
"""Share of its frames that a run has in another one to be a copy or a part of it."""

_A_MEETING = 0.02
"""Share of frames that runs of one start, or of a restart, may have in common."""

_MEETING_FRAMES = 10

_MOVES_TOGETHER = 0.9
"""Correlation of displacements above which two runs are one; independent ones have none."""

_ROUNDED_ANGSTROM = 0.03
"""Difference between displacements that the digits of a compressed trajectory leave."""

_SAME_INTERVAL = 0.02
"""Relative difference of two times between frames that are the same."""


def distinct_runs(runs: Sequence[ExistingRun]) -> list[ExistingRun]:
    """Leave out runs whose frames another one holds: copies, parts, thinned or converted ones.

    Parameters
    ----------
    runs : sequence of ExistingRun
        The runs as read.

    Returns
    -------
    list of ExistingRun
        Each set of frames once, in the same order, with a note where a copy was left out.

    Raises
    ------
    AnalysisError
        The same frames are given at two temperatures or with two times between them, two runs overlap in part, or
        hold different frames of one run.
    """
    from ..dynamics.foreign.same_frames import frame_signatures, matching_frames

    compositions = [tuple(sorted(Counter(run.symbols).items())) for run in runs]
    if len(set(compositions)) == len(runs):
        return list(runs)
    signatures = [frame_signatures(run.positions_angstrom, run.cell_angstrom) for run in runs]
    left_out: dict[int, int] = {}
    order = sorted(range(len(runs)), key=lambda index: -len(runs[index].positions_angstrom))
    kept: list[int] = []
    for index in order:
        for other in kept:
            if compositions[index] != compositions[other]:
                continue
            places = matching_frames(signatures[index], signatures[other])
            inside, size = int(np.count_nonzero(places >= 0)), places.size
            if inside >= _A_COPY * size and not _is_still(signatures[other][0], signatures[other][1]):
                _check_times(runs[index], runs[other], places)
                left_out[index] = other
                break
            if inside > max(_MEETING_FRAMES, _A_MEETING * size):
                outside = int(np.count_nonzero(matching_frames(signatures[other], signatures[index]) >= 0))
                if outside > _MEETING_FRAMES:
                    raise AnalysisError(
                        f"{inside} of the {size} frames of {runs[index].source} are in {runs[other].source} too, so "
                        "the runs are no independent ones; cut these frames from one of them."
                    )
            if _is_rounded_copy(runs[index], runs[other]):
                left_out[index] = other
                break
        else:
            kept.append(index)
    notes: dict[int, list[str]] = {}
    for index, other in sorted(left_out.items()):
        copy, original = runs[index], runs[other]
        exact = copy.is_temperature_exact and original.is_temperature_exact
        if exact and abs(copy.temperature_k - original.temperature_k) > 1e-6 * original.temperature_k:
            raise AnalysisError(
                f"{copy.source} and {original.source} hold the same frames but are given as {copy.temperature_k:g} and "
                f"{original.temperature_k:g} K; give each run once, with its temperature."
            )
        notes.setdefault(other, []).append(f"The frames of {copy.source} are in this file too; they count once.")
    return [
        replace(run, notes=(*run.notes, *notes.get(index, ())))
        for index, run in enumerate(runs)
        if index not in left_out
    ]


def _is_still(signatures: NDArray[np.float64], tolerance: float) -> bool:
    """Say whether the frames of a run are so alike that they cannot be told apart."""
    return bool((abs(signatures - signatures[0]).max(axis=1) < tolerance).mean() > 0.5)


def _check_times(copy: ExistingRun, original: ExistingRun, places: NDArray[np.intp]) -> None:
    """Refuse frames that are one distance in time apart in one file and another in the other."""
    both = (places[1:] >= 0) & (places[:-1] >= 0)
    strides = np.abs(np.diff(places)[both])
    if not strides.size or np.median(strides) == 0:
        return
    expected = float(np.median(strides)) * original.frame_interval_ps
    if abs(expected / copy.frame_interval_ps - 1.0) > _SAME_INTERVAL:
        raise AnalysisError(
            f"{copy.source} and {original.source} hold the same frames, but {1e3 * copy.frame_interval_ps:g} fs lie "
            f"between them in {copy.source} and {1e3 * expected:g} fs in {original.source}; one of the intervals is "
            "wrong: give the right one (--frame-interval-fs), or one file only."
        )


def _is_rounded_copy(run: ExistingRun, other: ExistingRun) -> bool:
    """Say whether a run is another one with fewer digits; refuse other frames of the same run."""
    from ..dynamics.foreign.common_motion import common_motion

    if run.symbols != other.symbols:
        return False
    correlation, difference = common_motion(
        run.positions_angstrom, other.positions_angstrom, run.frame_interval_ps, other.frame_interval_ps
    )
    if correlation < _MOVES_TOGETHER:
        return False
    if difference < _ROUNDED_ANGSTROM:
        return True
    raise AnalysisError(
        f"The atoms of {run.source} and {other.source} move together (their displacements correlate to "
        f"{correlation:.2f}), so both hold frames of one run; join them, or give one of them."
    )
