"""Rows of candidates as tables: pandas, CSV, JSON, Parquet."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError, StoreError
from .documents.candidate_summary import CandidateSummary
from .properties import PROPERTIES, PropertyEstimate

if TYPE_CHECKING:
    import pandas as pd


def flat_records(rows: Iterable[CandidateSummary]) -> list[dict[str, Any]]:
    """Write rows as flat records with the same keys.

    A property has its best estimate under its own name, and beside it the ends of its intervals, its bound (`upper`:
    the truth is at most the limit) and its limit; a measured one has `measured_` in front.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows.

    Returns
    -------
    list of dict
        Texts, numbers, booleans and None; columns of properties that no row has are left out.
    """
    rows = list(rows)
    present = {
        prefix: _in_order(rows, attribute) for prefix, attribute in (("", "properties"), ("measured_", "measured"))
    }
    return [_record(row, present) for row in rows]


def to_dataframe(rows: Iterable[CandidateSummary]) -> pd.DataFrame:
    """Write rows as a pandas table.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows.

    Returns
    -------
    pandas.DataFrame
        One line per row, columns as of `flat_records`; missing numbers are NaN.

    Examples
    --------
    >>> to_dataframe([]).columns[:3].tolist()
    ['campaign_id', 'candidate_id', 'label']
    """
    import pandas as pd

    records = flat_records(rows)
    frame = pd.DataFrame.from_records(records, columns=list(records[0]) if records else _BASE_COLUMNS)
    for column in frame.columns:
        if _is_number_column(str(column)):
            frame[column] = frame[column].astype(float)
    return frame


def estimate_fields(name: str, estimate: PropertyEstimate | None) -> dict[str, Any]:
    """Write an estimate as flat fields.

    Parameters
    ----------
    name : str
        Name of the property.
    estimate : PropertyEstimate or None
        The estimate; None where nothing is known.

    Returns
    -------
    dict
        The value under the property's name, and beside it the ends of its intervals, its bound and its limit.

    Examples
    --------
    >>> estimate_fields("activation_energy_ev", PropertyEstimate(value=0.25))["activation_energy_ev"]
    0.25
    """
    low_68, high_68 = (estimate.interval_68 if estimate else None) or (None, None)
    low_95, high_95 = (estimate.interval_95 if estimate else None) or (None, None)
    return {
        name: estimate.value if estimate else None,
        f"{name}_low_68": low_68,
        f"{name}_high_68": high_68,
        f"{name}_low_95": low_95,
        f"{name}_high_95": high_95,
        f"{name}_bound": estimate.bound if estimate else None,
        f"{name}_limit": estimate.limit if estimate else None,
    }


def export_rows(rows: Iterable[CandidateSummary], path: str | Path) -> Path:
    """Write rows to a file; its ending says the format.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows.
    path : str or Path
        Ends in `.csv`, `.json` or `.parquet`; replaced where it exists, and only when all is written.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingsError
        If the ending is none of these.
    StoreError
        If the file cannot be written, or Parquet is asked for without pyarrow.
    """
    return _write_table(list(rows), path, WRITERS)


def export_records(records: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """Write flat records to a file; its ending says the format.

    Parameters
    ----------
    records : sequence of mapping
        Lines of a table: texts, numbers, booleans and None, all with the same keys.
    path : str or Path
        As for `export_rows`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingsError
        If the ending is not known.
    StoreError
        If the file cannot be written, or Parquet is asked for without pyarrow.
    """
    return _write_table(records, path, _RECORD_WRITERS)


def records_to_dataframe(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Write flat records as a pandas table.

    Parameters
    ----------
    records : sequence of mapping
        Lines of a table, all with the same keys.

    Returns
    -------
    pandas.DataFrame
        One line per record; missing numbers are NaN.
    """
    import pandas as pd

    frame = pd.DataFrame.from_records(records, columns=list(records[0]) if records else [])
    for name in frame.columns:
        if any(type(record[name]) is int for record in records):
            # pandas would make 1.0 of a rank where another one is missing.
            frame[name] = frame[name].astype("Int64")
    return frame


def json_records(rows: Iterable[CandidateSummary]) -> list[dict[str, Any]]:
    """Write rows as nested plain data, without structures.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows.

    Returns
    -------
    list of dict
        What JSON can hold; numbers that it does not know become null.
    """
    return [json.loads(row.model_dump_json(exclude={"orderings": {"__all__": {"structure"}}})) for row in rows]


