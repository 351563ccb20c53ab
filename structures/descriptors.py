"""Numbers that a structure shows without any simulation."""

from __future__ import annotations

from pymatgen.core import Structure


def mean_atomic_mass_amu(structure: Structure) -> float:
    """Mean mass of an atom.

    Parameters
    ----------
    structure : Structure
        Ordered or not; occupancies count.

    Returns
    -------
    float
        Mass in u.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> round(mean_atomic_mass_amu(salt), 2)
    12.97
    """
    composition = structure.composition
    return float(composition.weight) / float(composition.num_atoms)


def ion_density_per_angstrom3(structure: Structure, mobile_ion: str) -> float:
    """Count the mobile ions per volume.

    Parameters
    ----------
    structure : Structure
        Ordered or not; occupancies count.
    mobile_ion : str
        Element symbol.

    Returns
    -------
    float
        Number density in Å⁻³.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> ion_density_per_angstrom3(Structure(Lattice.cubic(2.0), ["Li"], [[0, 0, 0]]), "Li")
    0.125
    """
    return float(structure.composition.get_el_amt_dict().get(mobile_ion, 0.0)) / float(structure.volume)
