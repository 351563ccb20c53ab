"""The mechanisms by name, in the groups in which they are judged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from superion.transport.calibration import CALIBRATION_KINDS
from superion.transport.synthetic import SyntheticWalk

from . import exchange, groups, held_out, lattice_gas, waiting_times

Draw = Callable[[np.random.Generator, int, int], list[SyntheticWalk]]


def _many(kind: str) -> Draw:
    def draw(rng: np.random.Generator, n_trajectories: int, n_frames: int) -> list[SyntheticWalk]:
        return [CALIBRATION_KINDS[kind](rng, 24, n_frames) for _ in range(n_trajectories)]

    return draw


def _waiting(law: Callable[[float], tuple[waiting_times.Draw, waiting_times.Draw]], mean_ps: float) -> Draw:
    return partial(waiting_times.waiting, waits=law(mean_ps), mean_ps=mean_ps)


OLD: dict[str, Draw] = {kind: _many(kind) for kind in CALIBRATION_KINDS}
GASES: dict[str, Draw] = {
    f"gas {lattice} {vacant:.0%} vacant": partial(lattice_gas.lattice_gas, lattice=lattice, cells=cells, vacant=vacant)
    for lattice, cells, vacant in lattice_gas.CORRELATION_FACTORS
}
TAILS: dict[str, Draw] = {
    "waits hyperexponential": _waiting(waiting_times.hyperexponential, 5.0),
    "waits power law": _waiting(waiting_times.power_law, 5.0),
}
GROUPS: dict[str, Draw] = {
    "groups of 4": partial(groups.groups, size=4),
    "groups of 8": partial(groups.groups, size=8),
    # One walker: enough hops for a value in the shorter runs too.
    "groups of 24": partial(groups.groups, size=24, hops_per_ps=0.4),
    "groups of 4, rattling": partial(groups.groups, size=4, rattle_angstrom=0.3),
}
UNEVEN: dict[str, Draw] = {
    "trapped for good": exchange.exchanging,
    "exchanging in 200 ps": partial(exchange.exchanging, release_per_ps=1.0 / 200.0),
    "exchanging in 50 ps": partial(exchange.exchanging, release_per_ps=1.0 / 50.0),
    "pace jumps fivefold": exchange.jumping_pace,
}
HELD_OUT: dict[str, Draw] = {
    "ring exchange": held_out.ring_exchange,
    "chains of 3, own directions": held_out.chains,
    "one dimension": partial(held_out.along_axes, shares=(1.0, 0.0, 0.0)),
    "two dimensions": partial(held_out.along_axes, shares=(0.5, 0.5, 0.0)),
    "anisotropic": partial(held_out.along_axes, shares=(0.6, 0.3, 0.1)),
    "underdamped": held_out.underdamped,
    "groups of 6": partial(groups.groups, size=6),
    "correlated Brownian": held_out.drifting_together,
    "waits hyperexponential, 10 ps": partial(
        waiting_times.waiting, waits=waiting_times.hyperexponential(10.0, 0.2, 15.0), mean_ps=10.0
    ),
}
CATALOGUE: dict[str, Draw] = OLD | GASES | TAILS | GROUPS | UNEVEN | HELD_OUT