def csv_text(rows: Iterable[CandidateSummary]) -> str:
    """Write rows as CSV.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows.

    Returns
    -------
    str
        With a line of titles; unknown values are empty.
    """
    return str(to_dataframe(rows).to_csv(index=False, lineterminator="\n"))


def _write_table(table: Sequence[Any], path: str | Path, writers: Mapping[str, Callable[..., None]]) -> Path:
    """Write a file whole, or not at all."""
    target = Path(path).expanduser()
    write = writers.get(target.suffix.lower())
    if write is None:
        raise SettingsError(
            f"The table {target.name} can be written as {', '.join(writers)}: choose one of these endings."
        )
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        write(table, partial)
        partial.replace(target)
    except OSError as error:
        raise StoreError(
            f"The table {target} cannot be written ({error.strerror or error}): choose a folder that you may write to, "
            "on a disk with room."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _write_csv(rows: Sequence[CandidateSummary], path: Path) -> None:
    path.write_text(csv_text(rows), encoding="utf-8")


def _write_json(rows: Sequence[CandidateSummary], path: Path) -> None:
    path.write_text(json.dumps(json_records(rows), indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def _write_parquet(rows: Sequence[CandidateSummary], path: Path) -> None:
    _need_pyarrow()
    to_dataframe(rows).to_parquet(path, index=False, engine="pyarrow")


def _need_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise StoreError(
            "Parquet needs pyarrow, which is not here: run `pip install 'superion[parquet]'`, or write CSV or JSON."
        ) from None


WRITERS: dict[str, Callable[[Sequence[CandidateSummary], Path], None]] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}
"""Ending of a file -> how it is written."""


def _write_csv_records(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    path.write_text(records_to_dataframe(records).to_csv(index=False, lineterminator="\n"), encoding="utf-8")


def _write_json_records(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    finite = [{key: None if _is_endless(value) else value for key, value in record.items()} for record in records]
    text = json.dumps(finite, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _write_parquet_records(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    _need_pyarrow()
    records_to_dataframe(records).to_parquet(path, index=False, engine="pyarrow")


def _is_endless(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


_RECORD_WRITERS: dict[str, Callable[[Sequence[Mapping[str, Any]], Path], None]] = {
    ".csv": _write_csv_records,
    ".json": _write_json_records,
    ".parquet": _write_parquet_records,
}

_BASE_COLUMNS = [
    "campaign_id",
    "candidate_id",
    "label",
    "formula",
    "elements",
    "n_elements",
    "mobile_ion",
    "was_disordered",
    "status",
    "stage",
    "reason",
    "n_orderings",
    "origins",
    "notes",
    "updated_at",
]
_NUMBER_ENDINGS = ("", "_low_68", "_high_68", "_low_95", "_high_95", "_limit")


def _in_order(rows: Sequence[CandidateSummary], attribute: str) -> list[str]:
    """List the properties that some row has, ours in their own order first."""
    found = {name for row in rows for name in getattr(row, attribute)}
    return [name for name in PROPERTIES if name in found] + sorted(found - PROPERTIES.keys())


def _is_number_column(column: str) -> bool:
    name = column.removeprefix("measured_")
    return any(name.removesuffix(ending) in PROPERTIES for ending in _NUMBER_ENDINGS if name.endswith(ending))


def _record(row: CandidateSummary, present: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "campaign_id": row.campaign_id,
        "candidate_id": row.candidate_id,
        "label": row.label,
        "formula": row.formula,
        "elements": "-".join(row.elements),
        "n_elements": row.n_elements,
        "mobile_ion": row.mobile_ion,
        "was_disordered": row.was_disordered,
        "status": row.status,
        "stage": row.stage,
        "reason": row.reason,
        "n_orderings": len(row.orderings),
        "origins": "; ".join(f"{origin.source}: {origin.identifier}" for origin in row.origins),
        "notes": "; ".join(row.notes),
        "updated_at": row.updated_at.isoformat(),
    }
    for prefix, estimates in (("", row.properties), ("measured_", row.measured)):
        for name in present[prefix]:
            record |= estimate_fields(f"{prefix}{name}", estimates.get(name))
    return record
