"""The number of the space group type of a set of operations."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .operation import TRANSLATION_UNITS, Operations


@lru_cache(maxsize=256)
def _number(keys: tuple[int, ...], rotations: bytes, translations: bytes) -> int | None:
    import spglib

    n = len(keys)
    try:
        found = spglib.get_spacegroup_type_from_symmetry(
            np.frombuffer(rotations, dtype=np.int64).reshape(n, 3, 3).astype("intc"),
            np.frombuffer(translations, dtype=np.int64).reshape(n, 3) / TRANSLATION_UNITS,
        )
    except Exception:
        return None
    return None if found is None else int(found.number)


def space_group_number(operations: Operations) -> int | None:
    """Find the number of the space group type, in whatever setting.

    Parameters
    ----------
    operations : Operations
        A group.

    Returns
    -------
    int or None
        Of the International Tables; None where it cannot be told.
    """
    return _number(
        tuple(operations.keys.tolist()),
        np.ascontiguousarray(operations.rotations).tobytes(),
        np.ascontiguousarray(operations.translations).tobytes(),
    )
