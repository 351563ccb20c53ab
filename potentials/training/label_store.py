"""Labels on disk, each written as soon as it is made: nothing is labelled twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files import write_bytes_atomically
from ..finite_results import finite_calculator
from ..potential import Potential
from ..quiet import quietly
from .frame_digest import frame_digest, rounded
from .labelled_frames import Labels

if TYPE_CHECKING:
    from ase import Atoms


class LabelStore:
    """The labels that one teacher gave, a small file each.

    Parameters
    ----------
    folder : Path
        Folder of all labels.
    potential : Potential
        The teacher.
    """

    def __init__(self, folder: Path, potential: Potential) -> None:
        self._folder = folder
        self._potential = potential
        self._calculator: Any = None
        self.n_computed = 0

    @property
    def teacher(self) -> str:
        """Name of the teacher with the first digits of its digest, as frames carry it."""
        provenance = self._potential.provenance
        return f"{provenance.name} {provenance.weights_sha256[:12]} {provenance.dtype}"

    def label(self, atoms: Atoms) -> Labels:
        """Give the labels of a frame, computed or kept.

        Parameters
        ----------
        atoms : ase.Atoms
            The frame.

        Returns
        -------
        Labels
            Energy, forces and, where the teacher has one, stress.

        Raises
        ------
        PotentialError
            If the teacher does not know an element or gives something that is not a number.
        """
        path = self._path(atoms)
        kept = _read(path)
        if kept is not None:
            return kept
        labels = self._compute(rounded(atoms))
        write_bytes_atomically(path, json.dumps(_plain(labels)).encode())
        self.n_computed += 1
        return labels

    def _path(self, atoms: Atoms) -> Path:
        provenance = self._potential.provenance
        text = f"{frame_digest(atoms)} {provenance.weights_sha256} {provenance.dtype}"
        key = hashlib.sha256(text.encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.json"

    def _compute(self, atoms: Atoms) -> Labels:
        if self._calculator is None:
            self._calculator = finite_calculator(self._potential)
        self._potential.check_elements(atoms.get_chemical_symbols())
        atoms.calc = self._calculator
        with quietly():
            energy, forces = atoms.get_potential_energy(), atoms.get_forces()
            stress = _stress(atoms)
        return Labels(float(energy), np.array(forces, dtype=float), stress)


def _stress(atoms: Atoms) -> np.ndarray | None:
    from ase.calculators.calculator import PropertyNotImplementedError

    try:
        return np.array(atoms.get_stress(voigt=True), dtype=float)
    except (PropertyNotImplementedError, NotImplementedError):
        return None


def _plain(labels: Labels) -> dict[str, Any]:
    stress = labels.stress_ev_per_angstrom3
    return {
        "energy_ev": labels.energy_ev,
        "forces_ev_per_angstrom": labels.forces_ev_per_angstrom.tolist(),
        "stress_ev_per_angstrom3": None if stress is None else stress.tolist(),
    }


def _read(path: Path) -> Labels | None:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        stress = plain["stress_ev_per_angstrom3"]
        return Labels(
            float(plain["energy_ev"]),
            np.array(plain["forces_ev_per_angstrom"], dtype=float),
            None if stress is None else np.array(stress, dtype=float),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
