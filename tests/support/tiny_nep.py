"""A real NEP file, small enough for tests: random weights in the text format that GPUMD writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

ELEMENTS = ("Li", "P", "S", "Cl")
_N_MAX, _BASIS_SIZE, _L_MAX, _NEURONS = 2, 3, 3, 5


def write_tiny_nep(path: Path, *, seed: int = 3, elements: tuple[str, ...] = ELEMENTS, zbl: bool = True) -> Path:
    """Write a NEP4 of five neurons whose repulsion at close distance keeps dynamics bounded."""
    generator = np.random.default_rng(seed)
    n_elements = len(elements)
    dimension = (_N_MAX + 1) * (1 + _L_MAX)
    n_network = (dimension + 2) * _NEURONS * n_elements + 1
    n_descriptor = n_elements**2 * 2 * (_N_MAX + 1) * (_BASIS_SIZE + 1)
    numbers = generator.normal(scale=0.3, size=n_network + n_descriptor)
    lines = [
        f"nep4{'_zbl' if zbl else ''} {n_elements} {' '.join(elements)}",
        *(["zbl 1 2"] if zbl else []),
        "cutoff 5 4 200 100",
        f"n_max {_N_MAX} {_N_MAX}",
        f"basis_size {_BASIS_SIZE} {_BASIS_SIZE}",
        f"l_max {_L_MAX} 0 0",
        f"ANN {_NEURONS} 0",
        *(f"{number:.7e}" for number in numbers),
        *(f"{0.5:.7e}" for _ in range(dimension)),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
