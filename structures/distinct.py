"""Which arrangements of atoms on the sites of a cell are different crystals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from .ewald_arrangement import Arrangement, ordered_structure

_SAME_ENERGY_EV_PER_SITE = 1e-6
_SAME_DISTANCE_ANGSTROM = 0.02
_MARGIN_ANGSTROM = 0.3
"""Shells this near to the largest distance may be cut by rounding: they are not compared."""


class DistinctArrangements:
    """Tells arrangements of one cell apart, whatever symmetry operation relates them.

    Two arrangements are the same when a permutation of the space group turns one into the other, or when their
    energies and all distances agree and pymatgen's `StructureMatcher` maps one on the other: that finds the operations
    of the crystal that its repeated cell does not have. Equal distances alone prove nothing: different arrangements of
    three or more atoms may share them.

    Parameters
    ----------
    cell : Structure
        The cell with its partial occupancies.
    permutations : ndarray of int, shape (n_operations, n_sites)
        Symmetry operations, as from `site_permutations`.
    """

    def __init__(self, cell: Structure, permutations: np.ndarray) -> None:
        self.cell = cell
        self.permutations = permutations
        self._elements = sorted({species.symbol for site in cell for species in site.species})

    def select(self, arrangements: Sequence[Arrangement], most: int) -> list[Arrangement]:
        """Keep the first of each set of equivalent arrangements.

        Parameters
        ----------
        arrangements : sequence of Arrangement
            In order of energy.
        most : int
            Stop when so many are kept.

        Returns
        -------
        list of Arrangement
            In the same order.
        """
        forms: set[bytes] = set()
        kept: list[Arrangement] = []
        spectra: dict[int, list[np.ndarray]] = {}
        for arrangement in arrangements:
            if len(kept) == most:
                break
            form = self._canonical(arrangement.symbols)
            if form in forms:
                continue
            forms.add(form)
            rivals = self._rivals(arrangement, kept)
            if rivals:
                spectrum = self._spectrum(arrangement.symbols)
                for rival in rivals:
                    spectra.setdefault(rival, self._spectrum(kept[rival].symbols))
                if any(
                    self._agree(spectra[rival], spectrum) and self._match(kept[rival], arrangement) for rival in rivals
                ):
                    continue
                spectra[len(kept)] = spectrum
            kept.append(arrangement)
        return kept

    def _rivals(self, arrangement: Arrangement, kept: list[Arrangement]) -> list[int]:
        limit = _SAME_ENERGY_EV_PER_SITE * len(self.cell)
        return [index for index, other in enumerate(kept) if abs(other.energy_ev - arrangement.energy_ev) <= limit]

    def _canonical(self, symbols: Sequence[str]) -> bytes:
        """Give the form that comes first in order among all that symmetry makes of an arrangement."""
        numbers = np.array([self._elements.index(symbol) + 1 if symbol else 0 for symbol in symbols], dtype=np.uint8)
        return min(row.tobytes() for row in numbers[self.permutations])

    def _match(self, first: Arrangement, second: Arrangement) -> bool:
        # the positions are those of one crystal: no tolerance is needed but for its noise
        matcher = StructureMatcher(
            ltol=0.01, stol=_SAME_DISTANCE_ANGSTROM, angle_tol=0.5, scale=False, primitive_cell=True
        )
        return bool(matcher.fit(ordered_structure(self.cell, first), ordered_structure(self.cell, second)))

    @cached_property
    def _reach(self) -> float:
        """Distance that sees every pair of sites, in Å."""
        return float(np.max(self.cell.distance_matrix)) + _MARGIN_ANGSTROM

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        first, second, _, distance = self.cell.get_neighbor_list(self._reach)
        order = np.argsort(distance, kind="stable")
        return first[order], second[order], distance[order]

    def _spectrum(self, symbols: Sequence[str]) -> list[np.ndarray]:
        """Ascending distances of each pair of elements in the endless crystal."""
        first, second, distance = self._pairs
        numbers = np.array([self._elements.index(symbol) + 1 if symbol else 0 for symbol in symbols])
        one, other = numbers[first], numbers[second]
        return [
            distance[(one == element) & (other == partner)]
            for element in range(1, len(self._elements) + 1)
            for partner in range(element, len(self._elements) + 1)
        ]

    def _agree(self, spectrum: list[np.ndarray], rival: list[np.ndarray]) -> bool:
        for distances, others in zip(spectrum, rival, strict=True):
            n_compared = int(np.searchsorted(distances, self._reach - _MARGIN_ANGSTROM))
            if len(others) < n_compared:
                return False
            if np.abs(distances[:n_compared] - others[:n_compared]).max(initial=0.0) > _SAME_DISTANCE_ANGSTROM:
                return False
        return True
