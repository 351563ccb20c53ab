"""One temperature analysed: values, bounds, flags, invariances, and what bad input gets."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.errors import AnalysisError
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.conductivity import conductivity_per_diffusivity
from superion.transport.displacement_run import DisplacementRun
from superion.transport.results import DiffusionResult
from superion.transport.synthetic import gaussian_walk, lattice_walk

SETTINGS = DiffusionSettings(equilibration_ps=0.0)


def analyze(*runs: DisplacementRun, charge: float = 1.0) -> DiffusionResult:
    return analyze_diffusion(runs, mobile_ion="Li", ion_charge=charge, settings=SETTINGS)


def moved(run: DisplacementRun, **changes: object) -> DisplacementRun:
    return dataclasses.replace(run, **changes)


@pytest.fixture(scope="module")
def run() -> DisplacementRun:
    return lattice_walk(
        np.random.default_rng(7), n_ions=16, n_frames=800, hop_rate_per_ps=0.2, rattle_angstrom=0.3
    ).as_run()


@pytest.fixture(scope="module")
def result(run: DisplacementRun) -> DiffusionResult:
    return analyze(run)


def assert_same(one: DiffusionResult, two: DiffusionResult, factor: float = 1.0, rtol: float = 1e-6) -> None:
    for name in ("tracer", "charge"):
        first, second = getattr(one, name), getattr(two, name)
        assert second.value_cm2_s == pytest.approx(first.value_cm2_s * factor, rel=rtol)
        assert second.relative_error == pytest.approx(first.relative_error, rel=rtol)
        assert second.upper_bound_95_cm2_s == pytest.approx(first.upper_bound_95_cm2_s * factor, rel=rtol)


def test_axes_add_up_and_intervals_nest(result: DiffusionResult) -> None:
    tracer = result.tracer
    assert np.mean(tracer.per_axis_cm2_s) == pytest.approx(tracer.value_cm2_s, rel=1e-9)
    assert tracer.interval_95_cm2_s[0] < tracer.interval_68_cm2_s[0] < tracer.value_cm2_s
    assert tracer.value_cm2_s < tracer.interval_68_cm2_s[1] < tracer.interval_95_cm2_s[1]
    assert tracer.degrees_of_freedom == pytest.approx(2 / tracer.relative_error**2)
    assert len(result.msd.lag_ps) <= 200
    assert result.usable
    assert result.exclusion_reason is None


def test_conductivity_follows_from_diffusivity(result: DiffusionResult) -> None:
    factor = conductivity_per_diffusivity(16, 1.0, 16 * 40.0, 600.0)
    assert result.nernst_einstein.value_ms_cm == pytest.approx(result.tracer.value_cm2_s * factor)
    assert result.collective.interval_95_ms_cm[1] == pytest.approx(result.charge.interval_95_cm2_s[1] * factor)
    ratio = result.nernst_einstein.value_ms_cm / result.collective.value_ms_cm
    assert result.haven_ratio.value == pytest.approx(ratio)
    assert result.haven_ratio.interval_68[0] < ratio < result.haven_ratio.interval_68[1]


def test_charge_enters_squared(run: DisplacementRun, result: DiffusionResult) -> None:
    doubly = analyze(run, charge=2.0)
    assert doubly.nernst_einstein.value_ms_cm == pytest.approx(4 * result.nernst_einstein.value_ms_cm)


def test_known_garnet_conductivity() -> None:
    assert 6.8075e-9 * conductivity_per_diffusivity(56, 1, 12.98**3, 300.0) == pytest.approx(1.0804, rel=5e-5)


def test_frames_of_another_length_rescale_the_time(run: DisplacementRun, result: DiffusionResult) -> None:
    slower = analyze_diffusion(
        [moved(run, frame_interval_ps=0.2)],
        mobile_ion="Li",
        ion_charge=1,
        # The one time that is physical, not counted in frames.
        settings=SETTINGS.model_copy(update={"shortest_lag_ps": 2 * SETTINGS.shortest_lag_ps}),
    )
    assert_same(result, slower, factor=0.5)


def test_vibrations_are_not_fitted() -> None:
    walk = gaussian_walk(np.random.default_rng(1), n_ions=20, n_frames=2000, frame_interval_ps=0.02)
    result = analyze(walk.as_run())
    assert result.tracer.fit_window_ps[0] >= 0.399
    assert not result.flags
    assert "too short to tell diffusion from vibration" in analyze(walk.as_run(n_frames=100)).flags


def test_a_scaled_world_rescales_the_value(run: DisplacementRun, result: DiffusionResult) -> None:
    scaled = moved(run, positions_angstrom=run.positions_angstrom * 1.1, volume_angstrom3=run.volume_angstrom3 * 1.331)
    assert_same(result, analyze(scaled), factor=1.21)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_invariances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    run = lattice_walk(rng, n_ions=8, n_frames=200, hop_rate_per_ps=0.5, rattle_angstrom=0.3).as_run()
    reference = analyze(run)
    shifted = moved(run, positions_angstrom=run.positions_angstrom + rng.normal(0, 5, 3))
    assert_same(reference, analyze(shifted))
    # A drift of the whole cell is taken off with the framework.
    drift = np.cumsum(rng.normal(0, 0.1, (200, 1, 3)), axis=0)
    drifting = moved(run, positions_angstrom=run.positions_angstrom + drift)
    assert_same(reference, analyze(drifting))
    order = rng.permutation(9)
    permuted = moved(
        run,
        positions_angstrom=run.positions_angstrom[:, order],
        masses_amu=run.masses_amu[order],
        mobile_indices=np.flatnonzero(order < 8),
        framework_indices=np.flatnonzero(order == 8),
    )
    assert_same(reference, analyze(permuted))


def test_rotation_leaves_the_totals(run: DisplacementRun, result: DiffusionResult) -> None:
    rotation, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))
    rotated = analyze(moved(run, positions_angstrom=run.positions_angstrom @ rotation))
    # The value sees only totals; its error knows the shares of the axes, which chance tilts a little.
    assert rotated.tracer.value_cm2_s == pytest.approx(result.tracer.value_cm2_s, rel=0.01)
    assert rotated.tracer.relative_error == pytest.approx(result.tracer.relative_error, rel=0.1)


def test_anisotropy_is_seen() -> None:
    walk = gaussian_walk(np.random.default_rng(2), n_ions=40, n_frames=800)
    flat = walk.as_run()
    flat = moved(flat, positions_angstrom=flat.positions_angstrom * np.array([1.0, 1.0, 0.1]))
    x, y, z = analyze(flat).tracer.per_axis_cm2_s
    assert z < 0.02 * x
    assert x == pytest.approx(y, rel=0.25)


def test_an_immobile_crystal_gets_a_bound_and_no_value() -> None:
    rng = np.random.default_rng(3)
    run = lattice_walk(rng, n_ions=10, n_frames=1000, hop_rate_per_ps=0.0, rattle_angstrom=0.3).as_run()
    result = analyze(run)
    assert result.tracer.value_cm2_s is None
    assert "diffusive hops" in result.tracer.withheld_reason
    assert not result.usable
    assert result.nernst_einstein.value_ms_cm is None
    # Three hops of the guessed distance are what an empty count allows.
    three_hops = 2.99 * result.hop_distance_angstrom**2 / (6 * 10 * result.duration_ps) * 1e-4
    assert three_hops < result.tracer.upper_bound_95_cm2_s < 6 * three_hops
    assert result.haven_ratio.value is None


def test_a_melting_framework_is_flagged_and_excluded() -> None:
    rng = np.random.default_rng(4)
    everything = gaussian_walk(rng, n_ions=30, n_frames=600, diffusivity_cm2_s=5e-5).positions_angstrom
    run = DisplacementRun(everything, np.arange(10), np.arange(10, 30), np.ones(30), 0.1, 1000.0, 900.0)
    result = analyze(run)
    assert "framework diffusing" in result.flags
    assert not result.usable
    assert "framework has moved" in result.exclusion_reason


def test_equilibration_is_cut() -> None:
    walk = gaussian_walk(np.random.default_rng(6), n_ions=8, n_frames=500)
    run = walk.as_run()
    heated = run.positions_angstrom.copy()
    heated[:100] += 50.0
    cut = analyze_diffusion(
        [moved(run, positions_angstrom=heated)],
        mobile_ion="Li",
        ion_charge=1,
        settings=DiffusionSettings(equilibration_ps=10.0),
    )
    assert cut.duration_ps == pytest.approx(39.9)
    assert_same(analyze(run.from_frame(100)), cut)


def test_haven_ratio_of_few_uncorrelated_walkers_admits_its_scatter() -> None:
    spans = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        walk = lattice_walk(rng, n_ions=10, n_frames=2000, hop_rate_per_ps=0.1, rattle_angstrom=0.3)
        haven = analyze(walk.as_run()).haven_ratio
        if haven.value is not None:
            spans.append(haven.interval_68[0] <= 1.0 <= haven.interval_68[1])
    assert len(spans) >= 8
    assert np.mean(spans) >= 0.4


def test_bad_input_gets_one_sentence(run: DisplacementRun) -> None:
    with pytest.raises(AnalysisError, match="no run"):
        analyze()
    with pytest.raises(AnalysisError, match="run longer"):
        analyze(run.frames(0, 10))
    with pytest.raises(AnalysisError, match="different cells"):
        analyze(run, moved(run, mobile_indices=np.arange(5)))
    with pytest.raises(AnalysisError, match="each temperature separately"):
        analyze(run, moved(run, temperature_k=700.0))
    with pytest.raises(AnalysisError, match="one frame interval"):
        analyze(run, moved(run, frame_interval_ps=0.2))
    with pytest.raises(AnalysisError, match="no mobile ion"):
        moved(run, mobile_indices=np.array([], dtype=int))
    with pytest.raises(AnalysisError, match="positive number"):
        moved(run, temperature_k=-5.0)
    with pytest.raises(AnalysisError, match="points outside"):
        moved(run, mobile_indices=np.array([99]))
    with pytest.raises(AnalysisError, match="masses"):
        moved(run, masses_amu=np.ones(3))
    with pytest.raises(AnalysisError, match="shape"):
        moved(run, positions_angstrom=np.zeros((5, 3)))


def test_frozen_ions_are_refused_in_a_sentence():
    walk = gaussian_walk(np.random.default_rng(1), n_ions=4, n_frames=100)
    run = dataclasses.replace(walk, positions_angstrom=np.ones_like(walk.positions_angstrom)).as_run()
    with pytest.raises(AnalysisError, match="do not move at all"):
        analyze_diffusion([run], mobile_ion="Li", ion_charge=1)
