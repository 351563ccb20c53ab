"""Supercells that are wide enough and no larger than they must be."""

from __future__ import annotations

import math

import numpy as np
from pymatgen.core import Structure

from ..errors import StructureError

_SEARCH_STEPS = 60
_SEARCH_REACH = 1.6


def minimum_edge_angstrom(structure: Structure) -> float:
    """Smallest distance between opposite faces of the cell, in Å.

    This and not the shortest lattice vector says how far an atom is from its own image's neighbourhood.

    Parameters
    ----------
    structure : Structure
        Any periodic structure.

    Returns
    -------
    float
        Distance in Å.
    """
    return float(face_distances_angstrom(structure.lattice.matrix).min())


def face_distances_angstrom(matrix: np.ndarray) -> np.ndarray:
    """Distances between the three pairs of opposite faces of a cell.

    Parameters
    ----------
    matrix : ndarray, shape (3, 3)
        Lattice vectors as rows, in Å.

    Returns
    -------
    ndarray, shape (3,)
        Distances in Å.
    """
    return 1.0 / np.linalg.norm(np.linalg.inv(matrix), axis=0)


def supercell_matrix(matrix: np.ndarray, minimum_edge_angstrom: float) -> np.ndarray:
    """Find the smallest repetition of a cell whose opposite faces are far enough apart.

    Whole multiples of the three lattice vectors always serve; near-cubic combinations of them are tried too and win
    when they need fewer atoms (a primitive face-centred cell, say).

    Parameters
    ----------
    matrix : ndarray, shape (3, 3)
        Lattice vectors as rows, in Å.
    minimum_edge_angstrom : float
        Least distance between opposite faces in Å.

    Returns
    -------
    ndarray of int, shape (3, 3)
        Rows are the new lattice vectors in terms of the old; the determinant is positive.
    """
    tolerance = 1e-6
    widths = face_distances_angstrom(matrix)
    multiples = [max(1, math.ceil((minimum_edge_angstrom - tolerance) / width)) for width in widths]
    best = np.diag(multiples)
    fewest = math.prod(multiples)
    inverse = np.linalg.inv(_upright(matrix))
    for edge in np.linspace(minimum_edge_angstrom, _SEARCH_REACH * minimum_edge_angstrom, _SEARCH_STEPS):
        candidate = np.rint(edge * inverse).astype(int)
        size = round(np.linalg.det(candidate))
        if not 0 < size < fewest:
            continue
        if face_distances_angstrom(candidate @ matrix).min() >= minimum_edge_angstrom - tolerance:
            best, fewest = candidate, size
    return best


def _upright(matrix: np.ndarray) -> np.ndarray:
    # a near-cubic combination is sought along Cartesian axes: put a right-handed cell there in the usual orientation
    return matrix if np.linalg.det(matrix) > 0 else -matrix


def expand_to_minimum_edge(structure: Structure, minimum_edge_angstrom: float, maximum_atoms: int = 2000) -> Structure:
    """Repeat a structure until opposite faces of its cell are far enough apart.

    Parameters
    ----------
    structure : Structure
        The cell to repeat.
    minimum_edge_angstrom : float
        Least distance between opposite faces in Å; 0 leaves the cell as it is.
    maximum_atoms : int
        The most atoms allowed.

    Returns
    -------
    Structure
        A new structure; the same cell when it is wide enough.

    Raises
    ------
    StructureError
        When that takes more atoms than allowed, or the edge is no sensible number.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> cell = Structure(Lattice.cubic(3.51), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> len(expand_to_minimum_edge(cell, 10.0))
    54
    """
    if not math.isfinite(minimum_edge_angstrom) or minimum_edge_angstrom < 0:
        raise StructureError(f"The minimum edge must be a length in Å of zero or more, not {minimum_edge_angstrom}.")
    repetition = (
        np.eye(3, dtype=int)
        if minimum_edge_angstrom == 0
        else supercell_matrix(structure.lattice.matrix, minimum_edge_angstrom)
    )
    n_atoms = len(structure) * round(abs(np.linalg.det(repetition)))
    if n_atoms > maximum_atoms:
        raise StructureError(
            f"A supercell with edges of at least {minimum_edge_angstrom:g} Å needs {n_atoms} atoms, more than the "
            f"{maximum_atoms} allowed: lower the minimum edge or raise the maximum number of atoms."
        )
    expanded = structure.copy()
    if not np.array_equal(repetition, np.eye(3, dtype=int)):
        expanded.make_supercell(repetition, to_unit_cell=True)
    return expanded
