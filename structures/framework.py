"""The part of a crystal that should stay where it is, and whether it still does."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Element, Structure

_ANIONS = frozenset({"H", "N", "O", "F", "S", "Cl", "Se", "Br", "Te", "I"})
_BOND_FRACTION = 1.25
"""Atoms are bonded within this multiple of the sum of their covalent radii."""
_LEAST_BONDS = 3


def framework_indices(structure: Structure, mobile_ion: str) -> np.ndarray:
    """Atoms that are not the mobile ion.

    Parameters
    ----------
    structure : Structure
        An ordered crystal.
    mobile_ion : str
        Symbol of the mobile element.

    Returns
    -------
    ndarray of int, shape (n_framework,)
        Their indices, ascending.
    """
    return np.array([index for index, site in enumerate(structure) if _symbol(site) != mobile_ion], dtype=int)


def framework_centres(structure: Structure, mobile_ion: str) -> np.ndarray:
    """Atoms that hold the framework together: centres of polyanions and the heavy sublattice.

    A framework atom is a centre when at least three more electronegative framework atoms are bonded to it: P in PS4,
    Zr and La among O, B in BH4. Its neighbours may rotate about it (PS4 groups do, in a sound framework) while it
    stays. Where nothing is bonded so, every framework atom counts, as I in AgI or N in Li3N.

    Parameters
    ----------
    structure : Structure
        An ordered crystal.
    mobile_ion : str
        Symbol of the mobile element.

    Returns
    -------
    ndarray of int, shape (n_centres,)
        Their indices, ascending; empty only when there is no framework.

    Examples
    --------
    >>> from superion.structures.order import order_structure
    >>> from superion.structures.read import read_structure
    >>> argyrodite = order_structure(read_structure("Li6PS5Cl"), n_starts=1).structure
    >>> [argyrodite[int(index)].specie.symbol for index in framework_centres(argyrodite, "Li")]
    ['P', 'P', 'P', 'P']
    """
    from ase.data import atomic_numbers, covalent_radii

    framework = framework_indices(structure, mobile_ion)
    if not framework.size:
        return framework
    symbols = [_symbol(site) for site in structure]
    radii = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in symbols])
    reach = _BOND_FRACTION * 2.0 * float(radii[framework].max())
    centre, neighbour, _, distance = structure.get_neighbor_list(reach)
    belongs = np.zeros(len(structure), dtype=bool)
    belongs[framework] = True
    bonded = (
        belongs[centre]
        & belongs[neighbour]
        & (distance < _BOND_FRACTION * (radii[centre] + radii[neighbour]))
        & np.array([symbol in _ANIONS for symbol in symbols])[neighbour]
    )
    electronegativity = np.array([float(Element(symbol).X) for symbol in symbols])
    bonded &= electronegativity[neighbour] > electronegativity[centre]
    n_bonds = np.bincount(centre[bonded], minlength=len(structure))
    centres = framework[n_bonds[framework] >= _LEAST_BONDS]
    return centres if centres.size else framework


def framework_has_melted(
    reference_positions: np.ndarray,
    positions: np.ndarray,
    centres: np.ndarray,
    cell: np.ndarray,
    *,
    threshold: float = 0.2,
    window: float = 0.25,
) -> tuple[bool, str]:
    """Judge by lasting displacements whether the framework has melted.

    Each centre's position is averaged over the last part of the trajectory, so that vibrations cancel, and compared
    with the reference; what all centres share (drift) is taken off. The framework has melted when the root mean
    square of these displacements exceeds a fraction of the distance between neighbouring centres. Lindemann's
    criterion puts melting at vibrations of 0.1 to 0.15 of that distance; a lasting displacement of 0.2 is beyond it.

    Parameters
    ----------
    reference_positions : ndarray, shape (n_atoms, 3)
        Positions of the sound crystal in Å, in the same atom order.
    positions : ndarray, shape (n_frames, n_atoms, 3)
        Unwrapped positions in Å.
    centres : ndarray of int
        Indices from `framework_centres`.
    cell : ndarray, shape (3, 3)
        Lattice vectors as rows, in Å.
    threshold : float
        Fraction of the distance between neighbouring centres.
    window : float
        Last part of the trajectory that is averaged.

    Returns
    -------
    melted : bool
        Whether it has.
    message : str
        The numbers behind the verdict, or why there is none.

    References
    ----------
    F. A. Lindemann, Phys. Z. 11, 609 (1910).

    Examples
    --------
    >>> import numpy as np
    >>> sites = np.array([[0.0, 0, 0], [2, 2, 2]])
    >>> framework_has_melted(sites, np.array([sites, sites + 1.0]), np.array([0, 1]), 4.0 * np.eye(3))[0]
    False
    """
    centres = np.asarray(centres, dtype=int)
    if centres.size < 2:
        return False, "fewer than two framework atoms: melting cannot be judged"
    positions = np.asarray(positions)
    n_frames = len(positions)
    if n_frames == 0:
        return False, "no frames yet: melting cannot be judged"
    reference = np.asarray(reference_positions, dtype=float)[centres]
    late = positions[n_frames - max(1, int(window * n_frames)) :, centres].mean(axis=0, dtype=float)
    displacement = late - reference
    displacement -= displacement.mean(axis=0)
    # one of n centres carries the others' share of the drift: undo that shrinkage for few centres
    mean_square = float(np.sum(displacement**2)) / (centres.size - 1)
    spacing = _neighbour_spacing(reference, np.asarray(cell, dtype=float))
    ratio = float(np.sqrt(mean_square)) / spacing
    if not np.isfinite(ratio):
        return True, "the framework's positions are not numbers"
    verdict = "has melted" if ratio > threshold else "is sound"
    return ratio > threshold, (
        f"the framework {verdict}: its centres are displaced by {ratio:.2f} of their spacing of {spacing:.1f} Å "
        f"(limit {threshold:g})"
    )


def _neighbour_spacing(points: np.ndarray, cell: np.ndarray) -> float:
    """Median distance of each point to its nearest neighbour, periodic images included."""
    from ase.geometry import get_distances

    _, distances = get_distances(points, cell=cell, pbc=True)
    np.fill_diagonal(distances, np.linalg.norm(cell, axis=1).min())
    return float(np.median(distances.min(axis=1)))


def _symbol(site: object) -> str:
    return str(site.specie.symbol)  # type: ignore[attr-defined]
