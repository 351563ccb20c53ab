"""Intervals hold what they promise: a small set here, the full one with `-m slow`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import pytest
from superion.transport.calibration import (
    CALIBRATION_CELLS,
    CALIBRATION_KINDS,
    Coverage,
    Outcome,
    adaptive_run,
    coverage,
    outcomes_of_one,
)

LIMITS_68 = (0.64, 0.72)
LIMITS_95 = (0.93, 0.97)
FALSE_RULED_OUT = 0.05
TARGET = 0.2
# Three standard deviations of a binomial count, for sets smaller than the full one.
SIGMAS = 3.0


def tolerance(rate: float, n: int) -> float:
    return SIGMAS * math.sqrt(rate * (1 - rate) / n)


def assert_calibrated(rate: Coverage, small: bool) -> None:
    slack_68 = tolerance(0.68, rate.n) if small else 0.0
    slack_95 = tolerance(0.95, rate.n) if small else 0.0
    assert LIMITS_68[0] - slack_68 <= rate.coverage_68 <= LIMITS_68[1] + slack_68, rate
    assert LIMITS_95[0] - slack_95 <= rate.coverage_95 <= LIMITS_95[1] + slack_95, rate


def in_two_processes(function: Callable[[int], Any], seeds: Sequence[int]) -> list[Any]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(function, seeds, chunksize=10))


@pytest.mark.parametrize("kind", CALIBRATION_KINDS)
def test_small_set(kind: str) -> None:
    pairs = [
        outcomes_of_one(kind, n_ions, n_frames, 10_000 + seed)
        for n_ions, n_frames in CALIBRATION_CELLS
        for seed in range(12)
    ]
    assert_calibrated(coverage([tracer for tracer, _ in pairs]), small=True)
    assert_calibrated(coverage([charge for _, charge in pairs]), small=True)


@pytest.mark.slow
def test_small_set_under_the_stopping_rules() -> None:
    followed = [adaptive_run(kind, 24, 400, 20_000 + seed, TARGET) for kind in CALIBRATION_KINDS for seed in range(30)]
    assert_calibrated(coverage([claimed for claimed, _ in followed]), small=True)
    errors = sum(error for _, error in followed) / len(followed)
    assert errors <= FALSE_RULED_OUT + tolerance(FALSE_RULED_OUT, len(followed))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", CALIBRATION_KINDS)
def test_full_set(kind: str) -> None:
    pairs: list[tuple[Outcome, Outcome]] = []
    for n_ions, n_frames in CALIBRATION_CELLS:
        pairs += in_two_processes(partial(outcomes_of_one, kind, n_ions, n_frames), range(250))
    assert len(pairs) == 1500
    assert_calibrated(coverage([tracer for tracer, _ in pairs]), small=False)
    assert_calibrated(coverage([charge for _, charge in pairs]), small=False)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", CALIBRATION_KINDS)
def test_full_set_under_the_stopping_rules(kind: str) -> None:
    followed: list[tuple[Outcome, bool]] = []
    for n_ions in (8, 24, 64):
        job = partial(adaptive_run, kind, n_ions, 1000, target_relative_error=TARGET)
        followed += in_two_processes(job, range(500))
    assert len(followed) == 1500
    assert_calibrated(coverage([claimed for claimed, _ in followed]), small=False)
    assert sum(error for _, error in followed) / len(followed) <= FALSE_RULED_OUT
