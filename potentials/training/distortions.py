"""Configurations around a crystal: strained cells, shaken atoms, missing atoms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import TrainingError

if TYPE_CHECKING:
    from ase import Atoms


def scaled_to_strain(atoms: Atoms, volume_strain: float) -> Atoms:
    """Scale a cell to another volume, with its shape and fractional coordinates kept.

    Parameters
    ----------
    atoms : ase.Atoms
        A crystal.
    volume_strain : float
        Relative change of the volume.

    Returns
    -------
    ase.Atoms
        The scaled copy.

    Examples
    --------
    >>> from ase.build import bulk
    >>> float(round(scaled_to_strain(bulk("Cu"), 0.03).get_volume() / bulk("Cu").get_volume(), 6))
    1.03
    """
    scaled = atoms.copy()
    scaled.set_cell(atoms.cell.array * (1.0 + volume_strain) ** (1.0 / 3.0), scale_atoms=True)
    return scaled


def distorted(
    atoms: Atoms,
    generator: np.random.Generator,
    *,
    largest_volume_strain: float = 0.04,
    largest_shear_strain: float = 0.03,
    displacement_angstrom: float = 0.15,
) -> Atoms:
    """Strain the cell at random and shake its atoms.

    Parameters
    ----------
    atoms : ase.Atoms
        A crystal.
    generator : numpy.random.Generator
        Random stream.
    largest_volume_strain : float
        Bound of the relative change of the volume.
    largest_shear_strain : float
        Bound of each component of the strain that changes the shape.
    displacement_angstrom : float
        Standard deviation of the displacement along each axis in Å.

    Returns
    -------
    ase.Atoms
        The distorted copy.
    """
    copy = scaled_to_strain(atoms, generator.uniform(-largest_volume_strain, largest_volume_strain))
    strain = generator.uniform(-largest_shear_strain, largest_shear_strain, size=(3, 3))
    strain = 0.5 * (strain + strain.T)
    strain -= np.eye(3) * np.trace(strain) / 3.0
    copy.set_cell(copy.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    copy.positions += generator.normal(scale=displacement_angstrom, size=copy.positions.shape)
    return copy


def with_vacancies(atoms: Atoms, element: str, n_vacancies: int, generator: np.random.Generator) -> Atoms:
    """Take atoms of one element out of a cell.

    A potential without charges has no charge state: the cell stands for vacancies compensated far away.

    Parameters
    ----------
    atoms : ase.Atoms
        A crystal.
    element : str
        Element of the missing atoms, usually the mobile ion.
    n_vacancies : int
        Number of atoms to take out.
    generator : numpy.random.Generator
        Random stream.

    Returns
    -------
    ase.Atoms
        The copy without them.

    Raises
    ------
    TrainingError
        If there are not so many.

    Examples
    --------
    >>> from ase.build import bulk
    >>> len(with_vacancies(bulk("Cu", cubic=True), "Cu", 1, np.random.default_rng(1)))
    3
    """
    places = np.flatnonzero(np.array(atoms.get_chemical_symbols()) == element)
    if len(places) <= n_vacancies:
        raise TrainingError(
            f"The cell has {len(places)} {element} atoms, from which {n_vacancies} cannot be taken: ask for fewer "
            "vacancies or a larger cell."
        )
    gone = generator.choice(places, size=n_vacancies, replace=False)
    copy = atoms.copy()
    del copy[sorted(gone.tolist())]
    return copy
