"""Whether a structure can be a crystal at all."""

from __future__ import annotations

import numpy as np
from pymatgen.core import DummySpecies, Element, Structure

from .rejection import RejectionCode, StructureRejection

_SMALLEST_VOLUME_ANGSTROM3 = 1.5
"""Volume per atom below which nothing exists at pressures of interest (diamond: 5.7)."""

_LARGEST_VOLUME_ANGSTROM3 = 250.0
"""Volume per atom above which a cell is a box of vacuum (caesium: 116)."""

_ISOLATION_ANGSTROM = 6.5
"""An atom without a neighbour within this distance is isolated (caesium: 5.3 Å)."""

_SHORTEST_DISTANCE_ANGSTROM = 0.5
"""Nothing is closer than this; the H2 molecule has 0.74 Å."""

_OVERLAP_FRACTION = 0.5
"""Two atoms nearer than this part of the sum of their covalent radii overlap."""

_FULL = 0.9
"""Occupancy above which a site counts as occupied for certain."""


def validate_structure(structure: Structure) -> list[str]:
    """Refuse what cannot be simulated as a crystal.

    Sites that are partly occupied may be close to each other, as long as they need not be occupied at once.

    Parameters
    ----------
    structure : Structure
        Any pymatgen structure, ordered or not.

    Returns
    -------
    list of str
        Remarks on what is unusual and allowed.

    Raises
    ------
    StructureRejection
        For an empty cell, coordinates that are no numbers, an unknown element, an absurd volume, overlapping atoms,
        or isolated atoms.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> validate_structure(Structure(Lattice.cubic(3.51), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]]))
    []
    """
    _check_numbers(structure)
    _check_elements(structure)
    _check_volume(structure)
    _check_distances(structure)
    return []


def _check_numbers(structure: Structure) -> None:
    if len(structure) == 0:
        raise StructureRejection(RejectionCode.NOT_A_CRYSTAL, "The structure holds no atoms: give one that does.")
    if not (np.isfinite(structure.lattice.matrix).all() and np.isfinite(structure.frac_coords).all()):
        raise StructureRejection(
            RejectionCode.NOT_A_CRYSTAL,
            "The structure has coordinates or cell lengths that are not numbers: correct the file.",
        )


def _check_elements(structure: Structure) -> None:
    for site in structure:
        for species in site.species:
            symbol = species.symbol
            if isinstance(species, DummySpecies) or not Element.is_valid_symbol(symbol):
                raise StructureRejection(
                    RejectionCode.NOT_A_CRYSTAL,
                    f"'{symbol}' is not a chemical element: correct the structure's species.",
                )


def _check_volume(structure: Structure) -> None:
    # occupancies count: two half-occupied sites are one atom
    n_atoms = sum(site.species.num_atoms for site in structure)
    if n_atoms <= 0:
        raise StructureRejection(
            RejectionCode.NOT_A_CRYSTAL, "The structure's occupancies are all zero: give one that holds atoms."
        )
    volume = structure.volume / n_atoms
    if not _SMALLEST_VOLUME_ANGSTROM3 <= volume <= _LARGEST_VOLUME_ANGSTROM3:
        raise StructureRejection(
            RejectionCode.NOT_A_CRYSTAL,
            f"The cell holds {volume:.3g} Å³ per atom, outside {_SMALLEST_VOLUME_ANGSTROM3:g} to "
            f"{_LARGEST_VOLUME_ANGSTROM3:g} Å³: correct the cell lengths (in Å) or the atoms in the cell.",
        )


def _check_distances(structure: Structure) -> None:
    centre, neighbour, _, distance = structure.get_neighbor_list(_ISOLATION_ANGSTROM)
    lonely = np.setdiff1d(np.arange(len(structure)), centre)
    if lonely.size:
        site = structure[int(lonely[0])]
        raise StructureRejection(
            RejectionCode.NOT_A_CRYSTAL,
            f"The atom {site.species_string} (site {int(lonely[0]) + 1}) has no neighbour within "
            f"{_ISOLATION_ANGSTROM:g} Å: give a crystal, not isolated atoms in a box.",
        )
    occupancy = np.array([site.species.num_atoms for site in structure])
    radius = np.array([_covalent_radius(site) for site in structure])
    limit = np.maximum(_SHORTEST_DISTANCE_ANGSTROM, _OVERLAP_FRACTION * (radius[centre] + radius[neighbour]))
    # split sites of a refinement may be close: ordering occupies one of them; full sites cannot make way
    overlapping = (distance < limit) & (np.minimum(occupancy[centre], occupancy[neighbour]) > _FULL)
    if overlapping.any():
        worst = int(np.flatnonzero(overlapping)[np.argmin(distance[overlapping])])
        first, second = int(centre[worst]), int(neighbour[worst])
        raise StructureRejection(
            RejectionCode.TOO_CLOSE,
            f"The atoms {structure[first].species_string} (site {first + 1}) and {structure[second].species_string} "
            f"(site {second + 1}) are only {distance[worst]:.2f} Å apart: remove the duplicate or correct positions.",
        )


def _covalent_radius(site: object) -> float:
    from ase.data import atomic_numbers, covalent_radii

    symbols = [species.symbol for species in site.species]  # type: ignore[attr-defined]
    return min(float(covalent_radii[atomic_numbers.get(symbol, 1)]) for symbol in symbols)
