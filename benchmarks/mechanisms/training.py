"""The family of mechanisms from which corrections are learned: wider than the catalogue that judges them."""

from __future__ import annotations

from functools import partial

import numpy as np
from superion.transport.calibration import CALIBRATION_KINDS
from superion.transport.synthetic import SyntheticWalk

from . import groups, lattice_gas, waiting_times
from .catalogue import Draw

LENGTHS = (500, 1000, 2000)
"""Frames of 0.1 ps."""


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _old(rng: np.random.Generator, n_trajectories: int, n_frames: int, *, kind: str) -> list[SyntheticWalk]:
    sizes = rng.choice([8, 24, 64], n_trajectories)
    return [CALIBRATION_KINDS[kind](rng, int(n_ions), n_frames) for n_ions in sizes]


def _gas(
    rng: np.random.Generator, n_trajectories: int, n_frames: int, *, lattice: str, cells: int, vacant: float
) -> list[SyntheticWalk]:
    rate = _log_uniform(rng, 0.2, 0.8)
    return lattice_gas.lattice_gas(
        rng, n_trajectories, n_frames, lattice=lattice, cells=cells, vacant=vacant, attempts_per_ps=rate
    )


def _hyperexponential(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
    mean_ps = _log_uniform(rng, 3.0, 10.0)
    law = waiting_times.hyperexponential(mean_ps, float(rng.uniform(0.05, 0.3)), _log_uniform(rng, 8.0, 40.0))
    return waiting_times.waiting(rng, n_trajectories, n_frames, waits=law, mean_ps=mean_ps)


def _power_law(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
    mean_ps = _log_uniform(rng, 3.0, 10.0)
    law = waiting_times.power_law(mean_ps, float(rng.uniform(2.2, 3.5)))
    return waiting_times.waiting(rng, n_trajectories, n_frames, waits=law, mean_ps=mean_ps)


def _groups(rng: np.random.Generator, n_trajectories: int, n_frames: int, *, size: int) -> list[SyntheticWalk]:
    # One walker needs more hops for a value.
    rate = _log_uniform(rng, 0.05, 0.2) * (3.0 if size == 24 else 1.0)
    rattle = float(rng.choice([0.0, 0.0, 0.3]))
    return groups.groups(rng, n_trajectories, n_frames, size=size, hops_per_ps=rate, rattle_angstrom=rattle)


FAMILIES: dict[str, dict[str, Draw]] = {
    **{kind: {kind: partial(_old, kind=kind)} for kind in CALIBRATION_KINDS},
    **{
        f"gas {lattice}": {
            f"gas {lattice} {vacant:.0%}": partial(_gas, lattice=lattice, cells=cells, vacant=vacant)
            for other, cells, vacant in lattice_gas.CORRELATION_FACTORS
            if other == lattice
        }
        for lattice in ("sc", "fcc", "bcc")
    },
    "hyperexponential": {"hyperexponential": _hyperexponential},
    "power law": {"power law": _power_law},
    **{f"groups of {size}": {f"groups of {size}": partial(_groups, size=size)} for size in (2, 4, 8, 24)},
}
"""Mechanisms by family; a whole family is left out at a time to see what holds for the unseen."""
