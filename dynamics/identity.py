"""What makes a trajectory the one it is: the key that is also its folder's name."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from ase import Atoms

from ..potentials.specification import PotentialProvenance
from .ensembles import integrator_name, integrator_parameters
from .plan import frame_interval_steps, resolve_time_step_fs
from .protocol import DEFAULT_ENGINE, MdProtocol

IDENTITY_VERSION = 1
"""Changes when the same request would give another trajectory than before."""

_INITIAL_ARRAYS = ("momenta", "initial_charges", "initial_magmoms")


def _exact(array: np.ndarray) -> str:
    """Sha256 of an array's float64 bytes; minus zero counts as zero."""
    values = np.ascontiguousarray(array, dtype="<f8") + 0.0
    return hashlib.sha256(values.tobytes()).hexdigest()


def structure_identity(atoms: Atoms) -> str:
    """Sha256 of the exact structure: elements in order, positions, cell, periodicity and masses.

    Momenta, initial charges and magnetic moments count where they are given and not all zero.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure.

    Returns
    -------
    str
        Hexadecimal digest.
    """
    parts: dict[str, Any] = {
        "numbers": atoms.numbers.tolist(),
        "positions": _exact(atoms.positions),
        "cell": _exact(atoms.cell.array),
        "periodic": [bool(value) for value in atoms.pbc],
        "masses": _exact(atoms.get_masses()),
    }
    for name in _INITIAL_ARRAYS:
        if atoms.has(name) and np.any(atoms.get_array(name)):
            parts[name] = _exact(atoms.get_array(name))
    return _digest(parts)


def _digest(parts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def trajectory_key(atoms: Atoms, provenance: PotentialProvenance, protocol: MdProtocol) -> str:
    """Compute the identity of a trajectory.

    It covers the exact structure with its atom order (and momenta, where given), the sha256, the precision and,
    unless it is the model's own, the runtime of the potential, temperature, ensemble and those settings that
    shape it, time step, frame interval, seed, replica and, unless it is ASE, the MD engine. It covers no
    length, no stopping rule and nothing about how the files are written, so a longer request finds and
    continues the same trajectory.

    The frame interval does not change the dynamics, but it changes what is recorded: a folder holds
    frames of one interval only, so a request for another cannot be served from it.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure the run starts from.
    provenance : PotentialProvenance
        The potential, of which its `identity` counts.
    protocol : MdProtocol
        The settings of the run.

    Returns
    -------
    str
        Sha256, 64 hexadecimal digits.

    Examples
    --------
    >>> from ase.build import bulk
    >>> potential = PotentialProvenance(
    ...     name="ase", model="EMT", weights_sha256="0" * 64, package="ase",
    ...     package_version="3", dtype="float64", device="cpu",
    ... )
    >>> cold, hot = (trajectory_key(bulk("Cu"), potential, MdProtocol(temperature_k=t)) for t in (300, 600))
    >>> len(cold), cold == hot
    (64, False)
    """
    time_step_fs = resolve_time_step_fs(atoms, protocol)
    # trajectories from before there was a choice keep their keys
    engine = {} if protocol.engine == DEFAULT_ENGINE else {"engine": protocol.engine}
    return _digest(
        {
            **engine,
            "version": IDENTITY_VERSION,
            "structure": structure_identity(atoms),
            **provenance.identity,
            "temperature_k": float(protocol.temperature_k),
            "integrator": integrator_name(protocol),
            "parameters": {name: float(value) for name, value in integrator_parameters(protocol).items()},
            "time_step_fs": time_step_fs,
            "frame_interval_steps": frame_interval_steps(protocol, time_step_fs),
            "seed": protocol.seed,
            "replica": protocol.replica,
        }
    )
