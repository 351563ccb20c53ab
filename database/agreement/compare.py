"""A campaign's computed property against its measured one, with baselines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingsError
from ..documents.candidate_summary import CandidateSummary
from ..properties import PropertyDefinition, PropertyEstimate
from ..ranking.ranked import definition_of
from .bootstrap import bootstrap_weights, percentile_interval
from .pair_order import pair_signs
from .permutation import permutation_null, two_sided_p_value
from .rank_correlation import RankCorrelations, count_pairs, rank_correlations
from .redraw import Ranges, has_error, ranges_of, redrawn_ranges
from .results import (
    LEAST_ROWS,
    AgreementReport,
    BaselineComparison,
    MissingRow,
    RankAgreement,
    Tested,
    WithInterval,
)
from .value_errors import value_errors

DEFAULT_BASELINES = ("mobile_ion_density_per_angstrom3", "percolation_barrier_1d_ev")
"""What a computed conductivity has to beat: numbers that need no dynamics."""

FEW_ROWS = 10
"""Below this the bootstrap has too few distinct rows for its intervals to be trusted."""

_NUMBERS_AT_ONCE = 1_000_000


def compare_rows(
    rows: Iterable[CandidateSummary],
    computed: str = "sigma_300k_ms_cm",
    measured: str = "sigma_300k_ms_cm",
    *,
    baselines: Sequence[str] = DEFAULT_BASELINES,
    stand_in: str | None = None,
    n_bootstrap: int = 2000,
    n_permutations: int = 2000,
    seed: int = 0,
    redraw_errors: bool = False,
) -> AgreementReport:
    """Compare a computed property with a measured one over the rows of a campaign.

    A row is a material: its orderings are one number there already, and the bootstrap draws rows. Correlations are
    signed so that positive is as expected: a baseline whose low values are better, such as a barrier, counts with
    its sign turned over.

    Parameters
    ----------
    rows : iterable of CandidateSummary
        Rows in any order; the result does not depend on it.
    computed : str
        Property among the computed ones.
    measured : str
        Property among the measured ones.
    baselines : sequence of str
        Computed properties that are compared with the measured one in the same way.
    stand_in : str, optional
        Property of the same unit that is taken where the computed one is missing, such as
        ``greatest_sigma_300k_ms_cm``, a bound on σ(300 K) that the probe leaves in rows it rejects.
    n_bootstrap, n_permutations : int
        Samples for intervals, permutations for p values.
    seed : int
        Same seed, same numbers.
    redraw_errors : bool
        Whether each bootstrap sample also draws all values anew from their own intervals. This widens the intervals
        and moves them towards zero, for the values carry their errors already; the coefficients stay as they are.

    Returns
    -------
    AgreementReport
        The comparison; rows that were measured but lack the computed property are listed with the reason.

    Raises
    ------
    SettingsError
        If there is no such property, one has no better end to be expected of it, units do not fit, or a number of
        samples is below 100.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> rows = [
    ...     CandidateSummary(
    ...         key=f"c/{n}", campaign_id="c", candidate_id=str(n), label=f"material {n}", formula="Li3N",
    ...         elements=["Li", "N"], n_elements=2, origins=[], status="done",
    ...         updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    ...         measured={"sigma_300k_ms_cm": PropertyEstimate(value=10.0**n)},
    ...         properties={"sigma_300k_ms_cm": PropertyEstimate(value=2.0**n)},
    ...     )
    ...     for n in range(5)
    ... ]
    >>> agreement = compare_rows(rows, baselines=[]).agreement
    >>> agreement.n, agreement.spearman_rho.value, agreement.pairs.n_decided
    (5, 1.0, 10)
    """
    for name, number in (("bootstrap samples", n_bootstrap), ("permutations", n_permutations)):
        if number < 100:
            raise SettingsError(f"{number} {name} say nothing about the ends of a distribution: ask for at least 100.")
    _check_stand_in(computed, stand_in)
    chance = _Chance(n_bootstrap, n_permutations, seed, redraw_errors)
    everything = sorted(rows, key=lambda row: row.key)
    known = [row for row in everything if _is_finite(row.measured.get(measured))]
    found = {row.key: estimate for row in known if (estimate := _computed_of(row, computed, stand_in)) is not None}
    both = [row for row in known if row.key in found]
    main = _Column(computed, direction_between(computed, measured), found)
    agreement = _rank_agreement(both, main, measured, chance)
    compared = []
    for name in baselines:
        direction = direction_between(name, measured)
        column = {row.key: row.properties[name] for row in known if _is_finite(row.properties.get(name))}
        compared.append(_baseline(known, _Column(name, direction, column), main, measured, chance))
    definition, other = definition_of(computed), definition_of(measured)
    same_quantity = (definition.unit, definition.logarithmic) == (other.unit, other.logarithmic)
    errors = None
    if same_quantity:
        pairs = [found[row.key] for row in both], [row.measured[measured] for row in both]
        errors = value_errors(*pairs, other, n_bootstrap=n_bootstrap, seed=seed)
    return AgreementReport(
        computed=computed,
        measured=measured,
        stand_in=stand_in,
        n_rows=len(everything),
        n_measured=len(known),
        n_stand_ins=sum(not _is_finite(row.properties.get(computed)) for row in both),
        agreement=agreement,
        baselines=tuple(compared),
        errors=errors,
        missing=tuple(_missing(row, computed) for row in known if row.key not in found),
        n_bootstrap=n_bootstrap,
        n_permutations=n_permutations,
        seed=seed,
        with_errors_redrawn=redraw_errors,
        notes=_notes(both, found, known, agreement),
    )


def direction_between(name: str, measured: str) -> int:
    """Find whether high values of a property are expected with high or with low measured ones.

    Parameters
    ----------
    name : str
        A computed property.
    measured : str
        The measured property.

    Returns
    -------
    int
        1 or -1: the better ends of both belong together, and a property goes with itself.

    Raises
    ------
    SettingsError
        If there is no such property, or neither end of one of two different ones is better.

    Examples
    --------
    >>> direction_between("percolation_barrier_1d_ev", "sigma_300k_ms_cm")
    -1
    """
    ends = definition_of(name).better, definition_of(measured).better
    if name == measured:
        return 1
    if "neither" in ends:
        vague = name if ends[0] == "neither" else measured
        raise SettingsError(
            f"Neither end of '{vague}' is better, so that nothing is expected of {name} beside measured {measured}: "
            "compare a property with a better end, such as percolation_barrier_1d_ev."
        )
    return 1 if ends[0] == ends[1] else -1


@dataclass(frozen=True)
class _Chance:
    """How often, and from which seed, rows are drawn and permuted."""

    n_bootstrap: int
    n_permutations: int
    seed: int
    redraw_errors: bool

    def generator(self, purpose: int, name: str = "") -> np.random.Generator:
        """Give each purpose, and each property where it is named, chance of its own."""
        return np.random.default_rng([self.seed, purpose, *name.encode()])


@dataclass(frozen=True)
class _Column:
    """One property of the rows that have it, and how it is expected to go with the measured one."""

    name: str
    direction: int
    estimates: dict[str, PropertyEstimate]

    @property
    def definition(self) -> PropertyDefinition:
        return definition_of(self.name)


def _rank_agreement(rows: list[CandidateSummary], column: _Column, measured: str, chance: _Chance) -> RankAgreement:
    """Correlate one property with the measured one over the rows that have both."""
    ours, theirs = _signs(rows, column, measured)
    estimates = [column.estimates[row.key] for row in rows]
    pairs = count_pairs(ours, theirs)
    counts = {
        "property": column.name,
        "direction": column.direction,
        "n": len(rows),
        "n_bounds": sum(estimate.bound is not None for estimate in estimates),
        "n_measured_bounds": sum(row.measured[measured].bound is not None for row in rows),
        "pairs": pairs,
    }
    point = rank_correlations(ours, theirs)
    if len(rows) < LEAST_ROWS or not (pairs.n_decided_computed and pairs.n_decided_measured):
        return RankAgreement(**counts, spearman_rho=Tested(None), kendall_tau=Tested(None))  # type: ignore[arg-type]
    weights = bootstrap_weights(len(rows), chance.n_bootstrap, chance.generator(0))
    replicates = _replicates(rows, column, measured, weights, chance)
    null = permutation_null(ours, theirs, chance.n_permutations, chance.generator(1))

    def tested(point: NDArray[np.float64], drawn: NDArray[np.float64], null: NDArray[np.float64]) -> Tested:
        value = float(point)
        return Tested(value, percentile_interval(drawn), two_sided_p_value(value, null), percentile_interval(null))

    return RankAgreement(
        **counts,  # type: ignore[arg-type]
        spearman_rho=tested(point.spearman_rho, replicates.spearman_rho, null.spearman_rho),
        kendall_tau=tested(point.kendall_tau, replicates.kendall_tau, null.kendall_tau),
        n_undefined_resamples=int(np.count_nonzero(np.isnan(replicates.spearman_rho))),
    )


def _baseline(
    known: list[CandidateSummary], column: _Column, main: _Column, measured: str, chance: _Chance
) -> BaselineComparison:
    """Correlate a baseline over its own rows, and compare it with the computed property over those of both."""
    own = [row for row in known if row.key in column.estimates]
    common = [row for row in own if row.key in main.estimates]
    agreement = _rank_agreement(own, column, measured, chance)
    if len(common) < LEAST_ROWS:
        empty = WithInterval(None)
        return BaselineComparison(agreement, len(common), None, None, empty, empty)
    first, second = (rank_correlations(*_signs(common, each, measured)) for each in (main, column))
    weights = bootstrap_weights(len(common), chance.n_bootstrap, chance.generator(0))
    # The same samples for both, and the same redrawn measured values: their difference is paired.
    ours, theirs = (_replicates(common, each, measured, weights, chance) for each in (main, column))
    return BaselineComparison(
        agreement=agreement,
        n_common=len(common),
        common_computed_rho=_number(first.spearman_rho),
        common_rho=_number(second.spearman_rho),
        rho_difference=_difference(first.spearman_rho - second.spearman_rho, ours.spearman_rho - theirs.spearman_rho),
        tau_difference=_difference(first.kendall_tau - second.kendall_tau, ours.kendall_tau - theirs.kendall_tau),
    )


def _signs(rows: list[CandidateSummary], column: _Column, measured: str) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    ours = pair_signs(*ranges_of([column.estimates[row.key] for row in rows]))
    theirs = pair_signs(*ranges_of([row.measured[measured] for row in rows]))
    return (column.direction * ours).astype(np.int8), theirs


def _replicates(
    rows: list[CandidateSummary], column: _Column, measured: str, weights: NDArray[np.float64], chance: _Chance
) -> RankCorrelations:
    """Correlate all bootstrap samples."""
    ours, theirs = _signs(rows, column, measured)
    if not chance.redraw_errors:
        return rank_correlations(ours, theirs, weights)
    # What has no errors keeps its one order of pairs.
    redrawn = _redrawn([column.estimates[row.key] for row in rows], column.definition, chance.generator(2, column.name))
    truth = _redrawn([row.measured[measured] for row in rows], definition_of(measured), chance.generator(4, measured))
    parts = []
    step = max(1, _NUMBERS_AT_ONCE // len(rows) ** 2)
    for start in range(0, len(weights), step):
        part = weights[start : start + step]
        if redrawn is not None:
            ours = (column.direction * pair_signs(*redrawn(len(part)))).astype(np.int8)
        if truth is not None:
            theirs = pair_signs(*truth(len(part)))
        parts.append(rank_correlations(ours, theirs, part))
    return RankCorrelations(
        np.concatenate([part.spearman_rho for part in parts]), np.concatenate([part.kendall_tau for part in parts])
    )


def _redrawn(
    estimates: list[PropertyEstimate], definition: PropertyDefinition, generator: np.random.Generator
) -> Callable[[int], Ranges] | None:
    """Give a source of samples; None where no value has an error."""
    if not any(has_error(estimate) for estimate in estimates):
        return None
    return lambda n_samples: redrawn_ranges(estimates, definition, n_samples, generator)


def _difference(value: NDArray[np.float64], replicates: NDArray[np.float64]) -> WithInterval:
    number = _number(value)
    return WithInterval(number, None if number is None else percentile_interval(replicates))


def _number(value: NDArray[np.float64]) -> float | None:
    return None if math.isnan(float(value)) else float(value)


def _is_finite(estimate: PropertyEstimate | None) -> bool:
    """Whether there is a number to compare."""
    if estimate is None:
        return False
    number = estimate.limit if estimate.bound is not None else estimate.value
    return number is not None and math.isfinite(number)


def _computed_of(row: CandidateSummary, computed: str, stand_in: str | None) -> PropertyEstimate | None:
    names = [computed] if stand_in is None else [computed, stand_in]
    return next((row.properties[name] for name in names if _is_finite(row.properties.get(name))), None)


def _check_stand_in(computed: str, stand_in: str | None) -> None:
    if stand_in is None:
        definition_of(computed)
        return
    ours, other = definition_of(computed), definition_of(stand_in)
    if (ours.unit, ours.logarithmic, ours.better) != (other.unit, other.logarithmic, other.better):
        raise SettingsError(
            f"'{stand_in}' is in {other.unit or 'no unit'} and cannot stand in for {computed}, which is in "
            f"{ours.unit or 'no unit'}: name a property of the same quantity, such as greatest_sigma_300k_ms_cm for "
            "sigma_300k_ms_cm."
        )


def _missing(row: CandidateSummary, computed: str) -> MissingRow:
    """Say why a row has no computed value."""
    place = f" at {row.stage}" if row.stage else ""
    said = f": {row.reason}" if row.reason else ""
    if computed in row.properties:
        reason = "its computed value is not finite"
    elif row.status == "done":
        reason = f"went through all stages without it{said}"
    else:
        reason = f"{row.status}{place}{said}"
    return MissingRow(row.candidate_id, row.label, row.status, row.stage, reason)


def _notes(
    both: list[CandidateSummary],
    found: dict[str, PropertyEstimate],
    known: list[CandidateSummary],
    agreement: RankAgreement,
) -> tuple[str, ...]:
    """Say what the numbers leave open."""
    notes = []
    if LEAST_ROWS <= len(both) < FEW_ROWS:
        notes.append(
            f"with n = {len(both)} the bootstrap knows too few materials: its intervals are too narrow, and only the "
            "permutation null can be trusted."
        )
    unfinished = sum(row.status in ("waiting", "running", "held") for row in known if row.key not in found)
    if unfinished:
        notes.append(f"measured and still to be computed: {_rows(unfinished)}; the numbers will change.")
    left = sum(row.status in ("rejected", "failed") for row in known if row.key not in found)
    if left:
        notes.append(
            f"measured, but rejected or failed without a computed value: {_rows(left)}; what is compared is the "
            "selection that the rules left, and a correlation within a selection is not that of all."
        )
    if agreement.n_undefined_resamples:
        notes.append(
            f"bootstrap samples without a decided order, left out of the intervals: {agreement.n_undefined_resamples}."
        )
    return tuple(notes)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
