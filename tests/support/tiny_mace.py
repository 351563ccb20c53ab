"""A real MACE model, small enough for tests: fixed seed, a universal short-range repulsion, stable dynamics."""

from __future__ import annotations

from pathlib import Path

ELEMENTS = ("H", "Li", "O", "F", "Na", "P", "S", "Cl", "Zr", "La")


def build_tiny_mace(
    path: Path,
    *,
    seed: int = 7,
    dtype: str = "float64",
    elements: tuple[str, ...] = ELEMENTS,
    channels: int = 16,
    max_ell: int = 2,
    correlation: int = 2,
    n_layers: int = 2,
    hidden_irreps: str | None = None,
    cutoff_angstrom: float = 4.0,
    num_bessel: int = 6,
    radial_mlp: tuple[int, ...] = (16, 16),
) -> Path:
    """Initialise a MACE of few channels with a fixed seed and save it as training would.

    The weights are random, so its chemistry is not that of any material; the pair term (ZBL) keeps atoms apart and
    the interaction is scaled so that molecular dynamics of a solid stays bounded.
    """
    import mace  # noqa: F401  before e3nn: importing e3nn first fails on current torch
    import numpy as np
    import torch
    from ase.data import atomic_numbers
    from mace import modules

    from e3nn import o3  # isort: skip

    previous = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    try:
        numbers = sorted(atomic_numbers[symbol] for symbol in elements)
        model = modules.ScaleShiftMACE(
            r_max=cutoff_angstrom,
            num_bessel=num_bessel,
            num_polynomial_cutoff=5,
            max_ell=max_ell,
            interaction_cls=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
            interaction_cls_first=modules.interaction_classes["RealAgnosticResidualInteractionBlock"],
            num_interactions=n_layers,
            num_elements=len(numbers),
            hidden_irreps=o3.Irreps(hidden_irreps or f"{channels}x0e"),
            MLP_irreps=o3.Irreps("8x0e"),
            atomic_energies=np.array([-1.0 - 0.1 * index for index in range(len(numbers))]),
            avg_num_neighbors=12.0,
            atomic_numbers=numbers,
            correlation=correlation,
            gate=torch.nn.functional.silu,
            pair_repulsion=True,
            radial_MLP=list(radial_mlp),
            atomic_inter_scale=0.3,
            atomic_inter_shift=0.0,
        )
        torch.save(model, path)
    finally:
        torch.set_default_dtype(previous)
        torch.random.set_rng_state(state)
    return path
