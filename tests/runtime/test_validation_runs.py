"""Student against teacher: over equal times, and only where there are neighbours."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from superion.errors import AnalysisError
from superion.runtime.validation_runs import pieces, radial_pairs
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.displacement_run import DisplacementRun


def rattled(seed: int, symbols: tuple[str, ...], places: np.ndarray, edge_angstrom: float) -> SimpleNamespace:
    """What `radial_pairs` reads of a trajectory."""
    generator = np.random.default_rng(seed)
    positions = places + generator.normal(scale=0.05, size=(20, *places.shape))
    return SimpleNamespace(
        symbols=symbols,
        n_frames=20,
        frame_interval_ps=0.1,
        mean_cell_angstrom=np.eye(3) * edge_angstrom,
        positions=lambda chosen: positions[chosen],
    )


def test_pairs_without_neighbours_are_left_out_and_the_others_judged():
    symbols, places = ("Li", "Li", "P"), np.array([[0.0, 0, 0], [2.0, 0, 0], [4.0, 4.0, 4.0]])
    one, other = (rattled(seed, symbols, places, 8.0) for seed in (1, 2))
    (pair,) = radial_pairs(one, other, 0.0)
    assert pair.pair == "Li-Li"
    assert 0.0 <= pair.difference < 0.7
    alone = rattled(1, ("Li", "P"), places[[0, 2]], 8.0)
    with pytest.raises(AnalysisError, match="validate in a larger one"):
        radial_pairs(alone, alone, 0.0)


def test_ions_that_hop_back_look_equally_fast_over_equal_times():
    """Ions that move within cages for 2 ps: a short run of the same dynamics agrees with pieces, not with the whole."""
    generator = np.random.default_rng(3)
    n_ions, n_frames = 60, 4000
    cage = np.zeros((n_frames, n_ions, 3))
    for frame in range(1, n_frames):
        cage[frame] = 0.99 * cage[frame - 1] + generator.normal(scale=0.2, size=(n_ions, 3))
    walk = np.cumsum(generator.normal(scale=0.02, size=(n_frames, n_ions, 3)), axis=0)
    positions = np.concatenate([cage + walk, np.zeros((n_frames, 10, 3))], axis=1)
    ions = np.arange(n_ions)
    run = DisplacementRun(positions, ions, np.arange(n_ions, n_ions + 10), np.ones(n_ions + 10), 0.05, 1e4, 500.0)

    def tracer(runs):
        settings = DiffusionSettings(equilibration_ps=0.0)
        return analyze_diffusion(runs, mobile_ion="Li", ion_charge=1.0, settings=settings).tracer.law.estimate_cm2_s

    cut = pieces(run, 200)
    assert len(cut) == 20
    assert all(np.shares_memory(piece.positions_angstrom, positions) for piece in cut)
    short, long = tracer(cut), tracer([run])
    assert tracer(pieces(run, 200)[:5]) == pytest.approx(short, rel=0.35)
    assert short > 1.5 * long
    assert pieces(run, n_frames) == [run]
