"""Ruling out: the arithmetic, and the price of looking often."""

from __future__ import annotations

import math

import pytest
from superion.errors import AnalysisError
from superion.transport.ruled_out import greatest_sigma_300k_ms_cm, is_ruled_out, sequential_confidence


def test_the_formula_of_the_bound() -> None:
    expected = 600 / 300 * 50.0 * math.exp(-0.2 / 8.617333262e-5 * (1 / 300 - 1 / 600))
    assert greatest_sigma_300k_ms_cm(50.0, 600.0, 0.2) == pytest.approx(expected, rel=1e-12)


def test_at_300_k_the_bound_is_the_bound() -> None:
    assert greatest_sigma_300k_ms_cm(3.0, 300.0) == pytest.approx(3.0)


def test_a_smaller_barrier_rules_out_less() -> None:
    assert is_ruled_out(20.0, 800.0, 1.0, minimum_barrier_ev=0.3)
    assert not is_ruled_out(20.0, 800.0, 1.0, minimum_barrier_ev=0.05)


def test_cold_runs_are_refused() -> None:
    with pytest.raises(AnalysisError, match="300 K or higher"):
        greatest_sigma_300k_ms_cm(1.0, 250.0)


def test_endless_looks_spend_no_more_than_the_rate() -> None:
    assert sum(1 - sequential_confidence(look) for look in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)
