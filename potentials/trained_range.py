"""Whether a trained potential is used under the conditions that it was trained for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model_header import ModelHeader

if TYPE_CHECKING:
    from ase import Atoms

TEMPERATURE_TOLERANCE_K = 0.5
"""Temperatures that differ by less count as equal."""

STRAIN_TOLERANCE = 0.001
"""Relative changes of the volume that differ by less count as equal."""


def cautions_of(header: ModelHeader, name: str, atoms: Atoms, temperature_k: float | None = None) -> list[str]:
    """Say what a reader should know of results of a trained potential for a structure.

    Parameters
    ----------
    header : ModelHeader
        What the model file says of itself.
    name : str
        Name of the potential.
    atoms : ase.Atoms
        The structure.
    temperature_k : float or None
        Temperature of the dynamics in K; None for none.

    Returns
    -------
    list of str
        One clause each; empty within the conditions that it was trained for.
    """
    return [
        *_verdict(header, name),
        *_temperature(header, name, temperature_k),
        *_composition(header, name, atoms),
        *_volume(header, name, atoms),
    ]


def _verdict(header: ModelHeader, name: str) -> list[str]:
    if header.verdict != "rejected":
        return []
    why = "; ".join(reason.rstrip(".") for reason in header.reasons) or "no reason is recorded"
    return [f"computed with the potential {name} although its validation rejected it ({why})"]


def _temperature(header: ModelHeader, name: str, temperature_k: float | None) -> list[str]:
    if temperature_k is None or header.domain.temperature_k is None:
        return []
    low, high = header.domain.temperature_k
    if low - TEMPERATURE_TOLERANCE_K <= temperature_k <= high + TEMPERATURE_TOLERANCE_K:
        return []
    trained = f"trained {low:g}–{high:g} K" if high > low else f"trained at {low:g} K"
    return [f"computed outside the range that the potential {name} was trained for: {temperature_k:g} K, {trained}"]


def _composition(header: ModelHeader, name: str, atoms: Atoms) -> list[str]:
    if not header.domain.compositions:
        return []
    formula = _reduced_formula(atoms)
    if formula in header.domain.compositions:
        return []
    trained = ", ".join(header.domain.compositions)
    return [
        f"computed outside the compositions that the potential {name} was trained for: {formula}, trained {trained}"
    ]


def _volume(header: ModelHeader, name: str, atoms: Atoms) -> list[str]:
    """Compare the volume with the reference of the same composition, where there is one."""
    if header.domain.volume_strain is None:
        return []
    reference = header.domain.volume_per_atom_angstrom3.get(_reduced_formula(atoms))
    if reference is None:
        return []
    low, high = header.domain.volume_strain
    strain = float(atoms.get_volume()) / len(atoms) / reference - 1.0
    if low - STRAIN_TOLERANCE <= strain <= high + STRAIN_TOLERANCE:
        return []
    return [
        f"computed outside the volumes that the potential {name} was trained for: {100.0 * strain:+.1f} %, trained "
        f"{100.0 * low:+.1f} to {100.0 * high:+.1f} %"
    ]


def _reduced_formula(atoms: Atoms) -> str:
    """Give the reduced formula as pymatgen writes it."""
    from pymatgen.core import Composition

    return str(Composition(atoms.get_chemical_formula()).reduced_formula)
