"""Candidates from a table: paths of structures, and measured values to carry along."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from ...database.documents.candidate_summary import CandidateOrigin
from ...database.properties import PROPERTIES, PropertyEstimate
from ...errors import SettingsError, as_clause
from .measured import check_unit, parse_measured
from .one_file import read_candidates_of_file
from .source import CandidateSource, CandidateSourceSettings, RawCandidate, UnreadableCandidate

if TYPE_CHECKING:
    import pandas

_BRACES = re.compile(r"\{([^{}]*)\}")


class MeasuredColumn(BaseModel):
    """Where a measured property stands in the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str = Field(description="name of the column")
    unit: str = Field(description="unit of its numbers, such as S/cm; empty for a pure number")


class TableSettings(CandidateSourceSettings):
    """A table of structures."""

    kind: Literal["table"] = "table"
    path: str = Field(description="the table, CSV, TSV, JSON or Parquet, from the folder of the campaign file")
    structure: str = Field(
        description="path of the structure, from the folder of the table; names of columns in braces stand for their "
        "values, as in cifs/{ID}.cif"
    )
    label: str | None = Field(
        default=None,
        description="name of the material with columns in braces, as in {formula} ({ID}); null takes the file's name",
    )
    composition: str | None = Field(
        default=None,
        description="column with what the material holds, such as Li6PS5Cl; structures that lack lithium, hydrogen or "
        "other parts of it are rejected; null compares nothing",
    )
    measured: dict[str, MeasuredColumn] = Field(
        default_factory=dict,
        description="measured properties by name, each with its column and unit; bounds such as <1E-10 stay bounds",
        json_schema_extra={"propertyNames": {"enum": [*PROPERTIES]}},
    )
    carry: tuple[str, ...] = Field(
        default=(), description="further columns to carry along as they are, such as the DOI of a measurement"
    )

    @field_validator("measured")
    @classmethod
    def _properties_exist(cls, value: dict[str, MeasuredColumn]) -> dict[str, MeasuredColumn]:
        problems = [*_unknown_properties(value), *_unfit_units(value)]
        if problems:
            raise ValidationError.from_exception_data("TableSettings", problems)
        return value


def _unknown_properties(measured: Mapping[str, MeasuredColumn]) -> Iterator[InitErrorDetails]:
    for name in measured:
        if name not in PROPERTIES:
            near = difflib.get_close_matches(name, PROPERTIES, n=1, cutoff=0.0)[0]
            yield _details((name,), f"there is no property '{name}', did you mean '{near}'?", name)


def _unfit_units(measured: Mapping[str, MeasuredColumn]) -> Iterator[InitErrorDetails]:
    for name, column in measured.items():
        if name not in PROPERTIES:
            continue
        try:
            check_unit(name, column.unit)
        except SettingsError as error:
            yield _details((name, "unit"), as_clause(str(error)), column.unit)


def _details(place: tuple[str, ...], sentence: str, value: str) -> InitErrorDetails:
    problem = PydanticCustomError("campaign", "{sentence}", {"sentence": sentence})
    return InitErrorDetails(type=problem, loc=place, input=value)


