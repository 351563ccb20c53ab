"""Which element each atom is: what the caller says, else what the file says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .trajectory import ReadOptions

_VASP_SHORTENED = {"r": "Zr", "X": "Xe"}
"""Element names that VASP cuts short in vasprun.xml."""


def plain_symbol(label: str) -> str:
    """Return the element of a label: without the flavour of a potential, a hash or a number.

    Parameters
    ----------
    label : str
        Such as Li_sv, Li_sv/a1b2c3, S1 or Na+.

    Returns
    -------
    str
        The element where the label begins with one, else the label.

    Examples
    --------
    >>> plain_symbol("Li_sv/a1b2c3"), plain_symbol("CL2"), plain_symbol("Na+"), plain_symbol("Q")
    ('Li', 'Cl', 'Na', 'Q')
    """
    from ase.data import atomic_numbers

    letters = re.match(r"[A-Za-z]*", label.strip())
    name = letters.group(0) if letters else ""
    for candidate in (name, name.capitalize()):
        if atomic_numbers.get(candidate, 0) > 0:
            return candidate
    return label.strip()


def vasp_symbol(label: str, notes: list[str]) -> str:
    """Return the element of a name in vasprun.xml, where VASP cuts some short.

    Parameters
    ----------
    label : str
        The name.
    notes : list of str
        Gets a sentence where the name is completed.

    Returns
    -------
    str
        The element.
    """
    whole = _VASP_SHORTENED.get(label.strip())
    if whole is None:
        return plain_symbol(label)
    note = f"The element {label.strip()} is read as {whole}, a name that VASP cuts short; --species-order overrides it."
    if note not in notes:
        notes.append(note)
    return whole


def kinds_in_order(labels: Sequence[str]) -> list[str]:
    """Return the different labels in the order in which they first appear.

    Parameters
    ----------
    labels : sequence of str
        One for each atom.

    Returns
    -------
    list of str
        Each once.
    """
    return list(dict.fromkeys(labels))


def stated_species(
    labels: Sequence[str], kinds: Sequence[str], options: ReadOptions, path: Path, notes: list[str], what: str
) -> tuple[str, ...]:
    """Name the atoms as the caller does, where he does, with a note where the file names them otherwise.

    Parameters
    ----------
    labels : sequence of str
        What the file calls each atom.
    kinds : sequence of str
        The different labels, in the order that `species_order` follows.
    options : ReadOptions
        `species_order`: one element for each kind, or None.
    path : Path
        The file, for messages.
    notes : list of str
        Gets a sentence where the names differ.
    what : str
        What the kinds are, for the message: "species", "blocks".

    Returns
    -------
    tuple of str
        An element for each atom.

    Raises
    ------
    TrajectoryError
        `species_order` has another number of elements.
    """
    order = options.species_order
    if order is None:
        return tuple(labels)
    if len(order) != len(kinds):
        raise TrajectoryError(
            f"{path} has {len(kinds)} {what} ({', '.join(kinds)}), but species_order (--species-order) names "
            f"{len(order)}; name one element for each, in this order."
        )
    note_renamed(kinds, order, notes)
    names = dict(zip(kinds, order, strict=True))
    return tuple(names[label] for label in labels)


def note_renamed(theirs: Sequence[str], ours: Sequence[str], notes: list[str]) -> None:
    """Add a note where elements of the file are replaced by others.

    Parameters
    ----------
    theirs, ours : sequence of str
        What the file and the caller call the same atoms.
    notes : list of str
        Gets the sentence.
    """
    pairs = dict.fromkeys(zip(ours, theirs, strict=True))
    changed = [f"{new} for {old}" for new, old in pairs if not old.isdigit() and plain_symbol(old) != new]
    if changed:
        notes.append(f"The stated elements replace the file's: {', '.join(changed)}.")


def elements_of_masses(masses_amu: NDArray[np.float64]) -> tuple[str, ...] | None:
    """Name atoms by their masses, where these leave no doubt.

    Parameters
    ----------
    masses_amu : (n_atoms,) array
        Masses in u.

    Returns
    -------
    tuple of str or None
        Elements; None where a mass is that of none, or of several.

    Examples
    --------
    >>> elements_of_masses(np.array([6.94, 32.06]))
    ('Li', 'S')
    >>> elements_of_masses(np.array([58.9])) is None  # between Co and Ni
    True
    """
    from ase.data import atomic_masses, chemical_symbols

    known = np.asarray(atomic_masses[1:104])
    names = {}
    for mass in np.unique(masses_amu):
        near = np.flatnonzero(np.abs(known - mass) < 0.3)
        if near.size != 1 or abs(known[near[0]] - mass) > 0.06:
            return None
        names[mass] = str(chemical_symbols[near[0] + 1])
    return tuple(names[mass] for mass in masses_amu)
