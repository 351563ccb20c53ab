"""Count how often intervals hold what they promise, on synthetic trajectories of known diffusivity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .analysis import DiffusionSettings, analyze_diffusion
from .conductivity import conductivity_per_diffusivity
from .convergence import GROWTH, ConvergenceVerdict, confirmed, convergence_verdict
from .results import Bounds, DiffusionResult, DiffusivityEstimate
from .ruled_out import greatest_sigma_300k_ms_cm, is_ruled_out, sequential_sigma_upper_ms_cm
from .synthetic import SyntheticWalk, back_hop_walk, gaussian_walk, lattice_walk

_SETTINGS = DiffusionSettings(equilibration_ps=0.0)
_TEMPERATURE_K = 600.0
_FIRST_LOOK_FRAMES = 100


def plain(rng: np.random.Generator, n_ions: int, n_frames: int) -> SyntheticWalk:
    """Draw plain walks: half of the trajectories Brownian, half of independent hops on a lattice.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_ions, n_frames : int
        Number of ions and frames.

    Returns
    -------
    SyntheticWalk
        The walks.
    """
    if rng.random() < 0.5:
        return gaussian_walk(rng, n_ions=n_ions, n_frames=n_frames)
    return lattice_walk(rng, n_ions=n_ions, n_frames=n_frames, hop_rate_per_ps=0.1)


def cage(rng: np.random.Generator, n_ions: int, n_frames: int) -> SyntheticWalk:
    """Draw hops out of cages in which the ions rattle by 0.3 Å along each axis.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_ions, n_frames : int
        Number of ions and frames.

    Returns
    -------
    SyntheticWalk
        The walks.
    """
    return lattice_walk(rng, n_ions=n_ions, n_frames=n_frames, hop_rate_per_ps=0.1, rattle_angstrom=0.3)


def back_hops(rng: np.random.Generator, n_ions: int, n_frames: int) -> SyntheticWalk:
    """Draw hops of which three in five are taken back within a picosecond or so, on top of rattling.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    n_ions, n_frames : int
        Number of ions and frames.

    Returns
    -------
    SyntheticWalk
        The walks.
    """
    return back_hop_walk(rng, n_ions=n_ions, n_frames=n_frames, residence_time_ps=4.0, rattle_angstrom=0.3)


CALIBRATION_KINDS: dict[str, Callable[[np.random.Generator, int, int], SyntheticWalk]] = {
    "plain": plain,
    "cage": cage,
    "back_hops": back_hops,
}
"""The kinds of motion that intervals are calibrated on."""

CALIBRATION_CELLS: tuple[tuple[int, int], ...] = ((8, 300), (8, 2000), (24, 300), (24, 2000), (64, 300), (64, 2000))
"""Numbers of ions and of frames (0.1 ps each) that they are calibrated on."""


@dataclass(frozen=True)
class Outcome:
    """What one analysis claimed of one diffusivity, with all numbers divided by the truth.

    Parameters
    ----------
    estimate : float
        Estimate, also where the value is withheld.
    relative_error : float or None
        Relative error claimed; None where the value is withheld.
    interval_68, interval_95 : tuple of float, or None
        Intervals claimed; None where the value is withheld.
    upper_bound_95 : float
        One-sided bound claimed.
    """

    estimate: float
    relative_error: float | None
    interval_68: Bounds | None
    interval_95: Bounds | None
    upper_bound_95: float

    @classmethod
    def of(cls, claim: DiffusivityEstimate, true_cm2_s: float) -> Outcome:
        """Compare an estimate with the truth.

        Parameters
        ----------
        claim : DiffusivityEstimate
            What the analysis says.
        true_cm2_s : float
            What it should be, in cm²/s.

        Returns
        -------
        Outcome
            The claim in units of the truth.
        """

        def scaled(bounds: Bounds | None) -> Bounds | None:
            return None if bounds is None else (bounds[0] / true_cm2_s, bounds[1] / true_cm2_s)

        return cls(
            estimate=claim.law.estimate_cm2_s / true_cm2_s if claim.law else float("nan"),
            relative_error=claim.relative_error,
            interval_68=scaled(claim.interval_68_cm2_s),
            interval_95=scaled(claim.interval_95_cm2_s),
            upper_bound_95=float("inf")
            if claim.upper_bound_95_cm2_s is None
            else claim.upper_bound_95_cm2_s / true_cm2_s,
        )


@dataclass(frozen=True)
class Coverage:
    """How often the claims held.

    Parameters
    ----------
    n : int
        Trajectories, all counted.
    withheld : float
        Share whose value was withheld.
    coverage_68, coverage_95 : float
        Share of intervals that hold the truth. A withheld value counts by its 95 % upper bound at its nominal
        rate: for the 95 % interval as it is, for the 68 % interval with weight 0.68 / 0.95.
    bound_95 : float
        Share of one-sided 95 % upper bounds, of all trajectories, that hold.
    mean : float
        Mean estimate over the truth.
    scatter : float
        Standard deviation of the estimates over the truth.
    """

    n: int
    withheld: float
    coverage_68: float
    coverage_95: float
    bound_95: float
    mean: float
    scatter: float


def coverage(outcomes: Iterable[Outcome]) -> Coverage:
    """Count how often claims held.

    Parameters
    ----------
    outcomes : iterable of Outcome
        Claims in units of the truth.

    Returns
    -------
    Coverage
        The rates.

    Examples
    --------
    >>> hit = Outcome(1.1, 0.2, (0.9, 1.3), (0.7, 1.6), 1.5)
    >>> miss = Outcome(1.6, 0.2, (1.3, 1.9), (1.1, 2.3), 2.2)
    >>> coverage([hit, miss]).coverage_68
    0.5
    """
    rows = list(outcomes)
    held_68, held_95, bounds = 0.0, 0.0, 0
    for row in rows:
        bound = row.upper_bound_95 >= 1.0
        bounds += bound
        if row.interval_68 is None or row.interval_95 is None:
            held_68 += bound * 0.68 / 0.95
            held_95 += bound
        else:
            held_68 += row.interval_68[0] <= 1.0 <= row.interval_68[1]
            held_95 += row.interval_95[0] <= 1.0 <= row.interval_95[1]
    estimates = np.array([row.estimate for row in rows])
    n = len(rows)
    return Coverage(
        n=n,
        withheld=sum(row.interval_68 is None for row in rows) / n,
        coverage_68=held_68 / n,
        coverage_95=held_95 / n,
        bound_95=bounds / n,
        mean=float(estimates.mean()),
        scatter=float(estimates.std()),
    )


def draw(kind: str, n_ions: int, n_frames: int, seed: int) -> SyntheticWalk:
    """Draw one synthetic trajectory of a calibration kind.

    Parameters
    ----------
    kind : str
        A key of `CALIBRATION_KINDS`.
    n_ions, n_frames : int
        Number of ions and frames.
    seed : int
        Number of the trajectory.

    Returns
    -------
    SyntheticWalk
        The trajectory.
    """
    rng = np.random.default_rng([seed, n_ions, n_frames, list(CALIBRATION_KINDS).index(kind)])
    return CALIBRATION_KINDS[kind](rng, n_ions, n_frames)


def analyze_walk(walk: SyntheticWalk, n_frames: int | None = None) -> DiffusionResult:
    """Analyse a synthetic trajectory as a user's would be.

    Parameters
    ----------
    walk : SyntheticWalk
        The trajectory.
    n_frames : int, optional
        Frames to use; all when not given.

    Returns
    -------
    DiffusionResult
        The analysis; the hop distance is guessed, not told.
    """
    run = walk.as_run(temperature_k=_TEMPERATURE_K, n_frames=n_frames)
    return analyze_diffusion([run], mobile_ion="Li", ion_charge=1.0, settings=_SETTINGS)


def outcomes_of_one(kind: str, n_ions: int, n_frames: int, seed: int) -> tuple[Outcome, Outcome]:
    """Analyse one trajectory of a calibration kind.

    Parameters
    ----------
    kind, n_ions, n_frames, seed
        See `draw`.

    Returns
    -------
    tuple of Outcome
        For the tracer and for the charge diffusivity.
    """
    walk = draw(kind, n_ions, n_frames, seed)
    result = analyze_walk(walk)
    return Outcome.of(result.tracer, walk.tracer_cm2_s), Outcome.of(result.charge, walk.charge_cm2_s)


def looks(n_frames: int) -> Sequence[int]:
    """Lengths at which an adaptive run is looked at, in frames.

    Parameters
    ----------
    n_frames : int
        Longest run.

    Returns
    -------
    sequence of int
        Growing lengths, the last of them `n_frames`.

    Examples
    --------
    >>> looks(150)
    [100, 120, 144, 150]
    """
    lengths = []
    length = _FIRST_LOOK_FRAMES
    while length < n_frames:
        lengths.append(length)
        length = int(np.ceil(GROWTH * length))
    return [*lengths, n_frames]


def adaptive_run(
    kind: str, n_ions: int, n_frames: int, seed: int, target_relative_error: float
) -> tuple[Outcome, bool]:
    """Follow one trajectory under both stopping rules.

    Parameters
    ----------
    kind, n_ions, n_frames, seed
        See `draw`; `n_frames` is the maximum length.
    target_relative_error : float
        Relative error at which the run stops.

    Returns
    -------
    claimed : Outcome
        What is claimed of the tracer diffusivity when the run stops as converged or at its maximum length.
    falsely_ruled_out : bool
        Whether any look, also after convergence, rules out a σ(300 K) that the material just reaches.
    """
    walk = draw(kind, n_ions, n_frames, seed)
    claimed: Outcome | None = None
    previous: ConvergenceVerdict | None = None
    falsely_ruled_out = False
    for number, length in enumerate(looks(n_frames), start=1):
        result = analyze_walk(walk, length)
        verdict = convergence_verdict(result, target_relative_error)
        if claimed is None and confirmed(verdict, previous).converged:
            claimed = Outcome.of(result.tracer, walk.tracer_cm2_s)
        previous = verdict
        per_diffusivity = conductivity_per_diffusivity(
            result.n_ions, result.ion_charge, result.volume_angstrom3, result.temperature_k
        )
        reached = max(walk.tracer_cm2_s, walk.charge_cm2_s) * per_diffusivity
        target = greatest_sigma_300k_ms_cm(reached, _TEMPERATURE_K)
        falsely_ruled_out |= is_ruled_out(sequential_sigma_upper_ms_cm(result, number), _TEMPERATURE_K, target)
    return claimed or Outcome.of(result.tracer, walk.tracer_cm2_s), falsely_ruled_out
