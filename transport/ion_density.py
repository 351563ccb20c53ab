"""The probability density of the mobile ions on a grid: which sites and paths they use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError

_FRAMES_PER_BLOCK = 1024
_BOHR_ANGSTROM = 0.529177210903


@dataclass(frozen=True)
class IonDensity:
    """Mean number density of ions in a cell.

    Parameters
    ----------
    density_per_angstrom3 : (n_a, n_b, n_c) array
        Ions per Å³; times the volume of a voxel and summed it gives the number of ions.
    cell_angstrom : (3, 3) array
        Cell vectors as rows, in Å.
    n_ions : int
        Number of ions.
    """

    density_per_angstrom3: NDArray[np.float64]
    cell_angstrom: NDArray[np.float64]
    n_ions: int

    @property
    def volume_angstrom3(self) -> float:
        """Volume of the cell in Å³."""
        return float(abs(np.linalg.det(self.cell_angstrom)))

    @property
    def voxel_angstrom3(self) -> float:
        """Volume of one voxel in Å³."""
        return self.volume_angstrom3 / self.density_per_angstrom3.size


def ion_density(
    positions_angstrom: NDArray[np.floating],
    cell_angstrom: NDArray[np.floating],
    indices: NDArray[np.integer],
    *,
    grid_spacing_angstrom: float = 0.2,
    smearing_angstrom: float = 0.0,
    drift_angstrom: NDArray[np.floating] | None = None,
) -> IonDensity:
    """Return the mean density of ions on a periodic grid.

    Parameters
    ----------
    positions_angstrom : (n_frames, n_atoms, 3) array
        Positions in Å, wrapped or not.
    cell_angstrom : (3, 3) array
        Cell vectors as rows, in Å.
    indices : (n_ions,) array of int
        The ions.
    grid_spacing_angstrom : float
        Greatest distance between grid planes, in Å.
    smearing_angstrom : float
        Standard deviation of the Gaussian that smooths the density, in Å; 0 leaves the counts as they are.
    drift_angstrom : (n_frames, 3) array, optional
        Displacement to take off every atom, in Å: without it a drifting framework smears the sites.

    Returns
    -------
    IonDensity
        The density; voxel (i, j, k) is centred on fractional coordinates (i, j, k)/grid.

    Raises
    ------
    AnalysisError
        There is no ion, or the grid is too fine or senseless.

    Examples
    --------
    >>> import numpy as np
    >>> density = ion_density(np.zeros((5, 2, 3)), np.eye(3) * 4, [0, 1], grid_spacing_angstrom=1.0)
    >>> density.density_per_angstrom3.shape, round(float(density.density_per_angstrom3[0, 0, 0]), 6)
    ((4, 4, 4), 2.0)
    """
    atoms = np.asarray(indices, dtype=np.intp)
    if atoms.size == 0:
        raise AnalysisError("An ion density needs at least one ion; name an element that is in the structure.")
    if not grid_spacing_angstrom > 0 or smearing_angstrom < 0:
        raise AnalysisError("The grid spacing of an ion density must be positive and its smearing not negative.")
    cell = np.asarray(cell_angstrom, dtype=float)
    grid = np.maximum(1, np.ceil(np.linalg.norm(cell, axis=1) / grid_spacing_angstrom - 1e-9)).astype(int)
    if np.prod(grid, dtype=float) > 5e8:
        raise AnalysisError(f"A grid of {'×'.join(map(str, grid))} points is too fine; take a wider grid spacing.")
    inverse = np.linalg.inv(cell)
    counts = np.zeros(int(np.prod(grid)), dtype=np.int64)
    n_frames = len(positions_angstrom)
    for first in range(0, n_frames, _FRAMES_PER_BLOCK):
        block = np.asarray(positions_angstrom[first : first + _FRAMES_PER_BLOCK][:, atoms], dtype=np.float64)
        if drift_angstrom is not None:
            block = block - np.asarray(drift_angstrom)[first : first + len(block), None, :]
        # The nearest grid point, so that a site on a grid point fills one voxel and not eight.
        voxels = np.rint((block @ inverse) * grid).astype(np.int64) % grid
        flat = np.ravel_multi_index(tuple(np.moveaxis(voxels, -1, 0)), tuple(grid))
        counts += np.bincount(flat.ravel(), minlength=counts.size)
    voxel = abs(np.linalg.det(cell)) / counts.size
    density = (counts / (n_frames * voxel)).reshape(grid)
    if smearing_angstrom > 0:
        density = _smear(density, cell, smearing_angstrom)
    return IonDensity(density, cell, int(atoms.size))


def write_density(
    density: IonDensity,
    path: str | Path,
    symbols: Sequence[str],
    positions_angstrom: NDArray[np.floating],
) -> None:
    """Write a density for VESTA and its like: a Gaussian .cube file, else VASP's CHGCAR format.

    Parameters
    ----------
    density : IonDensity
        The density.
    path : str or Path
        Name of the file; the ending .cube chooses that format.
    symbols : sequence of str
        Elements of the atoms to show with it, such as the framework.
    positions_angstrom : (n_atoms, 3) array
        Their positions in Å.

    Raises
    ------
    AnalysisError
        There is no atom to show: both formats need one.
    """
    from pymatgen.core import Structure
    from pymatgen.io.common import VolumetricData
    from pymatgen.io.vasp import Chgcar, Poscar

    if not len(symbols):
        raise AnalysisError("A density file needs at least one atom beside the density; give the framework atoms.")
    order = sorted(range(len(symbols)), key=lambda index: symbols[index])  # CHGCAR wants blocks of one element
    structure = Structure(
        density.cell_angstrom,
        [symbols[index] for index in order],
        np.asarray(positions_angstrom, dtype=float)[order],
        coords_are_cartesian=True,
        to_unit_cell=True,
    )
    if Path(path).suffix == ".cube":
        data = {"total": density.density_per_angstrom3 * _BOHR_ANGSTROM**3}  # cube files are in atomic units
        VolumetricData(structure, data).to_cube(str(path))
    else:
        data = {"total": density.density_per_angstrom3 * density.volume_angstrom3}  # CHGCAR holds density times volume
        Chgcar(Poscar(structure, comment="ion density"), data).write_file(str(path))


def _smear(density: NDArray[np.float64], cell: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Convolve with a periodic Gaussian, exactly and for any cell, in reciprocal space."""
    frequencies = [np.fft.fftfreq(n, 1.0 / n) for n in density.shape[:2]]
    frequencies.append(np.fft.rfftfreq(density.shape[2], 1.0 / density.shape[2]))
    reciprocal = 2.0 * np.pi * np.linalg.inv(cell).T
    vectors = sum(
        axis.reshape([-1 if i == j else 1 for j in range(3)] + [1]) * reciprocal[i]
        for i, axis in enumerate(frequencies)
    )
    damping = np.exp(-0.5 * sigma**2 * np.sum(np.square(vectors), axis=-1))
    smooth = np.fft.irfftn(np.fft.rfftn(density) * damping, s=density.shape, axes=(0, 1, 2))
    # Truncated Fourier series ring slightly below zero; a density does not.
    smooth = np.maximum(smooth, 0.0)
    return smooth * (density.sum() / smooth.sum())
