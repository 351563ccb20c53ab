"""How the symmetry operations of a crystal exchange its sites."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Structure

_SYMMETRY_ANGSTROM = 0.01
"""Positions this close to each other after a symmetry operation are the same site."""


def site_permutations(cell: Structure, kinds: Sequence[int]) -> np.ndarray:
    """Find the permutations of sites that the space group of a crystal and the translations in its cell bring about.

    Parameters
    ----------
    cell : Structure
        A crystal, perhaps a supercell.
    kinds : sequence of int, length n_sites
        Sites of different kinds are never exchanged.

    Returns
    -------
    ndarray of int, shape (n_operations, n_sites)
        Row by row the site on which each site comes to lie; the identity is the first row. Only the identity where the
        symmetry cannot be found, as with coinciding sites.

    Notes
    -----
    The operations come from spglib [1]_.

    References
    ----------
    .. [1] A. Togo, K. Shinohara & I. Tanaka, Sci. Technol. Adv. Mater. Meth. 4, 2384822 (2024),
       10.1080/27660400.2024.2384822.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.1), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> site_permutations(salt, [0] * 4 + [1] * 4).shape
    (24, 8)
    """
    from scipy.spatial import cKDTree

    identity = np.arange(len(cell))
    positions = np.array(cell.frac_coords) % 1.0 % 1.0
    tree = cKDTree(positions, boxsize=1.0)
    rows = {tuple(identity): identity}
    for rotation, translation in _operations(cell, positions, kinds):
        images = (positions @ rotation.T + translation) % 1.0 % 1.0
        _, nearest = tree.query(images)
        offset = images - positions[nearest]
        distance = np.linalg.norm((offset - np.round(offset)) @ cell.lattice.matrix, axis=1)
        if distance.max() < 3.0 * _SYMMETRY_ANGSTROM and len(np.unique(nearest)) == len(cell):
            rows.setdefault(tuple(nearest), nearest)
    return np.array(list(rows.values()), dtype=int)


def _operations(cell: Structure, positions: np.ndarray, kinds: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    import spglib

    numbers = [kind + 1 for kind in kinds]
    try:
        found = spglib.get_symmetry(
            (cell.lattice.matrix.tolist(), positions.tolist(), numbers), symprec=_SYMMETRY_ANGSTROM
        )
    except Exception:
        # versions of spglib differ in whether they raise or give nothing; less symmetry only means more work
        found = None
    if found is None:
        return []
    return list(zip(found["rotations"], found["translations"], strict=True))
