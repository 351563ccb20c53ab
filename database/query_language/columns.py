"""What a query may ask for: the columns of a candidate's row, each with its kind and its unit."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import get_args

from ..candidate_rows import order_path
from ..documents.candidate_summary import CandidateStatus
from ..properties import PROPERTIES
from ..property_names import short_name

MEASURED = "measured_"
"""What the names of measured properties begin with."""


class ColumnKind(Enum):
    """Which comparisons a column takes."""

    ESTIMATE = "a property with its uncertainty"
    NUMBER = "a whole number"
    TEXT = "a text"
    FLAG = "true or false"
    ELEMENTS = "the elements"


@dataclass(frozen=True)
class Column:
    """A column of the table of candidates.

    Attributes
    ----------
    name : str
        Its name in queries, with the unit where it has one.
    kind : ColumnKind
        Which comparisons it takes.
    path : str
        Where its values are in a stored row.
    property_name : str or None
        Name of the property, for estimates.
    unit : str
        Unit of its values; empty for a pure number.
    choices : tuple of str
        The texts it may have; empty where any may be.
    """

    name: str
    kind: ColumnKind
    path: str
    property_name: str | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()

    @property
    def is_measured(self) -> bool:
        """Whether the measured value is meant."""
        return self.name.startswith(MEASURED)


@cache
def columns() -> Mapping[str, Column]:
    """List all columns.

    Returns
    -------
    mapping of str to Column
        By full name.
    """
    found = [
        Column("elements", ColumnKind.ELEMENTS, "elements"),
        Column("n_elements", ColumnKind.NUMBER, "n_elements"),
        Column("was_disordered", ColumnKind.FLAG, "was_disordered"),
        Column("status", ColumnKind.TEXT, "status", choices=get_args(CandidateStatus)),
        *(
            Column(name, ColumnKind.TEXT, path)
            for name, path in {
                "campaign": "campaign_id",
                "candidate": "candidate_id",
                "label": "label",
                "formula": "formula",
                "mobile_ion": "mobile_ion",
                "stage": "stage",
                "reason": "reason",
            }.items()
        ),
    ]
    for name, definition in PROPERTIES.items():
        found.append(Column(name, ColumnKind.ESTIMATE, order_path(name), name, definition.unit))
        found.append(
            Column(f"{MEASURED}{name}", ColumnKind.ESTIMATE, order_path(name, measured=True), name, definition.unit)
        )
    return {column.name: column for column in found}


@cache
def _short_column_names() -> Mapping[str, str]:
    return {short_name(name): name for name in columns() if short_name(name) != name}


def find_column(name: str) -> tuple[Column, bool] | None:
    """Look a column up.

    Parameters
    ----------
    name : str
        As the user wrote it, with the unit of a property or without it.

    Returns
    -------
    tuple of (Column, bool) or None
        The column, and whether the name said the unit; None where there is none.

    Examples
    --------
    >>> find_column("sigma_300k")[0].name, find_column("sigma_300k")[1]
    ('sigma_300k_ms_cm', False)
    """
    known = columns()
    if name in known:
        return known[name], True
    full = _short_column_names().get(name)
    return None if full is None else (known[full], False)


def nearest_column(name: str) -> str:
    """Name the known column that is spelled most like a given one.

    Parameters
    ----------
    name : str
        What the user wrote.

    Returns
    -------
    str
        A name.

    Examples
    --------
    >>> nearest_column("energy_above_hul")
    'energy_above_hull'
    """
    names = [*_short_column_names(), *columns()]
    return difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.0)[0]
