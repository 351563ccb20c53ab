"""One evenly spaced series of frames from the numbers or times that a file gives them, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .trajectory import RawTrajectory
from .unwrap import FRAMES_PER_BLOCK

_SAME_FRACTION = 1.5e-5
"""Greatest change of a fractional coordinate between two copies of one frame, as rounded by any writer."""

_JOINT_EXCESS = 6.0
"""Mean squared displacement at a joint, over the median one between frames, above which runs do not continue."""

_SPLIT = "split the file there and give the parts as files of their own"


@dataclass(frozen=True)
class Series:
    """Frames at one distance in time.

    Parameters
    ----------
    kept : (n_kept,) int array
        Frames that belong to the series.
    gap : float or None
        Distance between them, in counts; None where nothing numbers them.
    has_joints : bool
        Whether the count begins again somewhere.
    """

    kept: NDArray[np.intp]
    gap: float | None
    has_joints: bool = False


def even_series(raw: RawTrajectory, path: Path, notes: list[str]) -> Series:
    """Find the evenly spaced series in a file that may hold several runs, one after the other.

    A restart may write its first frame again, start counting anew, or go back to an earlier step: frames that are
    there twice are dropped, and those that a restart superseded.

    Parameters
    ----------
    raw : RawTrajectory
        The frames with what the file says of their steps and times.
    path : Path
        The file, for messages.
    notes : list of str
        Gets a sentence for each kind of frame left out.

    Returns
    -------
    Series
        The frames to keep and their distance in counts: steps where the file has them, else times.

    Raises
    ------
    TrajectoryError
        Frames are missing, unevenly spaced, or of several runs that do not continue each other.
    """
    everything = np.arange(raw.fractional.shape[0])
    if everything.size < 2:
        return Series(everything, None)
    counts = raw.steps if raw.steps is not None else raw.times
    if counts is None:
        return Series(_without_repeats(raw.fractional, notes), None)
    filled = _with_unreadable(counts, notes)
    gap = _usual_gap(filled)
    if gap is None:
        if raw.steps is not None or raw.times is None or np.ptp(filled) > 0:
            _check_not_all_one(filled, path)
        return Series(_without_repeats(raw.fractional, notes), None)
    what = "steps" if raw.steps is not None else "units of time"
    if raw.steps is None and _is_even(gaps := np.diff(filled), float(gaps.mean()), raw.time_rounding):
        return Series(everything, float(gaps.mean()))
    if raw.steps is None:
        rounded = np.rint(filled / gap)
        if np.abs(filled / gap - rounded - np.median(filled / gap - rounded)).max() > 0.02:
            gaps = np.diff(filled)
            raise _uneven(gaps, path, what)
        filled, unit = rounded, gap
        gap = 1.0
    else:
        unit = 1.0
    series = _Follower(raw.fractional, filled, gap, unit, path, what).follow(notes)
    if raw.steps is None:
        mean = unit
        if not series.has_joints and series.kept.size > 1:
            ends = counts[series.kept[[0, -1]]]
            mean = float(ends[1] - ends[0]) / (series.kept.size - 1)
        return Series(series.kept, mean, series.has_joints)
    return series


def interval_of_times(raw: RawTrajectory, series: Series, path: Path) -> float | None:
    """Return the time between the frames of a series, where the file has times.

    Parameters
    ----------
    raw : RawTrajectory
        The frames.
    series : Series
        The frames that are kept.
    path : Path
        The file, for messages.

    Returns
    -------
    float or None
        Time between frames in the unit of `raw.times`.

    Raises
    ------
    TrajectoryError
        Times are uneven though the steps are even: the time step changed.
    """
    if raw.times is None or series.kept.size < 2 or series.gap is None:
        return None
    if raw.steps is not None and np.ptp(raw.times) == 0:  # a field that the writer never filled
        return None
    if raw.steps is None:
        return series.gap
    gaps = np.diff(raw.times[series.kept])
    usual = float(np.median(gaps))
    if usual <= 0 or (not series.has_joints and not _is_even(gaps, usual, raw.time_rounding)):
        raise _uneven(gaps, path, "units of time")
    return usual if series.has_joints else float(gaps.mean())


def _is_even(gaps: NDArray[np.float64], usual: float, rounding: float) -> bool:
    """Say whether times are evenly spaced, to their precision."""
    allowed = min(0.02 * usual + 2.0 * rounding, 0.4 * usual)  # beyond that a missing frame would go unseen
    return bool(np.abs(gaps - usual).max() <= allowed)


def _uneven(gaps: NDArray[np.float64], path: Path, what: str) -> TrajectoryError:
    return TrajectoryError(
        f"The frames of {path} are unevenly spaced ({float(np.min(gaps)):g} to {float(np.max(gaps)):g} {what} apart); "
        "write them at a constant interval, or split the file into parts that are evenly spaced."
    )


def _check_not_all_one(counts: NDArray[np.float64], path: Path) -> None:
    """Refuse counts that only fall; frames that all have one count are merely not numbered."""
    if np.ptp(counts) > 0:
        raise TrajectoryError(f"The numbers of the frames of {path} only fall; write the frames in order of time.")


def _with_unreadable(counts: NDArray[np.float64], notes: list[str]) -> NDArray[np.float64]:
    """Count on where a number is too long for its six columns and VASP writes stars."""
    missing = ~np.isfinite(counts)
    if not missing.any():
        return counts
    gap = _usual_gap(counts)
    filled = counts.copy()
    for index in np.flatnonzero(missing).tolist():
        filled[index] = filled[index - 1] + gap if index and gap is not None else -1.0
    if gap is not None:
        notes.append(
            f"{missing.sum()} frames whose number is unreadable (such as ******) are counted on from the last."
        )
    return filled


def _usual_gap(counts: NDArray[np.float64]) -> float | None:
    """Return the most frequent forward step of a count; None where it never goes forward."""
    gaps = np.diff(counts)
    gaps = gaps[np.isfinite(gaps) & (gaps > 0)]
    if not gaps.size:
        return None
    if np.all(gaps == np.rint(gaps)):
        values, frequency = np.unique(gaps, return_counts=True)
        return float(values[np.argmax(frequency)])
    return float(np.median(gaps))


def is_same_frame(fractional: NDArray[np.float64], one: int, other: int) -> bool:
    """Say whether two frames hold the same positions, to the last digits of any writer.

    Parameters
    ----------
    fractional : (n_frames, n_atoms, 3) array
        Fractional coordinates, wrapped or not.
    one, other : int
        The frames.

    Returns
    -------
    bool
        True if no coordinate differs, whole cell vectors aside.
    """
    change = fractional[one] - fractional[other]
    change -= np.rint(change)
    return bool(np.abs(change).max() < _SAME_FRACTION)


def _without_repeats(fractional: NDArray[np.float64], notes: list[str]) -> NDArray[np.intp]:
    """Leave out frames that repeat the one before, where all others move: a restart has written them twice."""
    everything = np.arange(fractional.shape[0])
    moved = np.zeros((everything.size - 1, fractional.shape[1]), dtype=bool)
    for start in range(0, len(moved), FRAMES_PER_BLOCK):
        change = np.diff(fractional[start : start + FRAMES_PER_BLOCK + 1], axis=0)
        change -= np.rint(change)
        moved[start : start + FRAMES_PER_BLOCK] = np.abs(change, out=change).max(axis=2) >= _SAME_FRACTION
    still = ~moved.any(axis=1)
    if not still.any() or still.mean() > 0.1:
        return everything
    moving = moved[~still].mean()
    if moving < 0.9:  # on a lattice atoms do stay where they are
        return everything
    notes.append(f"{still.sum()} repeated frame(s) of a restarted run are left out.")
    return everything[np.concatenate([[True], ~still])]


class _Follower:
    """Goes through the counts of a file and tells restarts from holes."""

    def __init__(
        self,
        fractional: NDArray[np.float64],
        counts: NDArray[np.float64],
        gap: float,
        unit: float,
        path: Path,
        what: str,
    ) -> None:
        self._fractional = fractional
        self._counts = counts
        self._gap = gap
        self._unit = unit
        self._path = path
        self._what = what
        self._joints: list[int] = []
        self._repeated = 0
        self._superseded = 0
        self._same: Callable[[int, int], bool] = lambda one, other: is_same_frame(fractional, one, other)

    def follow(self, notes: list[str]) -> Series:
        counts, gap = self._counts, self._gap
        gaps = np.diff(counts)
        if np.all(gaps == gap):
            return Series(np.arange(counts.size), gap)
        odd = (gaps != gap).mean()
        if odd > 0.3 and np.unique(gaps[gaps > 0]).size > 1:
            raise _uneven(gaps * self._unit, self._path, self._what)
        kept = [0]
        part_start = 0
        last = counts[0]
        for index in range(1, counts.size):
            distance = counts[index] - last
            if distance == gap:
                kept.append(index)
            elif distance <= 0 and self._same(index, kept[-1]):
                self._repeated += 1
            elif distance <= 0:
                part_start = self._go_back(kept, index, part_start)
            else:
                raise TrajectoryError(
                    f"Frames of {self._path} are missing between {self._name(last)} and {self._name(counts[index])} "
                    f"(frame {index + 1} of the file), where others are {gap * self._unit:g} {self._what} apart; "
                    f"{_SPLIT}, or write the frames again."
                )
            last = counts[index]
        self._check_joints(np.array(kept))
        if self._repeated:
            notes.append(f"{self._repeated} repeated frame(s) of a restarted run are left out.")
        if self._superseded:
            notes.append(f"{self._superseded} frame(s) that a restart from an earlier step superseded are left out.")
        if self._joints:
            notes.append(
                f"The count begins again {len(self._joints)} time(s); the parts continue each other and are read as "
                "one run."
            )
        return Series(np.array(kept), gap, bool(self._joints or self._repeated))

    def _name(self, count: float) -> str:
        return f"{count * self._unit:g}"

    def _go_back(self, kept: list[int], index: int, part_start: int) -> int:
        """Handle a count that goes back: a restart from an earlier frame, or a part that counts anew."""
        count = self._counts[index]
        for position in range(len(kept) - 1, part_start - 1, -1):
            if self._counts[kept[position]] == count:
                if self._same(index, kept[position]):
                    self._superseded += len(kept) - 1 - position
                    del kept[position + 1 :]
                    self._repeated += 1
                    return part_start
                break
        if count == self._gap:
            self._joints.append(index)
            kept.append(index)
            return len(kept) - 1
        previous = self._counts[index - 1]
        raise TrajectoryError(
            f"The count of the frames of {self._path} goes back from {self._name(previous)} to {self._name(count)} at "
            f"frame {index + 1} of the file, and how much time lies between these frames is not known; {_SPLIT}."
        )

    def _check_joints(self, kept: NDArray[np.intp]) -> None:
        """Refuse parts whose atoms do not go on from where the part before left them."""
        if not self._joints:
            return
        sample = kept[np.unique(np.linspace(1, kept.size - 1, min(kept.size - 1, 500)).astype(int))]
        positions = {int(frame): place for place, frame in enumerate(kept)}
        usual = float(np.median([self._step(int(frame), int(kept[positions[int(frame)] - 1])) for frame in sample]))
        for joint in (joint for joint in self._joints if joint in positions):
            before = int(kept[positions[joint] - 1])
            if self._step(joint, before) > _JOINT_EXCESS * usual:
                raise TrajectoryError(
                    f"{self._path} holds several runs: the count begins again at frame {joint + 1} of the file, and "
                    f"its atoms are not where the frame before left them; {_SPLIT}."
                )

    def _step(self, one: int, other: int) -> float:
        change = self._fractional[one] - self._fractional[other]
        change -= np.rint(change)
        return float(np.mean(change**2))
