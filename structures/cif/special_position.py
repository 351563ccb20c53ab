"""Sites that are written a rounding away from a special position."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice

from .numbers import CifNumber
from .operation import Operations

_SAME_ATOM_ANGSTROM = 0.03
"""Distance from a special position below which no refinement tells a site from it."""

_FARTHEST_ROUNDING_ANGSTROM = 0.1

_FARTHEST_STATED_ANGSTROM = 0.3
"""Distance over which a site is moved when its stated multiplicity says that it is on a special position."""

_REPEATING = (
    [over / 12 for over in (2, 4, 8, 10)] + [over / 8 for over in (1, 3, 5, 7)] + [over / 12 for over in (1, 5, 7, 11)]
)
_EXACT = 1e-7


@dataclass(frozen=True)
class Placement:
    """Where a site is, and which operations leave it there.

    Attributes
    ----------
    position : ndarray
        Fractional coordinates, shape (3,).
    images : ndarray
        Fractional coordinates of all its different images, from 0 to 1, in the order of the operations; shape (m, 3).
    moved_angstrom : float
        Distance from where it was written.
    order : int
        Number of operations that leave it in place.
    """

    position: NDArray[np.float64]
    images: NDArray[np.float64]
    moved_angstrom: float
    order: int


def place_site(
    written: tuple[CifNumber, CifNumber, CifNumber],
    operations: Operations,
    lattice: Lattice,
    multiplicity: int | None = None,
) -> Placement:
    """Put a site where its digits, and its multiplicity if one is stated, say that it is.

    Parameters
    ----------
    written : tuple of three CifNumber
        Fractional coordinates.
    operations : Operations
        Symmetry of the cell.
    lattice : Lattice
        The cell.
    multiplicity : int, optional
        Number of images that the file states.

    Returns
    -------
    Placement
        On the special position where rounding explains the difference.
    """
    point = np.array([number.value for number in written])
    images = np.einsum("aij,j->ai", operations.rotations, point) + operations.shifts
    apart = images - point
    apart -= np.round(apart)
    distance = np.linalg.norm(apart @ lattice.matrix, axis=1)
    if multiplicity is None and (distance > 2 * _FARTHEST_ROUNDING_ANGSTROM).sum() + 1 == len(distance):
        return _placement(point, images, 0.0, 1)
    if multiplicity is not None and len(operations) % multiplicity == 0:
        found = _on_order(point, apart, distance, operations, lattice, len(operations) // multiplicity)
        if found is not None:
            return found
    roundings = _roundings(written)
    reach = np.einsum("aij,j->ai", np.abs(operations.rotations), roundings) + roundings + _EXACT
    near = ((np.abs(apart) <= reach).all(axis=1) & (distance <= 2 * _FARTHEST_ROUNDING_ANGSTROM)) | (
        distance <= 2 * _SAME_ATOM_ANGSTROM
    )
    for limit in sorted({float(value) for value in np.round(distance[near], 6)}, reverse=True):
        found = _moved(point, apart, near & (distance <= limit + 1e-6), operations, lattice)
        if found is None:
            continue
        shift = np.abs(found.position - point)
        if found.moved_angstrom <= _SAME_ATOM_ANGSTROM or (
            (shift <= roundings * 1.0001 + _EXACT).all() and found.moved_angstrom <= _FARTHEST_ROUNDING_ANGSTROM
        ):
            return found
    return _placement(point, images, 0.0, int((distance <= 1e-4).sum()))


def _on_order(
    point: NDArray[np.float64],
    apart: NDArray[np.float64],
    distance: NDArray[np.float64],
    operations: Operations,
    lattice: Lattice,
    order: int,
) -> Placement | None:
    """Find the nearest position that as many operations leave in place as the multiplicity says."""
    nearest = np.sort(distance)
    if order > len(nearest) or nearest[order - 1] > 2 * _FARTHEST_STATED_ANGSTROM:
        return None
    return _moved(point, apart, distance <= nearest[order - 1] + 1e-6, operations, lattice, order)


def _moved(
    point: NDArray[np.float64],
    apart: NDArray[np.float64],
    chosen: NDArray[np.bool_],
    operations: Operations,
    lattice: Lattice,
    order: int | None = None,
) -> Placement | None:
    """Move a point to the mean of its near images; nothing where these are not the group of that mean."""
    target = point + apart[chosen].mean(axis=0)
    images = np.einsum("aij,j->ai", operations.rotations, target) + operations.shifts
    offset = images - target
    offset -= np.round(offset)
    stays = np.linalg.norm(offset @ lattice.matrix, axis=1) < 1e-4
    if not np.array_equal(stays, chosen) or (order is not None and int(stays.sum()) != order):
        return None
    moved = float(np.linalg.norm((target - point) @ lattice.matrix))
    return _placement(target, images, moved, int(stays.sum()))


def _placement(position: NDArray[np.float64], images: NDArray[np.float64], moved: float, order: int) -> Placement:
    inside = images % 1.0
    inside[inside > 1.0 - 1e-9] = 0.0
    # the offset keeps short decimals and simple fractions away from the edges of the bins
    bins = np.floor(inside * 1e5 + 0.41421356).astype(np.int64) % 100_000
    _, first = np.unique(bins, axis=0, return_index=True)
    first.sort()
    return Placement(position, inside[first], moved, order)


def _roundings(written: tuple[CifNumber, CifNumber, CifNumber]) -> NDArray[np.float64]:
    """Say by how much each coordinate may differ from what is meant, for its digits."""
    fractions = [_miss_of_fraction(number) for number in written]
    plain = [number.decimals for number, miss in zip(written, fractions, strict=True) if miss is None]
    # programs leave zeros at the end out: 0.12 beside 0.2347 is 0.1200
    decimals = max(plain, default=0)
    half = 0.5 * 10.0**-decimals if decimals >= 2 else 0.0
    return np.array([half if miss is None else miss for miss in fractions])


def _miss_of_fraction(number: CifNumber) -> float | None:
    """Distance to a simple fraction that rounding or cutting off turns into these digits."""
    if number.decimals < 2 or number.decimals > 8:
        return None
    part = abs(number.value) % 1.0
    scale = 10.0**number.decimals
    for fraction in _REPEATING:
        cut = math.floor(fraction * scale + 1e-9) / scale
        rounded = math.floor(fraction * scale + 0.5) / scale
        if min(abs(part - cut), abs(part - rounded)) < 1e-9:
            return abs(part - fraction)
    return None
