"""Structures from and to plain JSON, without building any other object that the JSON may name."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Composition, Element, Lattice, PeriodicSite, Species, Structure

from ..errors import StructureError

MAXIMUM_BYTES = 2_000_000_000


def structure_from_plain(data: Mapping[str, Any]) -> Structure:
    """Build a structure from what `Structure.as_dict` gave.

    pymatgen's own `Structure.from_dict` builds any class that the site properties name. Here only cell, species,
    occupancies, oxidation states and positions are taken, so a file from a stranger does no harm, and thousands of
    structures are read quickly.

    Parameters
    ----------
    data : mapping
        With `lattice` and `sites`.

    Returns
    -------
    Structure
        Without site properties.

    Raises
    ------
    StructureError
        If the data does not describe a crystal.

    Examples
    --------
    >>> cell = Structure(Lattice.cubic(3.51), ["Li+", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> structure_from_plain(cell.as_dict()) == cell
    True
    """
    try:
        lattice = Lattice(_matrix(data["lattice"]["matrix"]))
        cache: dict[str, Composition] = {}
        sites = [
            PeriodicSite(_composition(site["species"], cache), _vector(site["abc"]), lattice, skip_checks=True)
            for site in data["sites"]
        ]
    except StructureError:
        raise
    except Exception as error:
        # a stranger's file may hold anything at all in any place
        raise StructureError(
            f"The JSON does not describe a crystal structure ({type(error).__name__}: {str(error)[:100]}): "
            "give what pymatgen's Structure.as_dict writes."
        ) from None
    if not sites:
        raise StructureError("The structure in the JSON holds no atoms: give one that does.")
    charge = data.get("charge")
    return Structure.from_sites(sites, charge=charge if isinstance(charge, int | float) else None)


def structure_to_plain(structure: Structure) -> dict[str, Any]:
    """Describe a structure by what `structure_from_plain` reads, much faster than `Structure.as_dict`.

    Parameters
    ----------
    structure : Structure
        Any.

    Returns
    -------
    dict
        Plain JSON but for numpy arrays: `lattice` and `sites`, without site properties.

    Examples
    --------
    >>> cell = Structure(Lattice.cubic(3.51), ["Li+", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> structure_from_plain(structure_to_plain(cell)) == cell
    True
    """
    plain: dict[str, Any] = {
        "lattice": {"matrix": structure.lattice.matrix.tolist()},
        "sites": [{"species": _plain_species(site), "abc": site.frac_coords.tolist()} for site in structure],
    }
    # the charge is part of a structure only where it was given
    if structure._charge is not None:
        plain["charge"] = structure._charge
    return plain


def _plain_species(site: PeriodicSite) -> list[dict[str, Any]]:
    """List the occupants of a site as `Structure.as_dict` does."""
    species = []
    for kind, amount in site.species.items():
        item: dict[str, Any] = {"element": kind.symbol, "occu": float(amount)}
        state = getattr(kind, "oxi_state", None)
        if state is not None:
            item["oxidation_state"] = state
        species.append(item)
    return species


def iterate_plain_records(path: Path) -> Iterator[Mapping[str, Any]]:
    """Give the records of a JSON file one after the other.

    Parameters
    ----------
    path : Path
        A file of one JSON object, of a list of them, or of one object on each line; perhaps compressed by gzip.

    Yields
    ------
    mapping
        The objects.

    Raises
    ------
    StructureError
        If it is not JSON, or holds something else.
    """
    is_zipped = path.name.lower().endswith(".gz")
    name = path.name.lower().removesuffix(".gz")
    try:
        with gzip.open(path, "rt", encoding="utf-8") if is_zipped else path.open(encoding="utf-8") as file:
            if name.endswith(".jsonl"):
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        yield _record(json.loads(line), f"{path.name}, line {number}")
                return
            whole = json.load(file)
    except (ValueError, OSError, EOFError) as error:
        raise StructureError(f"The file {path.name} is not JSON ({str(error)[:100]}): write it anew.") from None
    for number, item in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        yield _record(item, f"{path.name}, item {number}")


def _record(item: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise StructureError(
            f"{where}: a {type(item).__name__} is not a structure; give what Structure.as_dict writes."
        )
    return item


def _matrix(rows: Any) -> np.ndarray:
    matrix = np.asarray(rows, dtype=float)
    if matrix.shape != (3, 3):
        raise StructureError("The cell in the JSON is not three vectors: give a lattice matrix of 3 rows.")
    return matrix


def _vector(numbers: Any) -> np.ndarray:
    vector = np.asarray(numbers, dtype=float)
    if vector.shape != (3,):
        raise StructureError("A position in the JSON is not three numbers: give fractional coordinates as 'abc'.")
    return vector


def _composition(species: Sequence[Mapping[str, Any]], cache: dict[str, Composition]) -> Composition:
    """Build what sits on a site; equal sites share one object, which nothing changes."""
    key = repr(species)
    found = cache.get(key)
    if found is None:
        amounts: dict[Element | Species, float] = {}
        for item in species:
            symbol = str(item["element"])
            if not Element.is_valid_symbol(symbol):
                raise StructureError(f"'{symbol[:20]}' is not a chemical element: correct the structure's species.")
            state = item.get("oxidation_state")
            kind = Element(symbol) if state is None else Species(symbol, float(state))
            amounts[kind] = amounts.get(kind, 0.0) + float(item["occu"])
        found = cache[key] = Composition(amounts)
    return found
