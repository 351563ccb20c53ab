"""Our arrays through DiffusionAnalyzer give what the library gives when it is called on structures directly.

The library's own LGPS test file is not in its package, so its regression numbers are not repeated here.
"""

from itertools import pairwise

import numpy as np
import pytest
from superion.errors import AnalysisError
from superion.transport.diffusion_analyzer import cross_check, diffusion_analyzer
from superion.transport.displacement_run import DisplacementRun

CELL = np.array([[10.0, 0, 0], [0.5, 11.0, 0], [-0.7, 0.9, 12.0]])
SYMBOLS = ["Li"] * 12 + ["P"] * 4 + ["S"] * 8
FRAME_INTERVAL_PS = 0.05


def make_run(n_frames: int = 1500) -> DisplacementRun:
    """Ions that hop, a framework that rattles, and a drift of everything."""
    generator = np.random.default_rng(11)
    positions = np.empty((n_frames, 24, 3))
    start = generator.random((24, 3)) @ CELL
    positions[:, :12] = start[:12] + np.cumsum(generator.normal(0, 0.12, (n_frames, 12, 3)), axis=0)
    positions[:, 12:] = start[12:] + generator.normal(0, 0.1, (n_frames, 12, 3))
    positions += np.linspace(0, 2, n_frames)[:, None, None]
    return DisplacementRun(
        positions_angstrom=positions,
        mobile_indices=np.arange(12),
        framework_indices=np.arange(12, 24),
        masses_amu=np.array([6.94] * 12 + [30.97] * 4 + [32.06] * 8),
        frame_interval_ps=FRAME_INTERVAL_PS,
        volume_angstrom3=float(np.linalg.det(CELL)),
        temperature_k=700.0,
        cell_angstrom=CELL,
    )


@pytest.mark.parametrize("smoothed", ["max", "constant"])
def test_equal_to_the_library_called_directly(smoothed: str) -> None:
    from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer
    from pymatgen.core import Lattice, Structure

    run = make_run()
    structures = [
        Structure(Lattice(CELL), SYMBOLS, frame, coords_are_cartesian=True, to_unit_cell=True)
        for frame in run.positions_angstrom
    ]
    direct = DiffusionAnalyzer.from_structures(
        structures, "Li", 700.0, time_step=50, step_skip=1, smoothed=smoothed, min_obs=30
    )
    ours = diffusion_analyzer(run, SYMBOLS, "Li", smoothed=smoothed)
    np.testing.assert_allclose(ours.dt, direct.dt)
    np.testing.assert_allclose(ours.msd, direct.msd, rtol=1e-9)
    np.testing.assert_allclose(ours.mscd, direct.mscd, rtol=1e-9)
    result = cross_check(run, SYMBOLS, "Li", smoothed=smoothed)
    assert result.diffusivity_cm2_s == pytest.approx(direct.diffusivity, rel=1e-9)
    assert result.charge_diffusivity_cm2_s == pytest.approx(direct.chg_diffusivity, rel=1e-9)
    assert result.haven_ratio == pytest.approx(direct.haven_ratio, rel=1e-9)
    assert result.conductivity_ms_cm == pytest.approx(direct.conductivity, rel=1e-9)
    assert result.charge_conductivity_ms_cm == pytest.approx(direct.chg_conductivity, rel=1e-9)


def test_our_msd_is_the_library_s_msd() -> None:
    from superion.transport.msd import collective_msd, tracer_msd

    run = make_run()
    theirs = diffusion_analyzer(run, SYMBOLS, "Li")
    lags = np.rint(theirs.dt / 50).astype(int)
    framework = run.positions_angstrom[:, 12:].mean(axis=1)
    options = {"indices": np.arange(12), "drift_angstrom": framework - framework[0]}
    ours = tracer_msd(run.positions_angstrom, lags, **options)
    np.testing.assert_allclose(ours.sum(axis=1), theirs.msd, rtol=1e-9)
    collective = collective_msd(run.positions_angstrom, lags, **options)
    np.testing.assert_allclose(collective.sum(axis=1), theirs.mscd, rtol=1e-9)


def test_library_and_our_estimate_agree_within_the_error() -> None:
    from superion.transport.analysis import analyze_diffusion

    run = make_run(4000)
    ours = analyze_diffusion([run], mobile_ion="Li", ion_charge=1.0).tracer
    theirs = cross_check(run, SYMBOLS, "Li").diffusivity_cm2_s
    truth = 0.12**2 / (2 * FRAME_INTERVAL_PS) * 1e-4
    assert abs(ours.value_cm2_s - truth) < 4 * ours.standard_error_cm2_s
    # The library fits lags up to 12/30 of the run: 2.5 independent stretches of 12 ions and 3 axes.
    assert abs(theirs / truth - 1) < 3 * np.sqrt(2 / (2.5 * 12 * 3))


def test_mistakes_are_clear() -> None:
    run = make_run(100)
    without_cell = DisplacementRun(*(getattr(run, name) for name in list(DisplacementRun.__dataclass_fields__)[:7]))
    for arguments, words in (
        ((without_cell, SYMBOLS, "Li"), "needs the cell"),
        ((run, SYMBOLS[:-1], "Li"), "23 symbols for 24 atoms"),
        ((run, SYMBOLS, "Na"), "needs both Na and framework"),
        ((run, ["Li"] * 24, "Li"), "needs both Li and framework"),
        ((run.frames(0, 10), SYMBOLS, "Li"), "give a longer one"),
    ):
        with pytest.raises(AnalysisError, match=words):
            cross_check(*arguments)


def test_library_error_bar_is_left_out_because_it_changes_with_the_frame_spacing() -> None:
    run = make_run(6000)
    fine = diffusion_analyzer(run, SYMBOLS, "Li")
    coarse = diffusion_analyzer(
        DisplacementRun(
            run.positions_angstrom[::5], run.mobile_indices, run.framework_indices, run.masses_amu,
            5 * FRAME_INTERVAL_PS, run.volume_angstrom3, run.temperature_k, CELL,
        ), SYMBOLS, "Li",
    )  # fmt: skip
    relative = [analyzer.diffusivity_std_dev / analyzer.diffusivity for analyzer in (fine, coarse)]
    assert all(later != pytest.approx(earlier, rel=0.05) for earlier, later in pairwise(relative))
    assert max(relative) < 0.02  # while twelve walkers over 300 ps cannot do better than several per cent
