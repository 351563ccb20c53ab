"""Analyse many trajectories of one mechanism and count how often what is claimed holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from superion.transport.calibration import Coverage, Outcome, analyze_walk, coverage
from superion.transport.results import DiffusionResult, DiffusivityEstimate

from .catalogue import CATALOGUE

BATCH = 30
"""Trajectories drawn at once: some 100 MB for the largest."""


@dataclass(frozen=True)
class Judged:
    """The truths and the analysis of one trajectory.

    Parameters
    ----------
    tracer_cm2_s, charge_cm2_s : float
        True diffusivities in cm²/s.
    result : DiffusionResult
        Its analysis.
    """

    tracer_cm2_s: float
    charge_cm2_s: float
    result: DiffusionResult


@dataclass(frozen=True)
class Verdict:
    """What was counted for one mechanism.

    Parameters
    ----------
    tracer, axes : Coverage
        Of the tracer diffusivity, and of its values along the axes that conduct (three to a trajectory).
    charge, charge_axes : Coverage or None
        The same of the charge diffusivity; None where it is zero.
    width : float
        Mean relative error claimed for the tracer diffusivity.
    haven_bias : float
        Median of the Haven ratio over the truth, less one; nan where the truth is infinite.
    flagged : dict
        Share of the trajectories with each flag.
    """

    tracer: Coverage
    axes: Coverage
    charge: Coverage | None
    charge_axes: Coverage | None
    width: float
    charge_width: float
    haven_bias: float
    haven_coverage_68: float
    flagged: dict[str, float]


def judge(name: str, n_trajectories: int, n_frames: int, seed: int = 0) -> Verdict:
    """Judge one mechanism of the catalogue.

    Parameters
    ----------
    name : str
        A key of `CATALOGUE`.
    n_trajectories, n_frames : int
        How many, and how long (frames of 0.1 ps).
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Verdict
        What held.
    """
    seen = [
        one
        for first in range(0, n_trajectories, BATCH)
        for one in draw_batch(name, n_frames, first // BATCH, seed)[: n_trajectories - first]
    ]
    return verdict(name, seen)


def draw_batch(name: str, n_frames: int, number: int, seed: int = 0) -> list[Judged]:
    """Draw and analyse one batch of a mechanism, the same whatever else is drawn."""
    rng = np.random.default_rng([seed, n_frames, list(CATALOGUE).index(name), number])
    return [
        Judged(walk.tracer_cm2_s, walk.charge_cm2_s, analyze_walk(walk))
        for walk in CATALOGUE[name](rng, BATCH, n_frames)
    ]


def verdict(name: str, seen: list[Judged]) -> Verdict:
    """Count what held for the trajectories of one mechanism."""
    shares = axis_shares(name)
    charged = seen[0].charge_cm2_s > 0
    ratios, held = [], []
    for one in seen:
        result = one.result
        if charged and result.haven_ratio.value is not None:
            truth = one.tracer_cm2_s / one.charge_cm2_s
            low, high = result.haven_ratio.interval_68
            ratios.append(result.haven_ratio.value / truth)
            held.append(low <= truth <= high)
    flags = Counter(flag for one in seen for flag in one.result.flags)
    errors = [one.result.tracer.relative_error for one in seen if one.result.tracer.relative_error is not None]
    charge_errors = [one.result.charge.relative_error for one in seen if one.result.charge.relative_error is not None]
    return Verdict(
        tracer=coverage([Outcome.of(one.result.tracer, one.tracer_cm2_s) for one in seen]),
        axes=coverage([axis for one in seen for axis in along(one.result.tracer, one.tracer_cm2_s, shares)]),
        charge=coverage([Outcome.of(one.result.charge, one.charge_cm2_s) for one in seen]) if charged else None,
        charge_axes=coverage([axis for one in seen for axis in along(one.result.charge, one.charge_cm2_s, shares)])
        if charged
        else None,
        width=float(np.mean(errors)) if errors else float("nan"),
        charge_width=float(np.mean(charge_errors)) if charge_errors else float("nan"),
        haven_bias=float(np.median(ratios)) - 1.0 if ratios else float("nan"),
        haven_coverage_68=float(np.mean(held)) if held else float("nan"),
        flagged={flag: count / len(seen) for flag, count in sorted(flags.items())},
    )


def axis_shares(name: str) -> tuple[float, float, float]:
    """Return the share of each axis in the motion of a mechanism."""
    return getattr(CATALOGUE[name], "keywords", {}).get("shares", (1 / 3, 1 / 3, 1 / 3))


def along(claim: DiffusivityEstimate, true_cm2_s: float, shares: tuple[float, float, float]) -> list[Outcome]:
    """Compare the values along the axes that conduct with the truth; a withheld value counts by its bound."""
    if claim.value_cm2_s is None:
        return [Outcome.of(claim, true_cm2_s)]
    outcomes = []
    for axis, share in enumerate(shares):
        truth = 3.0 * share * true_cm2_s
        if truth == 0:
            continue
        low_68, high_68 = claim.per_axis_interval_68_cm2_s[axis]
        low_95, high_95 = claim.per_axis_interval_95_cm2_s[axis]
        outcomes.append(
            Outcome(
                estimate=claim.per_axis_cm2_s[axis] / truth,
                relative_error=None,
                interval_68=(low_68 / truth, high_68 / truth),
                interval_95=(low_95 / truth, high_95 / truth),
                upper_bound_95=high_95 / truth,
            )
        )
    return outcomes
