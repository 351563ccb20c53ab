"""Learn the corrections of `superion.transport.learned_correction` from samples and print them.

Run from `benchmarks/`, with the file that `samples.py` has written (some minutes on one core):

    OMP_NUM_THREADS=1 python -m mechanisms.learn SAMPLES.npz

The constants that it prints are put into that file by hand. Beside them stands how often intervals hold for families of
mechanisms that were left out of the fit.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, gammainc, ndtr, ndtri

SHIFT_FEATURES = ("straight", "tail", "log_walkers", "log_hops_per_ion", "memory")
WIDTH_FEATURES = ("straight", "onset", "log_error", "rarity", "log_hops")

_TAIL = 8.0
"""Degrees of freedom of the Student law that errors are taken to have, so that a few wild runs do not decide."""

_RIDGE = 0.01
_COVERAGE_PRICE = 0.08
"""What coverages and medians of single mechanisms that are off by `_TOLERANCES` cost, beside the likelihood."""

_TOLERANCES = (0.05, 0.025, 0.1)
_SOFTNESS = 0.12
_GREATEST_SCORE = 5.0
_WITHIN_68, _WITHIN_95 = float(ndtri(0.84)), float(ndtri(0.975))


@dataclass(frozen=True)
class Samples:
    """Diffusivities of one kind from many trajectories, before any correction.

    Parameters
    ----------
    group : ndarray of str, shape (n,)
        Mechanism and length, which together count as much as any other.
    family : ndarray of str, shape (n,)
        What is left out together.
    features : mapping of str to ndarray, shape (n,)
        The `MotionFeatures` of each, by name.
    law : ndarray, shape (n, 3)
        Estimate over truth, Gaussian relative variance, counting quantum over truth.
    axis_law : ndarray, shape (n, 3, 3)
        The same along each axis; nan where there are too few hops along it.
    """

    group: NDArray[np.str_]
    family: NDArray[np.str_]
    features: Mapping[str, NDArray[np.float64]]
    law: NDArray[np.float64]
    axis_law: NDArray[np.float64]

    def part(self, chosen: NDArray[np.bool_]) -> Samples:
        """Keep some."""
        features = {name: values[chosen] for name, values in self.features.items()}
        return Samples(self.group[chosen], self.family[chosen], features, self.law[chosen], self.axis_law[chosen])

    def design(self, names: tuple[str, ...], ranges: Mapping[str, tuple[float, float]]) -> NDArray[np.float64]:
        """Give a constant and some features, each within its range, as columns."""
        columns = [np.clip(self.features[name], *ranges[name]) for name in names]
        return np.column_stack([np.ones(len(self.law)), *columns])

    @property
    def relative_error(self) -> NDArray[np.float64]:
        """Relative error of each."""
        return np.sqrt(self.law[:, 1] + self.law[:, 2] / self.law[:, 0])


@dataclass(frozen=True)
class Correction:
    """What was learned.

    Parameters
    ----------
    ranges : mapping of str to tuple of float
        Range of each feature.
    shift, log_width : ndarray
        Standard errors by which values are too high, and logarithm of the factor on them: slopes by
        `SHIFT_FEATURES` and `WIDTH_FEATURES`, behind a constant.
    """

    ranges: Mapping[str, tuple[float, float]]
    shift: NDArray[np.float64]
    log_width: NDArray[np.float64]

    def of(self, samples: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give factor on the value and factor on the error of each."""
        shift = samples.design(SHIFT_FEATURES, self.ranges) @ self.shift
        width = np.exp(samples.design(WIDTH_FEATURES, self.ranges) @ self.log_width)
        return np.exp(-shift * samples.relative_error), width


