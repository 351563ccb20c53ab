"""The identity of a structure: a digest of exactly these atoms in exactly this order."""

from __future__ import annotations

import hashlib

import numpy as np
from pymatgen.core import Structure


def structure_fingerprint(structure: Structure) -> str:
    """Sha256 of a structure's exact cell, species, positions and atom order.

    Two descriptions of one crystal (another cell, origin or order) have different fingerprints: this is identity, as
    a trajectory's key needs it; whether two crystals are the same is `StructureMatcher`'s business. The numbers enter
    as little-endian float64 bytes without rounding, so the digest is the same on every platform and survives a JSON
    round trip; −0 counts as 0. Oxidation states, magnetic moments and other properties do not enter.

    Parameters
    ----------
    structure : Structure
        Ordered or not; occupancies enter too.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> cell = Lattice.cubic(3.51)
    >>> one = Structure(cell, ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> structure_fingerprint(one) == structure_fingerprint(Structure.from_dict(one.as_dict()))
    True
    """
    digest = hashlib.sha256(b"superion structure 1\n")
    digest.update(_bytes(structure.lattice.matrix))
    for site in structure:
        occupants: dict[str, float] = {}
        for species, occupancy in site.species.items():
            occupants[species.symbol] = occupants.get(species.symbol, 0.0) + float(occupancy)
        for symbol in sorted(occupants):
            digest.update(symbol.encode() + b"\0")
            digest.update(_bytes(np.array([occupants[symbol]])))
        digest.update(_bytes(site.frac_coords))
    return digest.hexdigest()


def _bytes(numbers: np.ndarray) -> bytes:
    return np.ascontiguousarray(numbers + 0.0, dtype="<f8").tobytes()
