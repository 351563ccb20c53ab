"""How close atoms come, compared with the frames that a teacher labelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

_SEARCH_ANGSTROM = 4.0


def closest_distances(frames: Iterable[Atoms], search_angstrom: float = _SEARCH_ANGSTROM) -> dict[str, float]:
    """Find the shortest distance between atoms of each pair of elements.

    Parameters
    ----------
    frames : iterable of ase.Atoms
        The frames.
    search_angstrom : float
        Longest distance looked for, in Å.

    Returns
    -------
    dict of str to float
        Pairs such as ``Li-S``, in alphabetical order, with their shortest distance in Å; pairs never within the search
        distance are left out.

    Examples
    --------
    >>> from ase.build import bulk
    >>> closest_distances([bulk("LiCl", "rocksalt", a=5.13, cubic=True)])
    {'Cl-Cl': 3.627, 'Cl-Li': 2.565, 'Li-Li': 3.627}
    """
    from ase.data import chemical_symbols
    from ase.neighborlist import neighbor_list

    shortest: dict[str, float] = {}
    for frame in frames:
        first, second, distances = neighbor_list("ijd", frame, search_angstrom)
        numbers = np.sort(np.stack([frame.numbers[first], frame.numbers[second]]), axis=0)
        pairs, places = np.unique(numbers, axis=1, return_inverse=True)
        least = np.full(pairs.shape[1], np.inf)
        np.minimum.at(least, np.ravel(places), distances)
        for (low, high), distance in zip(pairs.T, least, strict=True):
            name = "-".join(sorted((chemical_symbols[low], chemical_symbols[high])))
            shortest[name] = min(shortest.get(name, np.inf), float(distance))
    return {name: round(shortest[name], 3) for name in sorted(shortest)}


def too_close(frame: Atoms, reference: Mapping[str, float], fraction: float = 0.85) -> str | None:
    """Name a pair of atoms closer than any that the teacher saw.

    Parameters
    ----------
    frame : ase.Atoms
        A frame.
    reference : mapping of str to float
        Shortest distances in the labelled frames, from `closest_distances`.
    fraction : float
        Part of the reference distance that is still allowed.

    Returns
    -------
    str or None
        A clause with the pair and both distances; None where no pair is too close.

    Examples
    --------
    >>> from ase.build import bulk
    >>> too_close(bulk("LiCl", "rocksalt", a=4.0, cubic=True), {"Cl-Li": 2.565})
    'a Cl-Li pair at 2.00 Å, where the labelled frames reach down to 2.56 Å'
    """
    here = closest_distances([frame], max([*reference.values(), 0.0]) + 0.01) if reference else {}
    for pair, distance in here.items():
        if pair in reference and distance < fraction * reference[pair]:
            return f"a {pair} pair at {distance:.2f} Å, where the labelled frames reach down to {reference[pair]:.2f} Å"
    return None
