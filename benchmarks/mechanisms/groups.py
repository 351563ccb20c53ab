"""Groups of ions that hop as one, at rest between the hops or rattling."""

from __future__ import annotations

import numpy as np
from superion.transport.synthetic import SyntheticWalk, lattice_walk


def groups(
    rng: np.random.Generator,
    n_trajectories: int,
    n_frames: int,
    *,
    size: int = 4,
    rattle_angstrom: float = 0.0,
    hops_per_ps: float = 0.1,
    n_ions: int = 24,
) -> list[SyntheticWalk]:
    """Draw walks whose groups hop by one step; the charge diffusivity is the tracer's times the group's size."""
    return [
        lattice_walk(
            rng,
            n_ions=n_ions,
            n_frames=n_frames,
            hop_rate_per_ps=hops_per_ps,
            rattle_angstrom=rattle_angstrom,
            group_size=size,
        )
        for _ in range(n_trajectories)
    ]
