"""Bond-valence site energies of a mobile ion, with the parameters of the bvlain library."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure

from ..errors import SettingsError, StructureError
from .framework import framework_indices
from .oxidation import guess_oxidation_states
from .percolation import percolation_thresholds

_POINTS_AT_ONCE = 40_000
"""Grid points per call: bvlain keeps some ten arrays of a hundred neighbours for each."""

_CUTOFF_ANGSTROM = 10.0
_NEIGHBOURS = 100


@dataclass(frozen=True)
class PercolationBarriers:
    """Barriers of one ion in one crystal.

    Parameters
    ----------
    one_dimensional_ev : float
        Lowest barrier of a path that crosses the crystal along one direction, in eV; infinite where none was found.
    two_dimensional_ev : float
        The same for paths along two directions.
    three_dimensional_ev : float
        The same for paths along three directions.
    grid : tuple of int
        Points along the lattice vectors.
    oxidation_states : dict of str to float
        Those that the energies rest on.
    """

    one_dimensional_ev: float
    two_dimensional_ev: float
    three_dimensional_ev: float
    grid: tuple[int, int, int]
    oxidation_states: dict[str, float]


def check_bond_valence_library() -> None:
    """Refuse to go on where bvlain is not installed.

    Raises
    ------
    SettingsError
        Saying how to install it.
    """
    if importlib.util.find_spec("bvlain") is None:
        raise SettingsError(
            "Bond-valence site energies need the package bvlain, which is not installed: "
            "run pip install 'superion[bvse]', or leave the stage 'percolation' out."
        )


def percolation_barriers(
    structure: Structure,
    mobile_ion: str,
    ion_charge: float,
    *,
    resolution_angstrom: float = 0.2,
    greatest_barrier_ev: float = 5.0,
) -> PercolationBarriers:
    """Find the bond-valence site energy barriers of one ion in one, two and three dimensions.

    The energies are those of bvlain: Morse attraction to the counter-ions and screened Coulomb repulsion from the
    like-charged framework, for one ion alone in the framework. They sort crystals; they are no activation energies.

    Parameters
    ----------
    structure : Structure
        An ordered structure.
    mobile_ion : str
        Element symbol.
    ion_charge : float
        Its formal charge in elementary charges, a whole number.
    resolution_angstrom : float
        Greatest distance between grid points in Å.
    greatest_barrier_ev : float
        Height in eV beyond which nothing is sought.

    Returns
    -------
    PercolationBarriers
        In eV above the lowest point of the field.

    Raises
    ------
    SettingsError
        If bvlain is not installed.
    StructureError
        If there is no framework, or no parameters for these ions.

    References
    ----------
    H. Chen, L. L. Wong and S. Adams, Acta Cryst. B 75, 18 (2019), 10.1107/S2052520618015718.
    A. Dembitskiy, bvlain, https://github.com/dembart/BVlain (MIT).
    """
    field, states = bond_valence_field(structure, mobile_ion, ion_charge, resolution_angstrom=resolution_angstrom)
    one, two, three = percolation_thresholds(field, greatest_barrier_ev)
    return PercolationBarriers(one, two, three, (field.shape[0], field.shape[1], field.shape[2]), states)


def bond_valence_field(
    structure: Structure, mobile_ion: str, ion_charge: float, *, resolution_angstrom: float = 0.2
) -> tuple[np.ndarray, dict[str, float]]:
    """Compute the bond-valence site energy of one ion on a grid.

    Parameters
    ----------
    structure : Structure
        An ordered structure.
    mobile_ion : str
        Element symbol.
    ion_charge : float
        Its formal charge in elementary charges, a whole number.
    resolution_angstrom : float
        Greatest distance between grid points in Å.

    Returns
    -------
    field : ndarray, shape (n1, n2, n3)
        Energy in eV; the first point is the cell's origin, and every point is there once.
    oxidation_states : dict of str to float
        Those that the energies rest on.

    Raises
    ------
    SettingsError
        If bvlain is not installed.
    StructureError
        If there is no framework, or no parameters for these ions.
    """
    check_bond_valence_library()
    if not framework_indices(structure, mobile_ion).size:
        raise StructureError(f"There is nothing but {mobile_ion}, so it has no framework to move in.")
    states, is_balanced = guess_oxidation_states(structure.composition)
    states[mobile_ion] = ion_charge
    if not is_balanced or any(not float(state).is_integer() for state in states.values()):
        raise StructureError(
            f"Bond-valence parameters need whole oxidation states, which {structure.composition.reduced_formula} "
            "does not have."
        )
    plain = structure.copy()
    plain.remove_oxidation_states()
    plain.add_oxidation_state_by_element({symbol: int(state) for symbol, state in states.items()})
    grid = tuple(max(2, math.ceil(length / resolution_angstrom)) for length in structure.lattice.abc)
    axes = [np.arange(n_points) / n_points for n_points in grid]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    try:
        energies = _energies(plain, f"{mobile_ion}{abs(int(ion_charge))}{'+' if ion_charge > 0 else '-'}", points)
    except KeyError as error:
        listed = ", ".join(f"{symbol} {state:+g}" for symbol, state in sorted(states.items()))
        raise StructureError(f"There are no bond-valence parameters for {mobile_ion} among {listed}.") from error
    return energies.reshape(grid), states


def _energies(decorated: Structure, ion: str, points: np.ndarray) -> np.ndarray:
    """Let bvlain compute the energy at fractional coordinates, a part at a time so that memory stays small."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bvlain import Lain

        class Points(Lain):
            """Energies at given points in place of bvlain's own grid, which holds the cell's faces twice."""

            def _mesh(self, resolution: float = 0.1, shift: tuple[float, ...] = (0, 0, 0)) -> np.ndarray:
                self.shift, self.size = shift, (len(self.points),)
                return self.points + np.asarray(shift)

        from contextlib import redirect_stdout
        from io import StringIO

        calculator = Points(verbose=False)
        calculator.read_structure(decorated, oxi_check=False)
        parts = []
        with redirect_stdout(StringIO()):
            for start in range(0, len(points), _POINTS_AT_ONCE):
                calculator.points = points[start : start + _POINTS_AT_ONCE]
                parts.append(calculator.bvse_distribution(mobile_ion=ion, r_cut=_CUTOFF_ANGSTROM, k=_NEIGHBOURS))
    return np.concatenate(parts)
