"""A few synthetic walks seen by kinisi: both must hold the truth, and each other."""

from __future__ import annotations

import numpy as np
import pytest
from superion.transport.analysis import DiffusionSettings, analyze_diffusion
from superion.transport.synthetic import gaussian_walk, lattice_walk

WALKS = {
    "plain": lambda rng: gaussian_walk(rng, n_ions=32, n_frames=600),
    "cage": lambda rng: lattice_walk(rng, n_ions=32, n_frames=600, hop_rate_per_ps=0.5, rattle_angstrom=0.3),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKS)
def test_agrees_with_kinisi(name: str) -> None:
    pytest.importorskip("kinisi")
    import scipp as sc
    from ase import Atoms
    from kinisi.analyze import DiffusionAnalyzer

    walk = WALKS[name](np.random.default_rng(3))
    positions = walk.positions_angstrom + 500.0
    symbols = "Li32Zr1"
    frames = [
        Atoms(symbols, positions=np.vstack([frame, [500.0, 500.0, 500.0]]), cell=[1000.0] * 3, pbc=True)
        for frame in positions
    ]
    peer = DiffusionAnalyzer.from_ase(
        frames,
        specie="Li",
        time_step=sc.scalar(walk.frame_interval_ps, unit="ps"),
        step_skip=sc.scalar(1),
        dt=sc.arange("time interval", 2.0, 20.0, 1.0, unit="ps"),
        progress=False,
    )
    peer.diffusion(sc.scalar(3.0, unit="ps"), progress=False, random_state=np.random.RandomState(1))
    samples = peer.D.values.ravel()
    unit = sc.to_unit(sc.scalar(1.0, unit=peer.D.unit), "cm^2/s").value
    theirs, their_error = samples.mean() * unit, samples.std() * unit
    ours = analyze_diffusion(
        [walk.as_run()], mobile_ion="Li", ion_charge=1, settings=DiffusionSettings(equilibration_ps=0.0)
    ).tracer
    assert abs(ours.value_cm2_s - theirs) < 3 * np.hypot(ours.standard_error_cm2_s, their_error)
