"""When to stop: the verdict, and when to look."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.convergence import GROWTH, ConvergenceVerdict, confirmed, convergence_verdict, is_look_due
from superion.transport.synthetic import lattice_walk

SETTINGS = DiffusionSettings(equilibration_ps=0.0)


def test_verdicts() -> None:
    walk = lattice_walk(np.random.default_rng(0), n_ions=20, n_frames=800, hop_rate_per_ps=0.3, rattle_angstrom=0.3)
    result = analyze_diffusion([walk.as_run()], mobile_ion="Li", ion_charge=1, settings=SETTINGS)
    error = result.tracer.relative_error
    assert convergence_verdict(result, error * 1.01).converged
    assert not convergence_verdict(result, error * 1.01, minimum_ps=100.0).converged
    verdict = convergence_verdict(result, error / 2)
    assert not verdict.converged
    assert verdict.length_factor == pytest.approx(4.0)


def test_a_withheld_value_never_converges() -> None:
    walk = lattice_walk(np.random.default_rng(0), n_ions=8, n_frames=300, hop_rate_per_ps=0.0, rattle_angstrom=0.3)
    result = analyze_diffusion([walk.as_run()], mobile_ion="Li", ion_charge=1, settings=SETTINGS)
    verdict = convergence_verdict(result, 10.0)
    assert not verdict.converged
    assert "diffusive hops" in verdict.message


def test_looks_grow_geometrically() -> None:
    looked, last = [], 0
    for n_frames in range(10, 100_000, 10):
        if is_look_due(n_frames, last):
            looked.append(n_frames)
            last = n_frames
    assert looked[0] == 50
    assert len(looked) < 45
    assert all(b >= 1.2 * a for a, b in itertools.pairwise(looked))


def test_a_target_met_once_must_be_met_again() -> None:
    met = ConvergenceVerdict(True, 0.15, 0.2, 1.0, "relative error of D 15% meets the target of 20%.")
    missed = ConvergenceVerdict(False, 0.25, 0.2, 1.6, "relative error of D 25%, target 20%.")
    first = confirmed(met, None)
    assert (first.converged, first.length_factor) == (False, GROWTH)
    assert "must confirm it" in first.message
    assert not confirmed(met, missed).converged
    assert confirmed(met, met) is met
    assert confirmed(missed, met) is missed
