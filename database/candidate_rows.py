"""How the row of a candidate is kept: as it is, with fields beside it that can be indexed and sorted by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import StoreError
from .documents.candidate_summary import CandidateSummary
from .properties import PropertyEstimate

SEARCH = "search"
"""Name of the part of a stored row that holds what is derived for searching."""

CHEMICAL_SYSTEM = f"{SEARCH}.chemical_system"
"""Path of the element symbols, sorted and joined by hyphens."""


def order_path(property_name: str, *, measured: bool = False) -> str:
    """Name the path that rows are sorted by: the value of a property, or its bound where only that is known.

    Parameters
    ----------
    property_name : str
        Name of the property.
    measured : bool
        Whether the measured value is meant, not the computed one.

    Returns
    -------
    str
        Dotted path in a stored row.

    Examples
    --------
    >>> order_path("sigma_300k_ms_cm")
    'search.order.sigma_300k_ms_cm'
    """
    return f"{SEARCH}.{'measured' if measured else 'order'}.{property_name}"


def low_path(property_name: str) -> str:
    """Name the path of the lower end of the 95 % range; it is missing where nothing bounds the value from below.

    Parameters
    ----------
    property_name : str
        Name of the property.

    Returns
    -------
    str
        Dotted path in a stored row.
    """
    return f"{SEARCH}.low.{property_name}"


def high_path(property_name: str) -> str:
    """Name the path of the upper end of the 95 % range; it is missing where nothing bounds the value from above.

    Parameters
    ----------
    property_name : str
        Name of the property.

    Returns
    -------
    str
        Dotted path in a stored row.
    """
    return f"{SEARCH}.high.{property_name}"


def row_to_document(row: CandidateSummary) -> dict[str, Any]:
    """Turn a row into what is stored: without the structures, with the fields to search by.

    Parameters
    ----------
    row : CandidateSummary
        A row.

    Returns
    -------
    dict
        Plain data; structures are kept apart, by fingerprint.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> row = CandidateSummary(
    ...     key="c/1", campaign_id="c", candidate_id="1", label="Li3N", formula="Li3N", elements=["Li", "N"],
    ...     n_elements=2, origins=[], status="done", updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    ...     properties={"sigma_300k_ms_cm": PropertyEstimate(bound="upper", limit=1e-3)},
    ... )
    >>> row_to_document(row)["search"]["order"], document_to_row(row_to_document(row)) == row
    ({'sigma_300k_ms_cm': 0.001}, True)
    """
    document = row.model_dump(exclude={"orderings": {"__all__": {"structure"}}})
    low, high = {}, {}
    for name, estimate in row.properties.items():
        least, greatest = estimate.range_95
        if math.isfinite(least):
            low[name] = least
        if math.isfinite(greatest):
            high[name] = greatest
    document[SEARCH] = {
        "chemical_system": "-".join(sorted(row.elements)),
        "order": _order_values(row.properties),
        "measured": _order_values(row.measured),
        "low": low,
        "high": high,
    }
    return document


def document_to_row(document: Mapping[str, Any]) -> CandidateSummary:
    """Rebuild a row from what is stored.

    Parameters
    ----------
    document : mapping
        A stored row.

    Returns
    -------
    CandidateSummary
        The row, its orderings without their structures.

    Raises
    ------
    StoreError
        If the layout does not fit this version of superion.
    """
    newest = CandidateSummary.model_fields["schema_version"].default
    version = document.get("schema_version", newest)
    if isinstance(version, int) and version > newest:
        raise StoreError(
            f"The candidate {document.get('key')} was stored in layout {version} but this superion reads up to "
            f"{newest}: update superion to read it."
        )
    try:
        return CandidateSummary.model_validate(
            {key: value for key, value in document.items() if key not in ("_id", SEARCH)}
        )
    except ValueError as error:
        first = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise StoreError(
            f"The stored candidate {document.get('key')} does not have the layout of this version of superion "
            f"({first}): run `superion db migrate`."
        ) from error


def order_value(estimate: PropertyEstimate) -> float | None:
    """Find the number that an estimate is sorted by: its bound where one is claimed, else its value.

    Parameters
    ----------
    estimate : PropertyEstimate
        An estimate.

    Returns
    -------
    float or None
        None where it is not finite.

    Examples
    --------
    >>> order_value(PropertyEstimate(value=2.0)), order_value(PropertyEstimate(bound="lower", limit=0.5))
    (2.0, 0.5)
    """
    number = estimate.limit if estimate.bound is not None else estimate.value
    return number if number is not None and math.isfinite(number) else None


def _order_values(estimates: Mapping[str, PropertyEstimate]) -> dict[str, float]:
    values = {name: order_value(estimate) for name, estimate in estimates.items()}
    return {name: value for name, value in values.items() if value is not None}
