"""Which structures describe the same crystal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymatgen.analysis.structure_matcher import AbstractComparator, StructureMatcher
from pymatgen.core import Composition, Structure

from .fingerprint import structure_fingerprint

OCCUPANCY_TOLERANCE = 0.01
"""Sites whose occupancies differ by no more hold the same; series of doping usually go in larger steps."""

VOLUME_TOLERANCE = 0.15
"""Relative difference of the volume per atom up to which two crystals may be the same: methods differ by less."""


class OccupancyComparator(AbstractComparator):
    """Sites hold the same when the occupancies of all elements agree within a tolerance.

    Parameters
    ----------
    tolerance : float
        Largest difference of an occupancy.
    """

    def __init__(self, tolerance: float = OCCUPANCY_TOLERANCE) -> None:
        self.tolerance = tolerance

    def are_equal(self, sp1: Composition, sp2: Composition) -> bool:
        """Compare what two sites hold.

        Parameters
        ----------
        sp1, sp2 : Composition
            Occupancies.

        Returns
        -------
        bool
            Whether they hold the same.
        """
        return _largest_difference(sp1, sp2) <= self.tolerance + 1e-9

    def get_hash(self, composition: Composition) -> str:
        """Name the elements: structures of other elements need no comparison.

        Parameters
        ----------
        composition : Composition
            Of a whole structure.

        Returns
        -------
        str
            Symbols in alphabetical order.
        """
        return " ".join(sorted(composition.get_el_amt_dict()))

    def as_dict(self) -> dict[str, Any]:
        """Give the settings as plain values.

        Returns
        -------
        dict
            Class and tolerance.
        """
        return {"@module": type(self).__module__, "@class": type(self).__name__, "tolerance": self.tolerance}


def group_equivalent(structures: Sequence[Structure]) -> list[list[int]]:
    """Group the structures that describe the same crystal.

    Exactly equal structures are found by their fingerprint. Of the others only those are compared whose compositions,
    kinds of disorder and volumes per atom agree, by pymatgen's `StructureMatcher` with its usual tolerances, which
    takes other cells, origins and orders of sites for the same. Structures that match through a third one are in one
    group, so the groups do not depend on the order of the structures.

    Parameters
    ----------
    structures : sequence of Structure
        Ordered or with partial occupancies; oxidation states do not count.

    Returns
    -------
    list of list of int
        Indices, ascending in each group; groups in order of their first structure.

    Notes
    -----
    A disordered crystal and one of its orderings are different crystals here. Volumes per atom that differ by more
    than 15 % are different too, though the matcher itself would scale them.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> other = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> group_equivalent([salt, other, salt.get_primitive_structure()])
    [[0, 2], [1]]
    """
    identical: dict[str, list[int]] = {}
    for index, structure in enumerate(structures):
        identical.setdefault(structure_fingerprint(structure), []).append(index)
    # ordered by fingerprint, so that neither which pairs are compared nor which comes first depends on the input
    distinct = [_Crystal(fingerprint, structures[indices[0]]) for fingerprint, indices in sorted(identical.items())]
    buckets: dict[tuple[Any, ...], list[_Crystal]] = {}
    for crystal in distinct:
        buckets.setdefault(crystal.bucket, []).append(crystal)
    groups = [
        sorted(index for crystal in group for index in identical[crystal.fingerprint])
        for bucket in buckets.values()
        for group in _connected(bucket)
    ]
    return sorted(groups)


class _Crystal:
    """One distinct structure with what is cheap to compare, and its reduced cell made when it is needed."""

    def __init__(self, fingerprint: str, structure: Structure) -> None:
        self.fingerprint = fingerprint
        self.structure = structure
        amounts = structure.composition.get_el_amt_dict()
        n_atoms = sum(amounts.values())
        self.volume_per_atom = structure.volume / n_atoms
        self.fractions = Composition({symbol: amount / n_atoms for symbol, amount in amounts.items()})
        ordered = all(len(site.species) == 1 and abs(site.species.num_atoms - 1.0) < 1e-3 for site in structure)
        # whole numbers are compared exactly; partial occupancies within a tolerance, which no key can express
        amount_key = (
            tuple(sorted(structure.composition.element_composition.reduced_composition.get_el_amt_dict().items()))
            if ordered
            else tuple(sorted(amounts))
        )
        self.bucket = (ordered, amount_key)
        self._reduced: Structure | None = None

    @property
    def reduced(self) -> Structure:
        """Primitive, reduced cell without oxidation states."""
        if self._reduced is None:
            plain = Structure(
                self.structure.lattice,
                [site.species.element_composition for site in self.structure],
                self.structure.frac_coords,
            )
            try:
                self._reduced = plain.get_primitive_structure().get_reduced_structure("niggli")
            except ValueError:
                # numerical trouble with a strange cell: it is compared as it is
                self._reduced = plain
        return self._reduced

    def may_equal(self, other: _Crystal) -> bool:
        """Whether a full comparison is worth its time."""
        larger, smaller = sorted((self.volume_per_atom, other.volume_per_atom), reverse=True)
        return (
            larger <= (1.0 + VOLUME_TOLERANCE) * smaller
            and _largest_difference(self.fractions, other.fractions) <= OCCUPANCY_TOLERANCE
        )


def _connected(crystals: list[_Crystal]) -> list[list[_Crystal]]:
    """Join what matches, directly or through others."""
    matcher = StructureMatcher(primitive_cell=False, comparator=OccupancyComparator())
    groups: list[list[_Crystal]] = []
    for crystal in crystals:
        joined = [crystal]
        apart = []
        for group in groups:
            if any(_match(matcher, other, crystal) for other in group):
                joined = group + joined
            else:
                apart.append(group)
        groups = [*apart, joined]
    return groups


def _match(matcher: StructureMatcher, first: _Crystal, second: _Crystal) -> bool:
    if not first.may_equal(second) or len(first.reduced) != len(second.reduced):
        return False
    return bool(matcher.fit(first.reduced, second.reduced, symmetric=True, skip_structure_reduction=True))


def _largest_difference(first: Composition, second: Composition) -> float:
    one, other = first.get_el_amt_dict(), second.get_el_amt_dict()
    return max(abs(one.get(symbol, 0.0) - other.get(symbol, 0.0)) for symbol in {*one, *other})
