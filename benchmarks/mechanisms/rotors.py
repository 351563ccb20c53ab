"""A framework of free rotors: PS4 whose sulfur turns about a phosphorus that rests."""

from __future__ import annotations

import numpy as np
from superion.transport.displacement_run import DisplacementRun
from superion.transport.synthetic import lattice_walk

from .record import FRAME_PS

BOND_ANGSTROM = 2.0
_SULFUR = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / np.sqrt(3.0)


def rotating_framework(
    rng: np.random.Generator, n_frames: int, *, turn_ps: float, n_rotors: int = 8, n_ions: int = 24
) -> DisplacementRun:
    """Draw a sound run: ions hop, and each tetrahedron turns at random; the MSD of its sulfur ends at 2 bond² = 8 Å².

    The direction of a bond forgets itself as exp(−t/turn_ps).
    """
    ions = lattice_walk(rng, n_ions=n_ions, n_frames=n_frames, hop_rate_per_ps=0.1, rattle_angstrom=0.2).as_run()
    orientation = np.tile(np.eye(3), (n_rotors, 1, 1))
    sulfur = np.empty((n_frames, n_rotors, 4, 3))
    angle = np.sqrt(FRAME_PS / turn_ps)
    for frame in range(n_frames):
        sulfur[frame] = BOND_ANGSTROM * np.einsum("rxy,sy->rsx", orientation, _SULFUR)
        orientation = _turned(orientation, angle * rng.standard_normal((n_rotors, 3)))
    centres = 7.0 * np.stack(np.unravel_index(np.arange(n_rotors), (2, 2, 2)), axis=1)[:, None]
    rattling = 0.1 * rng.standard_normal((n_frames, n_rotors, 5, 3))
    framework = np.concatenate([np.zeros((n_frames, n_rotors, 1, 3)), sulfur], axis=2) + centres + rattling
    positions = np.concatenate([ions.positions_angstrom[:, :n_ions], framework.reshape(n_frames, -1, 3)], axis=1)
    masses = np.concatenate([np.full(n_ions, 6.94), np.tile([30.97, *[32.06] * 4], n_rotors)])
    indices = np.arange(positions.shape[1])
    return DisplacementRun(
        positions, indices[:n_ions], indices[n_ions:], masses, FRAME_PS, ions.volume_angstrom3, 600.0
    )


def _turned(orientation: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Turn each orientation about a vector by its length, by Rodrigues' formula."""
    length = np.linalg.norm(vector, axis=1)[:, None, None]
    x, y, z = (vector / np.maximum(length[:, :, 0], 1e-12)).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    rotation = np.eye(3) + np.sin(length) * cross + (1.0 - np.cos(length)) * cross @ cross
    return rotation @ orientation
