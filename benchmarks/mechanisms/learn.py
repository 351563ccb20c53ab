"""Learn the corrections of `superion.transport.learned_correction` and print them.

Run from `benchmarks/`, with 150 trajectories for each mechanism and length (about ten minutes on one core):

    OMP_NUM_THREADS=1 python -m mechanisms.learn 150

The constants that it prints are put into that file by hand. Beside them stands how often intervals hold for families of
mechanisms that were left out of the fit.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtri
from superion.transport import learned_correction
from superion.transport.calibration import analyze_walk
from superion.transport.intervals import probability_below
from superion.transport.results import DiffusivityEstimate, SamplingLaw

from .training import FAMILIES, LENGTHS

_BATCH = 5
_TAIL = 8.0
"""Degrees of freedom of the Student law that errors are taken to have, so that a few wild runs do not decide."""

_RIDGE = 0.01
_WITHIN_68, _WITHIN_95 = float(ndtri(0.84)), float(ndtri(0.975))


@dataclass(frozen=True)
class Sample:
    """One diffusivity of one trajectory.

    Parameters
    ----------
    group : str
        Mechanism and length, which together count as much as any other.
    family : str
        What is left out together.
    straight, onset, log_error : float
        What the fit knows of itself: `straight_probability`, `onset_variance_share`, logarithm of `relative_error`.
    score : float
        Standard errors by which the estimate lies above the truth, were its law right.
    axis_scores : tuple of float
        The same along the axes.
    """

    group: str
    family: str
    straight: float
    onset: float
    log_error: float
    score: float
    axis_scores: tuple[float, ...]


def sample(group: str, family: str, claim: DiffusivityEstimate, truth: float) -> Sample | None:
    """Compare an estimate with the truth; None where no value is claimed."""
    if claim.value_cm2_s is None or claim.law is None or claim.per_axis_law is None:
        return None
    return Sample(
        group,
        family,
        claim.straight_probability,
        claim.onset_variance_share,
        math.log(claim.relative_error),
        _score(claim.law, truth),
        tuple(_score(law, truth) for law in claim.per_axis_law if law.background_error_cm2_s == 0),
    )


def draw_samples(n_trajectories: int, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Draw, analyse and compare: samples of the tracer and of the charge diffusivity."""
    tracer: list[Sample | None] = []
    charge: list[Sample | None] = []
    for family, mechanisms in FAMILIES.items():
        for number, (name, draw) in enumerate(mechanisms.items()):
            for n_frames in LENGTHS:
                for first in range(0, n_trajectories, _BATCH):
                    rng = np.random.default_rng([seed, first, n_frames, number, list(FAMILIES).index(family)])
                    for walk in draw(rng, min(_BATCH, n_trajectories - first), n_frames):
                        result = analyze_walk(walk)
                        group = f"{name}, {n_frames}"
                        tracer.append(sample(group, family, result.tracer, walk.tracer_cm2_s))
                        charge.append(sample(group, family, result.charge, walk.charge_cm2_s))
    return [one for one in tracer if one], [one for one in charge if one]


def fit_correction(
    scores: NDArray[np.float64], shifts: NDArray[np.float64], widths: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit shift and logarithm of the width of scores, linear in their features, by the likelihood of a Student law."""
    n_shifts = shifts.shape[1]

    def loss(parameters: NDArray[np.float64]) -> float:
        log_width = widths @ parameters[n_shifts:]
        residual = (scores - shifts @ parameters[:n_shifts]) * np.exp(-log_width)
        terms = log_width + 0.5 * (_TAIL + 1.0) * np.log1p(residual**2 / (_TAIL - 2.0))
        return float(weights @ terms + 0.5 * _RIDGE * np.sum(parameters**2))

    found = minimize(loss, np.zeros(n_shifts + widths.shape[1]), method="BFGS").x
    return found[:n_shifts], found[n_shifts:]


def group_weights(samples: list[Sample]) -> NDArray[np.float64]:
    """Give each mechanism and length the same weight."""
    groups = [one.group for one in samples]
    counts = {group: groups.count(group) for group in dict.fromkeys(groups)}
    weights = np.array([1.0 / counts[group] for group in groups])
    return weights / weights.sum()


def learn(samples: list[Sample], *, constant: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Learn shift and width, as constants or from the features."""
    shifts, widths = _features(samples, constant)
    scores = np.clip([one.score for one in samples], -4.0, 4.0)
    return fit_correction(scores, shifts, widths, group_weights(samples))


def corrected_scores(
    samples: list[Sample], correction: tuple[NDArray[np.float64], NDArray[np.float64]], *, constant: bool
) -> NDArray[np.float64]:
    """Give the scores after a correction."""
    shifts, widths = _features(samples, constant)
    scores = np.array([one.score for one in samples])
    return (scores - shifts @ correction[0]) * np.exp(-widths @ correction[1])


def axis_width(samples: list[Sample], correction: tuple[NDArray, NDArray], *, constant: bool) -> float:
    """Give the factor along axes, beyond the correction of the whole, with which 68 % of the scores hold on average."""
    shifts, widths = _features(samples, constant)
    by_group: dict[str, list[float]] = {}
    for one, shift, width in zip(samples, shifts @ correction[0], np.exp(widths @ correction[1]), strict=True):
        # A value off by one standard error of the whole is off by less than one along an axis.
        by_group.setdefault(one.group, []).extend(
            abs(score - shift / math.sqrt(3.0)) / width for score in one.axis_scores
        )
    factors = np.geomspace(0.5, 2.0, 200)
    held = [
        np.mean([np.mean(np.array(group) < factor * _WITHIN_68) for group in by_group.values() if group])
        for factor in factors
    ]
    return float(np.interp(0.68, held, factors))


def _features(samples: list[Sample], constant: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ones = np.ones((len(samples), 1))
    if constant:
        return ones, ones
    straight = np.array([[one.straight] for one in samples])
    rest = np.array([[one.onset, one.log_error] for one in samples])
    return np.hstack([ones, straight]), np.hstack([ones, straight, rest])


def _score(law: SamplingLaw, truth: float) -> float:
    return float(ndtri(np.clip(probability_below(law, truth), 1e-9, 1.0 - 1e-9)))


def main() -> None:
    """Learn from as many trajectories as the command line says."""
    # What is learned is what the fits need without any correction.
    learned_correction.SHIFT, learned_correction.LOG_WIDTH = (0.0, 0.0), (0.0, 0.0, 0.0, 0.0)
    learned_correction.AXIS_WIDTH = learned_correction.CHARGE_WIDTH = learned_correction.CHARGE_AXIS_WIDTH = 1.0
    learned_correction.CHARGE_SHIFT = 0.0
    tracer, charge = draw_samples(int(sys.argv[1]), seed=31)
    for name, samples, constant in (("tracer", tracer, False), ("charge", charge, True)):
        correction = learn(samples, constant=constant)
        print(name, "shift", correction[0].round(3), "log width", correction[1].round(3))
        print(name, "axis width", round(axis_width(samples, correction, constant=constant), 3))
        for family in dict.fromkeys(one.family for one in samples):
            others = learn([one for one in samples if one.family != family], constant=constant)
            left_out = [one for one in samples if one.family == family]
            score = np.abs(corrected_scores(left_out, others, constant=constant))
            print(f"  without {family}: {np.mean(score < _WITHIN_68):.3f} {np.mean(score < _WITHIN_95):.3f} of it held")


if __name__ == "__main__":
    main()
