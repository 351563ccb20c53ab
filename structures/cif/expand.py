"""All atoms of a cell from its rows of atoms and its symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice

from .operation import Operations
from .sites import CifSite, shortened
from .special_position import Placement, place_site

_SAME_POSITION_ANGSTROM = 0.03

_SAME_ROW_ANGSTROM = 1e-3

_WORTH_SAYING_ANGSTROM = 1e-3


@dataclass(frozen=True)
class Orbit:
    """All images of one position, with the rows that fill it.

    Attributes
    ----------
    rows : tuple of CifSite
        One for each element on it; the first one's coordinates count.
    images : ndarray
        Fractional coordinates, shape (m, 3).
    order : int
        Operations that leave the position in place.
    """

    rows: tuple[CifSite, ...]
    images: NDArray[np.float64]
    order: int


@dataclass(frozen=True)
class Expansion:
    """The positions of a cell.

    Attributes
    ----------
    orbits : tuple of Orbit
        In the order of the file.
    notes : tuple of str
        What was moved or counted once.
    other_multiplicities : tuple of str
        Sentences on sites whose stated multiplicity is another one.
    doubtful : tuple of str
        What may be read in two ways, unless the file's formula decides it.
    """

    orbits: tuple[Orbit, ...]
    notes: tuple[str, ...]
    other_multiplicities: tuple[str, ...]
    doubtful: tuple[str, ...]


def expand(sites: list[CifSite], operations: Operations, lattice: Lattice) -> Expansion:
    """Apply the symmetry to the rows of atoms.

    Parameters
    ----------
    sites : list of CifSite
        Rows of atoms.
    operations : Operations
        Symmetry of the cell.
    lattice : Lattice
        The cell.

    Returns
    -------
    Expansion
        Positions without double ones.
    """
    placements, other = _placed(sites, operations, lattice)
    moved = [
        f"{site.label} ({', '.join(number.text for number in site.fractions)}) to "
        f"({', '.join(f'{value:.5g}' for value in np.round(placement.position, 6) + 0.0)})"
        for site, placement in zip(sites, placements, strict=True)
        if placement.moved_angstrom > _WORTH_SAYING_ANGSTROM
    ]
    notes = []
    if moved:
        notes.append(
            f"Rounded coordinates are moved onto the special positions that they stand for: {shortened(moved, 4)}."
        )
    orbits: list[list[int]] = []
    repeated: list[str] = []
    doubtful: list[str] = []
    added: list[str] = []
    for first, members in _coinciding(placements, lattice):
        rows = [first]
        for row, at_image in members:
            twin = next((other for other in rows if _same_species(sites[other], sites[row])), None)
            if twin is None or not at_image:
                rows.append(row)
                if twin is not None:
                    added.append(f"{sites[twin].label} and {sites[row].label}")
                continue
            label = f"{sites[row].label} (an image of {sites[twin].label})"
            repeated.append(label)
            if sites[twin].occupancy.value + sites[row].occupancy.value <= 1.02:
                doubtful.append(
                    f"the sites {sites[twin].label} and {sites[row].label} fall on the same positions by symmetry, "
                    "each partly occupied by the same element: remove one, or correct the symmetry"
                )
        orbits.append(rows)
    if added:
        notes.append(f"Occupancies of one element on the same coordinates are added: {shortened(added)}.")
    if repeated:
        notes.append(f"Atoms that the file lists twice, once by symmetry, are counted once: {shortened(repeated)}.")
    return Expansion(
        tuple(
            Orbit(tuple(sites[row] for row in rows), placements[rows[0]].images, placements[rows[0]].order)
            for rows in orbits
        ),
        tuple(notes),
        tuple(other),
        tuple(doubtful),
    )


def _placed(sites: list[CifSite], operations: Operations, lattice: Lattice) -> tuple[list[Placement], list[str]]:
    placements = [place_site(site.fractions, operations, lattice) for site in sites]
    stated = [site.multiplicity for site in sites]
    wrong = [row for row, p in enumerate(placements) if stated[row] is not None and stated[row] != len(p.images)]
    if wrong and all(
        number is None or number == placement.order for number, placement in zip(stated, placements, strict=True)
    ):
        # SHELX wrote the order of the site symmetry under this name
        return placements, []
    other = []
    for row in wrong:
        guided = place_site(sites[row].fractions, operations, lattice, stated[row])
        if len(guided.images) == stated[row]:
            placements[row] = guided
        else:
            other.append(
                f"the site {sites[row].label} has {len(placements[row].images)} images in the cell, where the file "
                f"states a multiplicity of {stated[row]}"
            )
    return placements, other


def _coinciding(placements: list[Placement], lattice: Lattice) -> list[tuple[int, list[tuple[int, bool]]]]:
    """Group rows on the same positions: the first of each, then others and whether they are written at an image."""
    points = np.array([placement.position for placement in placements])
    counts = [len(placement.images) for placement in placements]
    groups: dict[int, list[tuple[int, bool]]] = {}
    taken: set[int] = set()
    for row, point in enumerate(points):
        if row in taken:
            continue
        groups[row] = []
        if row + 1 == len(points):
            break
        mine = placements[row].images
        apart = points[row + 1 :, None, :] - mine[None, :, :]
        apart -= np.round(apart)
        near = np.linalg.norm(apart @ lattice.matrix, axis=2).min(axis=1) < _SAME_POSITION_ANGSTROM
        for later in (np.flatnonzero(near) + row + 1).tolist():
            if later in taken or counts[later] != counts[row]:
                continue
            offset = points[later] - point
            offset -= np.round(offset)
            groups[row].append((later, float(np.linalg.norm(offset @ lattice.matrix)) > _SAME_ROW_ANGSTROM))
            taken.add(later)
    return list(groups.items())


def _same_species(one: CifSite, other: CifSite) -> bool:
    return one.symbol == other.symbol and one.charge == other.charge
