"""Supercells that are wide enough and no larger than they must be."""

from __future__ import annotations

import math

import numpy as np
from pymatgen.core import Lattice, Structure

from ..errors import StructureError

_SEARCH_STEPS = 60
_SEARCH_REACH = 1.6

_NIGGLI_TOLERANCE = 1e-5
_SKEW_TOLERANCE = 1e-3
"""Rounded cell lengths of a file make no hexagonal cell skewed."""


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


def cartesian_axes_note(structure: Structure) -> str:
    """Say how the lattice vectors lie in the Cartesian axes, by which results per axis are given.

    Parameters
    ----------
    structure : Structure
        The cell as its file gives it; repeating it turns nothing.

    Returns
    -------
    str
        A clause with the unit vectors along a, b and c.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> cartesian_axes_note(Structure(Lattice([[0, 4, 0], [3, 0, 0], [-3, 0, 4]]), ["Li"], [[0, 0, 0]]))
    'results along x, y, z are for Cartesian axes, in which a points along (0, 1, 0), b (1, 0, 0), c (-0.6, 0, 0.8)'
    """
    matrix = structure.lattice.matrix
    # adding zero takes the sign off a rounded -0
    directions = np.round(matrix / np.linalg.norm(matrix, axis=1)[:, None], 3) + 0.0
    a, b, c = (f"({', '.join(f'{part:g}' for part in direction)})" for direction in directions)
    return f"results along x, y, z are for Cartesian axes, in which a points along {a}, b {b}, c {c}"


def supercell_matrix(matrix: np.ndarray, minimum_edge_angstrom: float) -> np.ndarray:
    """Find the smallest repetition of a cell whose opposite faces are far enough apart.

    Whole multiples of the three lattice vectors always serve; near-cubic combinations of them are tried too and win
    when they need fewer atoms (a primitive face-centred cell, say).

    The search starts from the Niggli cell, which is the same in every setting of a crystal, and its size is what every
    setting gets. A cell that reaches that size by itself is repeated as it is, and so is one that is not skewed and
    needs less.

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

    Examples
    --------
    >>> salt = 5.13 * np.eye(3)
    >>> skewed = np.array([[1, 7, 0], [0, 1, 0], [3, -5, 1]]) @ salt
    >>> round(np.linalg.det(supercell_matrix(skewed, 12.0))), round(np.linalg.det(supercell_matrix(salt, 12.0)))
    (27, 27)
    """
    own = _smallest_repetition(matrix, minimum_edge_angstrom)
    reduction = _niggli_reduction(matrix)
    # the search goes along Cartesian axes: in every setting the reduced cell lies in them in the same way
    oriented = Lattice.from_parameters(*Lattice(reduction @ matrix).parameters).matrix
    reduced = _smallest_repetition(oriented, minimum_edge_angstrom) @ reduction
    own_size, reduced_size = (round(abs(np.linalg.det(repetition))) for repetition in (own, reduced))
    if own_size == reduced_size or (own_size < reduced_size and not _is_skewed(matrix)):
        return own
    return reduced if np.linalg.det(reduced) > 0 else -reduced


def _smallest_repetition(matrix: np.ndarray, minimum_edge_angstrom: float) -> np.ndarray:
    """Search among whole multiples of the lattice vectors given and near-cubic combinations of them."""
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


def _niggli_reduction(matrix: np.ndarray) -> np.ndarray:
    """Give the vectors of the Niggli cell in terms of those given, as whole numbers."""
    import spglib

    reduced = spglib.niggli_reduce(matrix, eps=_NIGGLI_TOLERANCE)
    if reduced is None:
        return np.eye(3, dtype=int)
    return np.rint(reduced @ np.linalg.inv(matrix)).astype(int)


def _is_skewed(matrix: np.ndarray) -> bool:
    """Whether a lattice vector becomes shorter by adding or subtracting another one."""
    products = matrix @ matrix.T
    shorter = np.minimum.outer(np.diag(products), np.diag(products))
    return bool((np.abs(np.triu(products, 1)) > 0.5 * (1.0 + _SKEW_TOLERANCE) * shorter).any())


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
