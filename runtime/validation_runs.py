"""Student against teacher: radial distributions, vibrations and diffusivities from their trajectories."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from pymatgen.core import Structure

from ..dynamics.trajectory import Trajectory
from ..errors import AnalysisError
from ..potentials.training.validation_record import DiffusivityPair, RadialPair, SpectrumPair
from ..transport.analysis import DiffusionSettings, analyze_diffusion
from ..transport.displacement_run import DisplacementRun
from ..transport.radial_difference import radial_difference
from ..transport.radial_distribution import RadialDistribution, radial_distribution
from ..transport.results import DiffusionResult
from ..transport.vibrational_density import density_difference, vibrational_density
from .displacement import displacement_run

_BIN_ANGSTROM = 0.1
_MOST_FRAMES = 200
# Of fewer, a run shows the tail of a shell beyond half the width of the cell: chance.
_FEWEST_NEIGHBOURS = 0.5


def radial_pairs(student: Trajectory, teacher: Trajectory, skip_ps: float) -> tuple[RadialPair, ...]:
    """Compare the radial distributions of every pair of elements.

    Parameters
    ----------
    student, teacher : Trajectory
        Runs of the same cell at the same temperature.
    skip_ps : float
        Beginning of each run that is left out, in ps.

    Returns
    -------
    tuple of RadialPair
        In alphabetical order; without the pairs that have less than half a neighbour within half the
        width of the cell in both runs.

    Raises
    ------
    AnalysisError
        If no pair has neighbours.
    """
    symbols = np.array(student.symbols)
    elements = sorted(set(student.symbols))
    found = []
    for place, first in enumerate(elements):
        for second in elements[place:]:
            atoms = np.flatnonzero(symbols == first), np.flatnonzero(symbols == second)
            if first == second and len(atoms[0]) < 2:
                continue
            one, other = (_radial(run, *atoms, skip_ps) for run in (student, teacher))
            if max(one.coordination_number[-1], other.coordination_number[-1]) >= _FEWEST_NEIGHBOURS:
                found.append(RadialPair(pair=f"{first}-{second}", difference=radial_difference(one, other)))
    if not found:
        raise AnalysisError("There are no neighbours within half the width of the cell: validate in a larger one.")
    return tuple(found)


def spectrum_pair(student: Trajectory, teacher: Trajectory, skip_ps: float, resolution_thz: float) -> SpectrumPair:
    """Compare the vibrational densities of states.

    Parameters
    ----------
    student, teacher : Trajectory
        Runs of the same cell at the same temperature, with velocities.
    skip_ps : float
        Beginning of each run that is left out, in ps.
    resolution_thz : float
        Width of a frequency bin in THz.

    Returns
    -------
    SpectrumPair
        Both spectra and their difference.

    Raises
    ------
    AnalysisError
        If a run is too short.
    """
    spectra = []
    for run in (student, teacher):
        first = round(skip_ps / run.frame_interval_ps)
        velocities = run.velocities(slice(first, None))
        spectra.append(
            vibrational_density(velocities, run.masses_amu, run.frame_interval_ps, resolution_thz=resolution_thz)
        )
    one, other = spectra
    density = np.interp(one.frequency_thz, other.frequency_thz, other.density_per_thz, right=0.0)
    return SpectrumPair(
        frequency_thz=tuple(np.round(one.frequency_thz, 4).tolist()),
        student_per_thz=tuple(np.round(one.density_per_thz, 6).tolist()),
        teacher_per_thz=tuple(np.round(density, 6).tolist()),
        difference=density_difference(one, other),
    )


def diffusivity_pair(
    student: Trajectory,
    teacher: Trajectory,
    structure: Structure,
    mobile_ion: str,
    ion_charge: float,
    settings: DiffusionSettings,
) -> DiffusivityPair:
    """Compare the tracer diffusivities of the mobile ion over the same lengths of time.

    A short run overstates a diffusivity, because hops that are taken back later look like diffusion in it. So the
    student's run is cut into pieces as long as the teacher's run, and analysed as so many independent ones.

    Parameters
    ----------
    student, teacher : Trajectory
        Runs of the same cell at the same temperature.
    structure : Structure
        The crystal that both started from.
    mobile_ion : str
        Element symbol of the mobile ion.
    ion_charge : float
        Its formal charge in elementary charges.
    settings : DiffusionSettings
        How runs are analysed.

    Returns
    -------
    DiffusivityPair
        Both with their intervals; what is withheld is not judged.
    """
    results: list[DiffusionResult | None] = []
    remarks: list[str] = []
    whole = displacement_run(student, structure, mobile_ion)
    analyse = partial(analyze_diffusion, mobile_ion=mobile_ion, ion_charge=ion_charge, settings=settings)
    for name, runs in (
        ("student", pieces(whole, teacher.n_frames)),
        ("teacher", [displacement_run(teacher, structure, mobile_ion)]),
    ):
        try:
            result = analyse(runs)
        except AnalysisError as error:
            results.append(None)
            remarks.append(f"{name}: {error}")
            continue
        results.append(result)
        if result.tracer.value_cm2_s is None:
            remarks.append(f"{name}: {result.tracer.withheld_reason}")
    values = [None if result is None else result.tracer.value_cm2_s for result in results]
    intervals = [_interval(result) for result in results]
    return DiffusivityPair(
        temperature_k=student.protocol.temperature_k,
        student_cm2_s=values[0],
        student_interval_95_cm2_s=intervals[0],
        student_ps=student.duration_ps,
        student_whole_run_cm2_s=_value_of_whole(whole, analyse),
        teacher_cm2_s=values[1],
        teacher_interval_95_cm2_s=intervals[1],
        teacher_ps=teacher.duration_ps,
        ratio=values[0] / values[1] if values[0] and values[1] else None,
        agree=within_joint_interval(values, intervals),
        remark="; ".join(remarks),
    )


def pieces(run: DisplacementRun, n_frames: int) -> list[DisplacementRun]:
    """Cut a run into consecutive pieces, without copying positions.

    Parameters
    ----------
    run : DisplacementRun
        A run.
    n_frames : int
        Frames of each piece; what is left at the end is not used.

    Returns
    -------
    list of DisplacementRun
        The run itself where it is not longer than one piece.

    Examples
    --------
    >>> ions = np.arange(2)
    >>> run = DisplacementRun(np.zeros((25, 4, 3)), ions, ions + 2, np.ones(4), 0.1, 64.0, 500.0)
    >>> [len(piece.positions_angstrom) for piece in pieces(run, 10)]
    [10, 10]
    """
    n_pieces = len(run.positions_angstrom) // n_frames
    if n_pieces < 2:
        return [run]
    return [
        replace(run, positions_angstrom=run.positions_angstrom[number * n_frames : (number + 1) * n_frames])
        for number in range(n_pieces)
    ]


def within_joint_interval(
    values: Sequence[float | None], intervals: Sequence[tuple[float, float] | None]
) -> bool | None:
    """Say whether two positive numbers agree within the joint interval of both.

    Parameters
    ----------
    values : sequence of two floats or None
        The numbers.
    intervals : sequence of two pairs or None
        Their intervals.

    Returns
    -------
    bool or None
        True if the logarithm of their ratio is within the root of the sum of squares of the half-widths, each towards
        the other number; None where a number or an interval is missing.

    Examples
    --------
    >>> within_joint_interval([1.0, 1.3], [(0.8, 1.25), (1.1, 1.5)])
    True
    >>> within_joint_interval([1.0, 3.0], [(0.8, 1.25), (2.5, 3.6)])
    False
    """
    if any(value is None or value <= 0 for value in values) or any(one is None or one[0] <= 0 for one in intervals):
        return None
    known = [(float(value), one) for value, one in zip(values, intervals, strict=True) if value and one]
    (small, inner), (large, outer) = sorted(known)
    width = math.hypot(math.log(inner[1] / small), math.log(large / outer[0]))
    return math.log(large / small) <= width


def _radial(run: Trajectory, first: np.ndarray, second: np.ndarray, skip_ps: float) -> RadialDistribution:
    begin = round(skip_ps / run.frame_interval_ps)
    stride = max(1, (run.n_frames - begin) // _MOST_FRAMES)
    positions = run.positions(slice(begin, None, stride))
    return radial_distribution(positions, run.mean_cell_angstrom, first, second, bin_width_angstrom=_BIN_ANGSTROM)


def _value_of_whole(run: DisplacementRun, analyse: Callable[[list[DisplacementRun]], DiffusionResult]) -> float | None:
    """Analyse the whole run of the student."""
    try:
        return analyse([run]).tracer.value_cm2_s
    except AnalysisError:
        return None


def _interval(result: DiffusionResult | None) -> tuple[float, float] | None:
    if result is None or result.tracer.value_cm2_s is None or result.tracer.interval_95_cm2_s is None:
        return None
    low, high = result.tracer.interval_95_cm2_s
    return float(low), float(high)