def scores(law: NDArray[np.float64], factor: NDArray[np.float64], width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the standard errors by which corrected estimates lie above the truth, were their laws right.

    The laws are those of `superion.transport.intervals.probability_below`, for many at once.
    """
    estimate, gaussian, counting = law[:, 0] * factor, law[:, 1] * width**2, law[:, 2] * factor * width**2
    variance = gaussian + counting
    skewness = (2.0 * gaussian**2 + 3.0 * gaussian * counting + counting**2) / variance**1.5
    score = (estimate - 1.0) / np.sqrt(variance)
    shape = 4.0 / np.maximum(skewness, 1e-3) ** 2
    skewed = gammainc(shape, np.maximum(0.0, shape + score * np.sqrt(shape)))
    below = np.where(skewness < 1e-3, ndtr(score), skewed)
    return np.asarray(ndtri(np.clip(below, 1e-9, 1.0 - 1e-9)))


def feature_ranges(samples: Samples) -> dict[str, tuple[float, float]]:
    """Give the range of each feature that all but one in a hundred are in at either end."""
    return {
        name: (round(float(np.quantile(values, 0.01)), 2), round(float(np.quantile(values, 0.99)), 2))
        for name, values in samples.features.items()
    }


def learn(samples: Samples, ranges: Mapping[str, tuple[float, float]]) -> Correction:
    """Learn a correction: by the likelihood of all errors, and by the coverage of each mechanism by itself."""
    score = np.clip(
        scores(samples.law, np.ones(len(samples.law)), np.ones(len(samples.law))), -_GREATEST_SCORE, _GREATEST_SCORE
    )
    shifts, widths = samples.design(SHIFT_FEATURES, ranges), samples.design(WIDTH_FEATURES, ranges)
    mean_of_group = _means(samples.group)
    n_shifts = shifts.shape[1]

    def loss(parameters: NDArray[np.float64]) -> float:
        log_width = widths @ parameters[n_shifts:]
        residual = (score - shifts @ parameters[:n_shifts]) * np.exp(-log_width)
        surprise = log_width + 0.5 * (_TAIL + 1.0) * np.log1p(residual**2 / (_TAIL - 2.0))
        in_68 = mean_of_group @ expit((_WITHIN_68 - np.abs(residual)) / _SOFTNESS)
        in_95 = mean_of_group @ expit((_WITHIN_95 - np.abs(residual)) / _SOFTNESS)
        off = np.array([in_68 - 0.68, in_95 - 0.95, mean_of_group @ np.tanh(residual)])
        price = _COVERAGE_PRICE * np.mean(np.sum((off / np.array(_TOLERANCES)[:, None]) ** 2, axis=0))
        slopes = np.delete(parameters, [0, n_shifts])
        return float(np.mean(mean_of_group @ surprise) + price + 0.5 * _RIDGE * np.sum(slopes**2))

    found = minimize(loss, np.zeros(n_shifts + widths.shape[1]), method="L-BFGS-B", options={"maxiter": 300}).x
    return Correction(ranges, found[:n_shifts], found[n_shifts:])


def axis_width(samples: Samples, correction: Correction) -> float:
    """Give the factor along axes, beyond the correction of the whole, with which 68 % of the scores hold on average."""
    factor, width = correction.of(samples)
    measured = np.all(np.isfinite(samples.axis_law), axis=(1, 2))
    chosen, factor, width = samples.part(measured), factor[measured], width[measured]
    mean_of_group = _means(chosen.group)
    trials = np.geomspace(0.7, 1.5, 60)
    held = [
        np.mean(
            [
                np.mean(mean_of_group @ (np.abs(scores(chosen.axis_law[:, axis], factor, trial * width)) < _WITHIN_68))
                for axis in range(3)
            ]
        )
        for trial in trials
    ]
    return float(np.interp(0.68, held, trials))


def _means(group: NDArray[np.str_]) -> NDArray[np.float64]:
    """Give the matrix that takes one number for each sample to its mean over each group."""
    names, inverse, counts = np.unique(group, return_inverse=True, return_counts=True)
    matrix = np.zeros((len(names), len(group)))
    matrix[inverse, np.arange(len(group))] = 1.0 / counts[inverse]
    return matrix


def read_samples(file: str) -> dict[str, Samples]:
    """Read what `samples.py` has written, for the tracer and for the charge diffusivity."""
    with np.load(file) as stored:
        names = [str(name) for name in stored["feature_names"]]
        return {
            kind: Samples(
                stored[f"{kind}_group"],
                stored[f"{kind}_family"],
                dict(zip(names, stored[f"{kind}_features"].T, strict=True)),
                stored[f"{kind}_law"],
                stored[f"{kind}_axis_law"],
            )
            for kind in ("tracer", "charge")
        }


def main() -> None:
    """Learn from the file that the command line names."""
    both = read_samples(sys.argv[1])
    ranges = feature_ranges(both["tracer"])
    print("RANGES =", ranges)
    for kind, samples in both.items():
        correction = learn(samples, ranges)
        for name, terms, slopes in (
            ("SHIFT", SHIFT_FEATURES, correction.shift),
            ("LOG_WIDTH", WIDTH_FEATURES, correction.log_width),
        ):
            print(f"{name}[{kind!r}] =", dict(zip(("constant", *terms), slopes.round(3).tolist(), strict=True)))
        print(f"AXIS_WIDTH[{kind!r}] =", round(axis_width(samples, correction), 3), flush=True)
        for family in dict.fromkeys(samples.family):
            others = learn(samples.part(samples.family != family), ranges)
            for title, fitted in (("without", others), ("with", correction)):
                left_out = samples.part(samples.family == family)
                score = np.abs(scores(left_out.law, *fitted.of(left_out)))
                held = f"{np.mean(score < _WITHIN_68):.3f} {np.mean(score < _WITHIN_95):.3f}"
                bias = np.mean(left_out.law[:, 0] * fitted.of(left_out)[0]) - 1.0
                print(f"  {title} {family}: {held} of it held, mean {bias:+.3f}", flush=True)


if __name__ == "__main__":
    main()