class TableSource(CandidateSource):
    """Reads the structures that a table names, and takes its measured values along."""

    kind: ClassVar[str] = "table"
    description: ClassVar[str] = "a table (CSV, TSV, JSON, Parquet) of structure files with measured values"
    settings_model: ClassVar[type[CandidateSourceSettings]] = TableSettings

    def read(self, settings: Any, base_folder: Path) -> Iterator[RawCandidate | UnreadableCandidate]:
        """Read the rows in their order.

        Parameters
        ----------
        settings : TableSettings
            The table and its columns.
        base_folder : Path
            Folder of the campaign file.

        Yields
        ------
        RawCandidate or UnreadableCandidate
            One for each structure of each row; a row without a structure is an unreadable candidate.

        Raises
        ------
        SettingsError
            If there is no such table or column.
        """
        table = base_folder / Path(settings.path).expanduser()
        rows = read_table(table)
        _check_columns(settings, table.name, rows[0] if rows else {})
        for number, row in enumerate(rows, start=1):
            yield from self._row(settings, table, number, row)

    def _row(
        self, settings: TableSettings, table: Path, number: int, row: Mapping[str, str]
    ) -> Iterator[RawCandidate | UnreadableCandidate]:
        """Read one row."""
        name = _filled(settings.structure, row)
        carried = {column: row[column] for column in _columns(settings) if row[column].strip()}
        origin = CandidateOrigin(source=self.kind, identifier=f"{table.name}, row {number}: {name}", measured=carried)
        label = _filled(settings.label, row).strip() if settings.label else ""
        measured, notes = _measured(settings.measured, row)
        composition = None
        if settings.composition is not None and (text := row[settings.composition].strip()):
            composition = read_formula(text)
            if composition is None:
                notes.append(f"not compared with its composition: '{text[:40]}' is no formula such as Li6PS5Cl")
        try:
            file = table.parent / Path(name).expanduser()
            is_there = bool(name.strip()) and file.is_file()
        except (OSError, RuntimeError, ValueError):
            is_there = False
        if not is_there:
            reason = f"There is no structure file {name} beside {table.name}: add the file."
            yield UnreadableCandidate(label or Path(name).stem or f"row {number}", origin, reason)
            return
        for item in read_candidates_of_file(file, name, origin):
            if isinstance(item, UnreadableCandidate):
                yield UnreadableCandidate(label or item.label, item.origin, item.reason)
            else:
                yield RawCandidate(
                    item.structure,
                    label or item.label,
                    item.origin,
                    measured=measured,
                    notes=(*item.notes, *notes),
                    expected_composition=composition,
                )


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a table with all its cells as text.

    Parameters
    ----------
    path : Path
        CSV, TSV, JSON or Parquet.

    Returns
    -------
    list of dict of str to str
        The rows; an empty cell is an empty text.

    Raises
    ------
    SettingsError
        If there is no such table, or it cannot be read.
    """
    import pandas as pd

    if not path.is_file():
        raise SettingsError(f"There is no table {path.name} in {path.parent.name or path.parent}: correct its path.")
    ending = path.name.lower().removesuffix(".gz").rsplit(".", 1)[-1]
    as_text: dict[str, Any] = {"dtype": str, "keep_default_na": False, "skipinitialspace": True}
    try:
        if ending == "parquet":
            frame = pd.read_parquet(path)
        elif ending == "json":
            frame = pd.read_json(path, dtype=False)
        else:
            frame = pd.read_csv(path, sep="\t" if ending in ("tsv", "tab") else ",", **as_text)
    except Exception as error:
        # pandas raises whatever its readers meet
        reason = " ".join(str(error).split())[:150]
        raise SettingsError(f"The table {path.name} cannot be read ({reason}): write it anew as CSV.") from None
    return _as_text(frame)


def _as_text(frame: pandas.DataFrame) -> list[dict[str, str]]:
    """Turn every cell into text; what is missing becomes empty."""
    frame = frame.astype(object).where(frame.notna(), "")
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, map(str, row), strict=True)) for row in frame.itertuples(index=False, name=None)]


def _columns(settings: TableSettings) -> tuple[str, ...]:
    composition = () if settings.composition is None else (settings.composition,)
    return (*composition, *(column.column for column in settings.measured.values()), *settings.carry)


def _check_columns(settings: TableSettings, table: str, row: Mapping[str, str]) -> None:
    """Refuse columns that are not in the table."""
    asked: Sequence[str] = (
        *_BRACES.findall(settings.structure),
        *_BRACES.findall(settings.label or ""),
        *_columns(settings),
    )
    if not row:
        raise SettingsError(f"The table {table} has no rows: give one with at least one structure.")
    for column in asked:
        if column not in row:
            near = difflib.get_close_matches(column, row, n=1, cutoff=0.0)[0]
            raise SettingsError(f"The table {table} has no column '{column}': did you mean '{near}'?")


def _filled(template: str, row: Mapping[str, str]) -> str:
    return _BRACES.sub(lambda found: row[found[1]].strip(), template)


def read_formula(text: str) -> str | None:
    """Check that a cell is a formula of elements.

    Parameters
    ----------
    text : str
        Such as ``Li6PS5Cl`` or ``Li5.4 P1 S4.4 Cl1.6``.

    Returns
    -------
    str or None
        The text; None where it is no formula, or one of nothing.

    Examples
    --------
    >>> read_formula("Li6PS5Cl"), read_formula("argyrodite")
    ('Li6PS5Cl', None)
    """
    from pymatgen.core import Composition, Element

    try:
        composition = Composition(text)
        is_formula = len(composition) > 0 and all(isinstance(part, Element) for part in composition)
    except Exception:
        # pymatgen raises whatever its parser meets
        return None
    return text if is_formula and math.isfinite(composition.num_atoms) else None


def _measured(
    columns: Mapping[str, MeasuredColumn], row: Mapping[str, str]
) -> tuple[dict[str, PropertyEstimate], list[str]]:
    """Read the measured values of a row, and say which cells cannot be read."""
    found, notes = {}, []
    for name, column in columns.items():
        try:
            estimate = parse_measured(row[column.column], name, column.unit)
        except ValueError as error:
            notes.append(f"measured {name} left out: {error}")
            continue
        if estimate is not None:
            found[name] = estimate
    return found, notes
