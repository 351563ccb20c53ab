"""Whether a cell has the symmetry of its operations."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Lattice

from ...errors import StructureError
from .operation import Operations

_METRIC_TOLERANCE = 0.02
"""Part of a metric tensor's element by which symmetry may be broken: lengths by 1 %, angles by 1°."""

_WORTH_SAYING = 0.002


def metric_miss(operations: Operations, lattice: Lattice) -> float | None:
    """Compare the metric tensor of a cell with its images under the operations.

    Parameters
    ----------
    operations : Operations
        Symmetry of the cell.
    lattice : Lattice
        The cell.

    Returns
    -------
    float or None
        Largest relative change; None above the tolerance.
    """
    metric = lattice.matrix @ lattice.matrix.T
    turned = np.einsum("aji,jk,akl->ail", operations.rotations, metric, operations.rotations)
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    miss = float((np.abs(turned - metric) / scale).max())
    return miss if miss <= _METRIC_TOLERANCE else None


def check_fit(operations: Operations, lattice: Lattice, what: str) -> None:
    """Refuse operations that do not fit a cell.

    Parameters
    ----------
    operations : Operations
        Symmetry of the cell.
    lattice : Lattice
        The cell.
    what : str
        Words that name the operations.

    Raises
    ------
    StructureError
        When they would change its lengths by more than 1 %.
    """
    if metric_miss(operations, lattice) is None:
        lengths = ", ".join(f"{length:g}" for length in lattice.abc)
        angles = ", ".join(f"{angle:g}" for angle in lattice.angles)
        raise StructureError(
            f"{what} do not fit its cell ({lengths} Å; {angles}°): one of them is wrong, or the operations are of "
            "another setting; correct it"
        )


def metric_notes(operations: Operations, lattice: Lattice) -> list[str]:
    """Say by how much a cell breaks the symmetry of its operations.

    Parameters
    ----------
    operations : Operations
        Symmetry of the cell.
    lattice : Lattice
        The cell.

    Returns
    -------
    list of str
        One sentence, or none where the cell keeps the symmetry.
    """
    miss = metric_miss(operations, lattice)
    if miss is None or miss < _WORTH_SAYING:
        return []
    return [f"The cell breaks the symmetry of its operations by {50 * miss:.2g} % in length: it is kept as written."]
