"""What makes an atomic configuration the one it is, so that it is labelled once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

DECIMALS = 8
"""Decimals of positions and cells, as extended XYZ files hold them."""


def rounded(atoms: Atoms) -> Atoms:
    """Give a bare copy whose positions and cell survive a file without change.

    Parameters
    ----------
    atoms : ase.Atoms
        A configuration.

    Returns
    -------
    ase.Atoms
        Elements, positions, cell and periodicity, to 1e-8 Å; neither momenta nor results.

    Examples
    --------
    >>> from ase import Atoms
    >>> rounded(Atoms("Li", positions=[[0.123456789, 0, 0]], cell=[3, 3, 3], pbc=True)).positions[0, 0].item()
    0.12345679
    """
    from ase import Atoms as PlainAtoms

    return PlainAtoms(
        numbers=atoms.numbers,
        positions=np.round(atoms.positions, DECIMALS) + 0.0,
        cell=np.round(atoms.cell.array, DECIMALS) + 0.0,
        pbc=atoms.pbc,
    )


def frame_digest(atoms: Atoms) -> str:
    """Digest of elements, positions, cell and periodicity.

    Parameters
    ----------
    atoms : ase.Atoms
        A configuration.

    Returns
    -------
    str
        Hexadecimal sha256; the same before and after an extended XYZ file.
    """
    plain = rounded(atoms)
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(plain.numbers, dtype=np.int64).tobytes())
    digest.update(np.ascontiguousarray(plain.positions, dtype=np.float64).tobytes())
    digest.update(np.ascontiguousarray(plain.cell.array, dtype=np.float64).tobytes())
    digest.update(np.ascontiguousarray(plain.pbc, dtype=np.uint8).tobytes())
    return digest.hexdigest()
