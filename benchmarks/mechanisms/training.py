"""The family of mechanisms from which corrections are learned: wider than the catalogue that judges them."""

from __future__ import annotations

from functools import partial

import numpy as np
from superion.transport.synthetic import SyntheticWalk, back_hop_walk, gaussian_walk, lattice_walk

from . import exchange, groups, lattice_gas, waiting_times
from .catalogue import Draw

LENGTHS = (300, 500, 1000, 2000)
"""Frames of 0.1 ps."""

_CELLS = (8, 24, 64)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _brownian(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
    return [
        gaussian_walk(
            rng, n_ions=int(rng.choice(_CELLS)), n_frames=n_frames, diffusivity_cm2_s=_log_uniform(rng, 3e-6, 3e-5)
        )
        for _ in range(n_trajectories)
    ]


def _hops(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
    return [
        lattice_walk(
            rng, n_ions=int(rng.choice(_CELLS)), n_frames=n_frames, hop_rate_per_ps=_log_uniform(rng, 0.03, 0.3)
        )
        for _ in range(n_trajectories)
    ]


def _cage(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
    return [
        lattice_walk(
            rng,
            n_ions=int(rng.choice(_CELLS)),
            n_frames=n_frames,
            hop_rate_per_ps=_log_uniform(rng, 0.05, 0.2),
            rattle_angstrom=float(rng.uniform(0.15, 0.4)),
        )
        for _ in range(n_trajectories)
    ]


def _back_hops(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
    return [
        back_hop_walk(
            rng,
            n_ions=int(rng.choice(_CELLS)),
            n_frames=n_frames,
            residence_time_ps=_log_uniform(rng, 2.5, 8.0),
            return_probability=float(rng.uniform(0.4, 0.7)),
            rattle_angstrom=float(rng.choice([0.0, 0.3])),
        )
        for _ in range(n_trajectories)
    ]


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


def _trapped(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
    release_per_ps = 0.0 if rng.random() < 0.4 else 1.0 / _log_uniform(rng, 30.0, 400.0)
    return exchange.exchanging(
        rng,
        n_trajectories,
        n_frames,
        mobile=float(rng.uniform(0.2, 0.6)),
        hops_per_ps=_log_uniform(rng, 0.25, 1.0),
        release_per_ps=release_per_ps,
    )


FAMILIES: dict[str, dict[str, Draw]] = {
    "brownian": {"brownian": _brownian},
    "hops": {"hops": _hops},
    "cage": {"cage": _cage},
    "back hops": {"back hops": _back_hops},
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
    "trapped": {"trapped": _trapped},
}
"""Mechanisms by family; a whole family is left out at a time to see what holds for the unseen."""
