"""Ranking by one property, with its uncertainty."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ..candidate_rows import order_value
from ..documents.candidate_summary import CandidateSummary
from .ranked import (
    RankedRow,
    Ranking,
    UnrankedRow,
    definition_of,
    direction_of,
    may_be_any_worse,
    places,
    split_by_presence,
)


def rank_by_property(
    rows: Iterable[CandidateSummary], name: str, *, better: Literal["higher", "lower"] | None = None
) -> Ranking:
    """Sort rows by a property.

    A bound counts for what it proves. With σ of at least 5 mS/cm a row stands at 5. With σ of at most 5 mS/cm it may
    be any worse, so it stands behind all rows that have a value, among others of its kind in the order of the bounds.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows in any order.
    name : str
        Name of the property.
    better : str, optional
        ``higher`` or ``lower``; what is usual for the property if None.

    Returns
    -------
    Ranking
        Best first; rows of which nothing is known apart.

    Raises
    ------
    SettingsError
        If there is no such property, or neither end of it is better and `better` is not given.
    """
    definition_of(name)
    direction = direction_of(name, better)
    complete, unranked = split_by_presence(rows, [name])
    scored: list[tuple[bool, float, CandidateSummary]] = []
    for row in complete:
        value = order_value(row.properties[name])
        if value is None:
            # An infinite value says nothing to rank by.
            unranked = tuple(sorted((*unranked, UnrankedRow(row, (name,))), key=lambda entry: entry.row.key))
        else:
            scored.append((may_be_any_worse(row.properties[name], direction), value, row))
    scored.sort(key=lambda entry: (entry[0], -direction * entry[1], entry[2].key))
    ranks = places([entry[:2] for entry in scored])
    return Ranking(
        by=name,
        ranked=tuple(
            RankedRow(
                row=row,
                rank=rank,
                score=value,
                interval_68=row.properties[name].interval_68,
                interval_95=row.properties[name].interval_95,
                is_bound=row.properties[name].bound is not None,
            )
            for rank, (_, value, row) in zip(ranks, scored, strict=True)
        ),
        unranked=unranked,
    )
