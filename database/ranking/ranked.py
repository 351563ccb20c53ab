"""What a ranking is: rows with their ranks, and apart from them the rows that could not be ranked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import SettingsError
from ..documents.candidate_summary import CandidateSummary
from ..properties import PROPERTIES, Interval, PropertyDefinition, PropertyEstimate
from ..property_names import nearest_property

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RankedRow:
    """A row and its place.

    Attributes
    ----------
    row : CandidateSummary
        The row.
    rank : int
        1 for the best; equal rows share a rank, and the next one counts them all.
    score : float
        What was sorted by: the value of a property or its bound, a probability, a weighted score.
    interval_68, interval_95 : tuple of float or None
        Intervals of the score, where they are known.
    is_bound : bool
        Whether a bound was all that was known, so that the rank is the best possible or the worst possible one.
    """

    row: CandidateSummary
    rank: int
    score: float
    interval_68: Interval | None = None
    interval_95: Interval | None = None
    is_bound: bool = False


@dataclass(frozen=True)
class UnrankedRow:
    """A row that lacks what it would be ranked by.

    Attributes
    ----------
    row : CandidateSummary
        The row.
    missing : tuple of str
        Names of the properties that nothing is known of.
    """

    row: CandidateSummary
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """Rows in order, best first, and those that could not be ranked.

    Attributes
    ----------
    by : str
        What the score is.
    ranked : tuple of RankedRow
        Best first; equal ones in the order of their keys.
    unranked : tuple of UnrankedRow
        In the order of their keys.
    """

    by: str
    ranked: tuple[RankedRow, ...]
    unranked: tuple[UnrankedRow, ...]

    def to_dataframe(self) -> pd.DataFrame:
        """Write the ranking as a pandas table.

        Returns
        -------
        pandas.DataFrame
            One line per row, best first, those without a rank last: rank, candidate, score with the ends of its 68 %
            and 95 % intervals, whether it is a bound, and what is missing of those without a rank.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> from superion.database.properties import PropertyEstimate
        >>> row = CandidateSummary(
        ...     key="c/1", campaign_id="c", candidate_id="1", label="Li3N", formula="Li3N", elements=["Li", "N"],
        ...     n_elements=2, origins=[], status="done", updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        ... )
        >>> ranking = Ranking("sigma_300k_ms_cm", (RankedRow(row, 1, 1.2, interval_95=(0.8, 1.9)),), ())
        >>> ranking.to_dataframe()[["rank", "label", "score", "low_95", "high_95"]].values.tolist()
        [[1, 'Li3N', 1.2, 0.8, 1.9]]
        """
        import pandas as pd

        lines: list[tuple[object, ...]] = []
        for entry in self.ranked:
            ends = *(entry.interval_68 or _UNKNOWN), *(entry.interval_95 or _UNKNOWN)
            lines.append((entry.rank, *_named(entry.row), entry.score, *ends, entry.is_bound, ""))
        for without in self.unranked:
            ends = *_UNKNOWN, *_UNKNOWN
            lines.append((None, *_named(without.row), None, *ends, False, ", ".join(without.missing)))
        frame = pd.DataFrame.from_records(lines, columns=_COLUMNS)
        numbers = dict.fromkeys(("score", "low_68", "high_68", "low_95", "high_95"), float)
        return frame.astype({"rank": "Int64", **numbers})


_COLUMNS = ["rank", "campaign_id", "candidate_id", "label", "formula", "status", "score"]
_COLUMNS += ["low_68", "high_68", "low_95", "high_95", "is_bound", "missing"]
_UNKNOWN = (None, None)


def _named(row: CandidateSummary) -> tuple[str, ...]:
    return row.campaign_id, row.candidate_id, row.label, row.formula, row.status


def definition_of(name: str) -> PropertyDefinition:
    """Look up a property that rows are to be ranked by.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    PropertyDefinition
        The property.

    Raises
    ------
    SettingsError
        If there is none, the nearest one being named.
    """
    if name not in PROPERTIES:
        raise SettingsError(f"There is no property '{name}' to rank by; did you mean '{nearest_property(name)}'?")
    return PROPERTIES[name]


def direction_of(name: str, better: str | None = None) -> int:
    """Find which end of a property is wanted.

    Parameters
    ----------
    name : str
        Name of the property.
    better : str, optional
        ``higher`` or ``lower``, in place of what is usual.

    Returns
    -------
    int
        1 if higher is better, -1 if lower is.

    Raises
    ------
    SettingsError
        If neither end is better and none was asked for.

    Examples
    --------
    >>> direction_of("sigma_300k_ms_cm"), direction_of("activation_energy_ev")
    (1, -1)
    """
    wanted = better or definition_of(name).better
    if wanted not in ("higher", "lower"):
        raise SettingsError(f"Neither end of '{name}' is better: say whether higher or lower values are wanted.")
    return 1 if wanted == "higher" else -1


def may_be_any_worse(estimate: PropertyEstimate, direction: int) -> bool:
    """Tell whether all that is known of a property is how good it may be at best.

    Parameters
    ----------
    estimate : PropertyEstimate
        The property of one row.
    direction : int
        1 if higher is better, -1 if lower is.

    Returns
    -------
    bool
        True for an upper bound where higher is better, and for a lower one where lower is.

    Examples
    --------
    >>> below = PropertyEstimate(bound="upper", limit=0.1)
    >>> may_be_any_worse(below, 1), may_be_any_worse(below, -1)
    (True, False)
    """
    return estimate.bound == ("upper" if direction > 0 else "lower")


def split_by_presence(
    rows: Iterable[CandidateSummary], names: Sequence[str]
) -> tuple[list[CandidateSummary], tuple[UnrankedRow, ...]]:
    """Part the rows of which all the properties are known, if only as bounds, from the others.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows in any order.
    names : sequence of str
        Properties.

    Returns
    -------
    tuple of (list of CandidateSummary, tuple of UnrankedRow)
        Both in the order of their keys.
    """
    complete = []
    unranked = []
    for row in sorted(rows, key=lambda row: row.key):
        missing = tuple(name for name in names if name not in row.properties)
        if missing:
            unranked.append(UnrankedRow(row, missing))
        else:
            complete.append(row)
    return complete, tuple(unranked)


def places(scores: Sequence[object]) -> list[int]:
    """Give places to sorted scores: 1 for the first, equal ones share a place.

    Parameters
    ----------
    scores : sequence of object
        What was sorted by, in the order of the ranking.

    Returns
    -------
    list of int
        Places.

    Examples
    --------
    >>> places([9.0, 5.0, 5.0, 1.0])
    [1, 2, 2, 4]
    """
    numbers: list[int] = []
    for position, score in enumerate(scores):
        numbers.append(numbers[-1] if position and score == scores[position - 1] else position + 1)
    return numbers
