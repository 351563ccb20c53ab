"""Sites so close to each other that only one of them can be occupied, with more than one atom among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure


@dataclass(frozen=True)
class CrowdedSites:
    """Sites that exclude each other and hold more than one atom together.

    Attributes
    ----------
    sites : tuple of int
        Their indices.
    occupancy : float
        Sum of their occupancies.
    distance_angstrom : float
        Largest distance between two of them.
    """

    sites: tuple[int, ...]
    occupancy: float
    distance_angstrom: float


def most_crowded_sites(cell: Structure, excluded: np.ndarray) -> CrowdedSites | None:
    """Find the sites that hold the most atoms though each keeps the others empty.

    Parameters
    ----------
    cell : Structure
        A crystal with partial occupancies.
    excluded : ndarray of bool, shape (n_sites, n_sites)
        Pairs of sites that are never occupied together.

    Returns
    -------
    CrowdedSites or None
        None where no such sites hold more than one atom.
    """
    occupancy = np.array([float(site.species.num_atoms) for site in cell])
    worst: tuple[float, list[int]] = (1.0 + 1e-6, [])
    for members in excluding_groups(excluded, occupancy):
        total = float(occupancy[members].sum())
        if total > worst[0] + 1e-6:
            worst = (total, members)
    total, members = worst
    if not members:
        return None
    distances = np.array(cell.distance_matrix)[np.ix_(members, members)]
    return CrowdedSites(tuple(sorted(members)), total, float(distances.max()))


def excluding_groups(excluded: np.ndarray, occupancy: np.ndarray) -> list[list[int]]:
    """List groups of sites of which at most one can be occupied: for each pair, it and the fullest others that fit.

    Parameters
    ----------
    excluded : ndarray of bool, shape (n_sites, n_sites)
        Pairs of sites that are never occupied together.
    occupancy : ndarray of float, shape (n_sites,)
        Atoms on each site.

    Returns
    -------
    list of list of int
        Each group once; sites that exclude no other are in none.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for first, second in np.argwhere(np.triu(excluded, 1)).tolist():
        members = [first, second]
        common = np.flatnonzero(excluded[first] & excluded[second]).tolist()
        for other in sorted(common, key=lambda index: (-occupancy[index], index)):
            if excluded[other, members].all():
                members.append(other)
        groups.setdefault(tuple(sorted(members)), members)
    return list(groups.values())
