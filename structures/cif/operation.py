"""Symmetry operations as whole numbers, so that groups are checked without rounding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...errors import StructureError

TRANSLATION_UNITS = 5040
"""Parts of a lattice vector in which translations are counted, from halves to twenty-fourths."""

_NEAR_FRACTIONS = sorted({(over, under) for under in (*range(1, 11), 12, 16, 24) for over in range(under)})
_TERM = re.compile(
    r"(?P<sign>[+-]?)(?P<number>\d+(?:\.\d*)?(?:/\d+(?:\.0*)?)?|\.\d+)?\*?(?P<axis>[xyz])?(?:/(?P<under>\d))?"
)


@dataclass(frozen=True)
class Operations:
    """Symmetry operations of a cell.

    Attributes
    ----------
    rotations : ndarray
        Whole numbers, shape (n, 3, 3); they act on fractional coordinates.
    translations : ndarray
        Whole numbers of 1/5040 of a lattice vector, from 0 to 5039, shape (n, 3).
    """

    rotations: NDArray[np.int64]
    translations: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rotations)

    @property
    def shifts(self) -> NDArray[np.float64]:
        """Translations in fractions of lattice vectors, shape (n, 3)."""
        return np.asarray(self.translations / TRANSLATION_UNITS)

    @property
    def keys(self) -> NDArray[np.int64]:
        """One number for each operation, the same for equal operations; shape (n,)."""
        return _keys(self.rotations, self.translations)

    def same_as(self, other: Operations) -> bool:
        """Say whether both hold the same operations in any order.

        Parameters
        ----------
        other : Operations
            Further operations.

        Returns
        -------
        bool
            Whether they are equal as sets.
        """
        return len(self) == len(other) and bool(np.array_equal(np.sort(self.keys), np.sort(other.keys)))

    def is_group(self) -> bool:
        """Say whether the product of any two is among them."""
        return _is_group(self.rotations.tobytes(), self.translations.tobytes())


def operations_of(triplets: tuple[str, ...]) -> Operations:
    """Read operations such as ``-y, x-y, z+1/3``.

    Parameters
    ----------
    triplets : tuple of str
        One for each operation.

    Returns
    -------
    Operations
        Each once, in the order given.

    Raises
    ------
    StructureError
        When one is no operation of a crystal; its text is named.

    Examples
    --------
    >>> operations_of(("x,y,z", "-X, 1/2+Y, -Z+.5")).translations.tolist()
    [[0, 0, 0], [0, 2520, 2520]]
    """
    return _unique([_operation(triplet) for triplet in triplets])


def products(one: Operations, other: Operations) -> Operations:
    """Combine each operation of one with each of another.

    Parameters
    ----------
    one, other : Operations
        Operations.

    Returns
    -------
    Operations
        All different products.
    """
    return _first_of_each(_products(one, other))


def generated(operations: Operations, most: int = 400) -> Operations | None:
    """Complete operations to a group.

    Parameters
    ----------
    operations : Operations
        Generators.
    most : int
        Operations above which it is given up: no crystal's conventional cell has more.

    Returns
    -------
    Operations or None
        The group; None when it grows too large.
    """
    group = operations
    while len(group) <= most:
        larger = products(group, operations)
        joined = _first_of_each(
            Operations(
                np.concatenate([group.rotations, larger.rotations]),
                np.concatenate([group.translations, larger.translations]),
            )
        )
        if len(joined) == len(group):
            return group
        group = joined
    return None


@lru_cache(maxsize=512)
def _is_group(rotations: bytes, translations: bytes) -> bool:
    operations = Operations(
        np.frombuffer(rotations, dtype=np.int64).reshape(-1, 3, 3),
        np.frombuffer(translations, dtype=np.int64).reshape(-1, 3),
    )
    return bool(np.isin(_products(operations, operations).keys, operations.keys).all())


def _products(one: Operations, other: Operations) -> Operations:
    rotations = np.einsum("aij,bjk->abik", one.rotations, other.rotations)
    translations = np.einsum("aij,bj->abi", one.rotations, other.translations) + one.translations[:, None]
    return Operations(rotations.reshape(-1, 3, 3), translations.reshape(-1, 3) % TRANSLATION_UNITS)


def _first_of_each(operations: Operations) -> Operations:
    _, first = np.unique(operations.keys, return_index=True)
    first.sort()
    return Operations(operations.rotations[first], operations.translations[first])


def _keys(rotations: NDArray[np.int64], translations: NDArray[np.int64]) -> NDArray[np.int64]:
    powers = 5 ** np.arange(9, dtype=np.int64)
    rotation = ((rotations.reshape(-1, 9) + 2) % 5) @ powers
    units = TRANSLATION_UNITS ** np.arange(3, dtype=np.int64)
    return np.asarray(rotation * TRANSLATION_UNITS**3 + translations @ units)


def _unique(found: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> Operations:
    different = list(dict.fromkeys(found))
    return Operations(
        np.array([rotation for rotation, _ in different], dtype=np.int64).reshape(-1, 3, 3),
        np.array([translation for _, translation in different], dtype=np.int64).reshape(-1, 3),
    )


@lru_cache(maxsize=8192)
def _operation(triplet: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    parts = re.sub(r"\s+", "", triplet.lower()).strip("'\"").split(",")
    if len(parts) != 3:
        raise StructureError(f"'{triplet}' is no symmetry operation: write three terms such as -x,y+1/2,-z")
    rotation: list[int] = []
    translation: list[int] = []
    for part in parts:
        row, shift = [0, 0, 0], 0
        position = 0
        while position < len(part):
            found = _TERM.match(part, position)
            if found is None or found.end() == position or not (found["number"] or found["axis"]):
                raise StructureError(f"'{triplet}' is no symmetry operation: '{part}' cannot be read; correct it")
            sign = -1 if found["sign"] == "-" else 1
            if (position and not found["sign"]) or (found["axis"] and found["under"]):
                raise StructureError(f"'{triplet}' is no symmetry operation: '{part}' cannot be read; correct it")
            if found["axis"]:
                factor = float(found["number"] or 1) if "/" not in (found["number"] or "") else 0.5
                if factor not in (1.0, 2.0):
                    raise StructureError(
                        f"'{triplet}' is no symmetry operation of a crystal: '{part}' scales an axis; correct it"
                    )
                row["xyz".index(found["axis"])] += sign * int(factor)
            else:
                shift += sign * _translation(found["number"], triplet)
            position = found.end()
        rotation += row
        translation.append(shift % TRANSLATION_UNITS)
    if max(map(abs, rotation)) > 2 or round(abs(float(np.linalg.det(np.array(rotation).reshape(3, 3))))) != 1:
        raise StructureError(f"'{triplet}' is no symmetry operation: it does not keep the volume; correct it")
    return tuple(rotation), tuple(translation)


def _translation(text: str, triplet: str) -> int:
    """Count a translation; decimals are the fraction that they round or cut off."""
    over, _, under = text.partition("/")
    if under:
        if float(under) == 0.0:
            raise StructureError(f"'{triplet}' is no symmetry operation: it divides by zero; correct it")
        exact = float(over) / float(under) * TRANSLATION_UNITS
        if abs(exact - round(exact)) < 1e-6:
            return round(exact)
    else:
        value = float(over)
        whole = int(value // 1)
        last_digit = 10.0 ** -len(over.partition(".")[2])
        for above, below in _NEAR_FRACTIONS:
            miss = abs(value - whole - above / below)
            if miss < 1e-9 or (last_digit <= 0.011 and miss < last_digit):
                return whole * TRANSLATION_UNITS + above * TRANSLATION_UNITS // below
        if last_digit <= 0.011 and 1.0 - (value - whole) < last_digit:
            return (whole + 1) * TRANSLATION_UNITS
    raise StructureError(
        f"the translation {text} of the symmetry operation '{triplet}' is no simple fraction of a lattice vector: "
        "correct it"
    )
