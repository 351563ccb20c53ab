"""Descriptors of frames: the atomic cluster expansion of mace-torch, with random or trained weights.

A MACE model turns the neighbourhood of an atom into smooth numbers that do not change under rotations, translations and
permutations, of the body order that the model itself will see. An untrained model with fixed weights gives random
features of that kind for any set of elements, so that frames can be compared before anything is trained and without
another library; a student gives features that know the material.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..quiet import quietly

if TYPE_CHECKING:
    import torch
    from ase import Atoms

_SEED = 20
_CUTOFF_ANGSTROM = 5.0
_CHANNELS = 8


def frame_descriptors(frames: Sequence[Atoms], model: torch.nn.Module | None = None) -> np.ndarray:
    """Describe each frame by mean and spread of its atoms' features, element by element.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        The frames; they may differ in size and composition.
    model : torch.nn.Module, optional
        A MACE model that knows their elements; None takes an untrained one with fixed weights.

    Returns
    -------
    ndarray, shape (n_frames, n_features)
        Each feature scaled to unit variance over the frames.
    """
    elements = sorted({int(number) for frame in frames for number in frame.numbers})
    calculator = _calculator(model if model is not None else _untrained_model(elements))
    rows = []
    for frame in frames:
        with quietly():
            atomic = np.asarray(calculator.get_descriptors(frame, invariants_only=True))
        row = []
        for number in elements:
            of_element = atomic[frame.numbers == number]
            if len(of_element) == 0:
                row.append(np.zeros(2 * atomic.shape[1]))
            else:
                row.append(np.concatenate([of_element.mean(axis=0), of_element.std(axis=0)]))
        rows.append(np.concatenate(row))
    features = np.array(rows)
    spread = features.std(axis=0)
    return features[:, spread > 0] / spread[spread > 0]


def _calculator(model: torch.nn.Module) -> Any:
    with quietly():
        from mace.calculators import MACECalculator

        dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
        return MACECalculator(models=[model], device="cpu", default_dtype=dtype)


def _untrained_model(elements: Sequence[int]) -> torch.nn.Module:
    """Build a small MACE model with random weights of a fixed seed."""
    import torch

    from ..mace_architecture import build_model

    architecture = {
        "r_max": _CUTOFF_ANGSTROM,
        "num_bessel": 8,
        "num_polynomial_cutoff": 5,
        "max_ell": 3,
        "interaction_cls": "RealAgnosticResidualInteractionBlock",
        "interaction_cls_first": "RealAgnosticResidualInteractionBlock",
        "readout_cls": "NonLinearReadoutBlock",
        "num_interactions": 1,
        "num_elements": len(elements),
        "hidden_irreps": f"{_CHANNELS}x0e",
        "edge_irreps": None,
        "MLP_irreps": "8x0e",
        "gate": "silu",
        "atomic_energies": [0.0] * len(elements),
        "avg_num_neighbors": 20.0,
        "atomic_numbers": list(elements),
        "correlation": 3,
        "radial_MLP": [16, 16],
        "atomic_inter_scale": 1.0,
        "atomic_inter_shift": 0.0,
        "dtype": "float64",
    }
    random_state = torch.random.get_rng_state()
    torch.manual_seed(_SEED)
    try:
        return build_model(architecture)
    finally:
        torch.random.set_rng_state(random_state)
