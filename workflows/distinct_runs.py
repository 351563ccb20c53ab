"""Runs that are there twice: a copy adds no statistics, and must not count as a replica."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import AnalysisError

if TYPE_CHECKING:
    from .existing import ExistingRun

_A_COPY = 0.9
"""Share of its frames that a run has in another one to be a copy or a part of it."""

_A_MEETING = 0.02
"""Share of frames that runs of one start, or of a restart, may have in common."""

_MEETING_FRAMES = 10


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
        The same frames are given at two temperatures, or two runs overlap in part.
    """
    from ..dynamics.foreign.same_frames import frame_signatures, shared_frames

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
            inside, outside = shared_frames(signatures[index], signatures[other])
            size = len(runs[index].positions_angstrom)
            if inside >= _A_COPY * size and not _is_still(signatures[other][0], signatures[other][1]):
                left_out[index] = other
                break
            if inside > max(_MEETING_FRAMES, _A_MEETING * size) and outside > _MEETING_FRAMES:
                _check_overlap(runs[index], runs[other], inside, size)
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


def _is_still(signatures, tolerance: float) -> bool:  # type: ignore[no-untyped-def]
    """Say whether the frames of a run are so alike that they cannot be told apart."""
    return bool((abs(signatures - signatures[0]).max(axis=1) < tolerance).mean() > 0.5)


def _check_overlap(run: ExistingRun, other: ExistingRun, n_shared: int, size: int) -> None:
    raise AnalysisError(
        f"{n_shared} of the {size} frames of {run.source} are in {other.source} too, so the runs are no independent "
        "ones; cut these frames from one of them."
    )
