"""What a comparison of computed with measured values holds."""

from __future__ import annotations

from dataclasses import dataclass

from ..properties import Interval

LEAST_ROWS = 3
"""Fewer rows have no correlation worth a number: two always give 1 or -1."""


@dataclass(frozen=True)
class WithInterval:
    """A number with its bootstrap interval.

    Attributes
    ----------
    value : float or None
        The number; None where it is not defined.
    interval_95 : tuple of float or None
        95 % percentile interval of the bootstrap.
    """

    value: float | None
    interval_95: Interval | None = None


@dataclass(frozen=True)
class Tested(WithInterval):
    """A correlation beside what chance alone gives.

    Attributes
    ----------
    p_value : float or None
        Two-sided: fraction of permutations that are as far from zero, this one counted in.
    null_95 : tuple of float or None
        Between these quantiles, 2.5 % and 97.5 %, lie the permutations.
    """

    p_value: float | None = None
    null_95: Interval | None = None


@dataclass(frozen=True)
class PairCounts:
    """What bounds leave of the pairs of rows.

    Attributes
    ----------
    n_pairs : int
        All pairs.
    n_decided : int
        Pairs that stand in one order by both quantities.
    n_concordant : int
        Those of them that stand in the same order by both.
    n_decided_computed, n_decided_measured : int
        Pairs that stand in one order by the one, whatever the other says.
    """

    n_pairs: int
    n_decided: int
    n_concordant: int
    n_decided_computed: int
    n_decided_measured: int


@dataclass(frozen=True)
class RankAgreement:
    """How well one property orders the rows as another, measured one does.

    Attributes
    ----------
    property : str
        The property that orders.
    direction : int
        1 where high values go with high measured ones by expectation, -1 where low ones do; correlations are
        multiplied by it, so that positive is always as expected.
    n : int
        Rows of which both are known, if only as bounds.
    n_bounds, n_measured_bounds : int
        Rows with a bound only for the property, and for the measured one.
    pairs : PairCounts
        Pairs of rows.
    spearman_rho, kendall_tau : Tested
        Spearman's ρ of the scores of Gehan and Mantel, Kendall's τ_b.
    n_undefined_resamples : int
        Bootstrap samples without an order, which are left out of the intervals.
    """

    property: str
    direction: int
    n: int
    n_bounds: int
    n_measured_bounds: int
    pairs: PairCounts
    spearman_rho: Tested
    kendall_tau: Tested
    n_undefined_resamples: int = 0


@dataclass(frozen=True)
class BaselineComparison:
    """A baseline, and what the computed property adds to it.

    Attributes
    ----------
    agreement : RankAgreement
        Of the baseline, over all rows that have it, whether the computed property is known of them or not.
    n_common : int
        Rows of which both are known.
    common_computed_rho, common_rho : float or None
        ρ of the computed property and of the baseline over those.
    rho_difference, tau_difference : WithInterval
        Computed less baseline over those; both see the same bootstrap samples.
    """

    agreement: RankAgreement
    n_common: int
    common_computed_rho: float | None
    common_rho: float | None
    rho_difference: WithInterval
    tau_difference: WithInterval


@dataclass(frozen=True)
class ValueErrors:
    """How far computed lie from measured values, beside one constant for all.

    Attributes
    ----------
    unit : str
        ``log10`` for properties with errors even on a logarithmic scale, else the unit of the property.
    n : int
        Rows with a value for both; bounds are left out of all errors.
    root_mean_square, median_absolute, mean : WithInterval
        Of computed less measured.
    constant_root_mean_square, constant_median_absolute : float or None
        The same where each value is predicted as the mean of all other measured ones.
    root_mean_square_difference : WithInterval
        Computed less constant: negative where the computed values are nearer.
    n_bounds, n_bounds_violated : int
        Rows with a bound for at least one, and those of them where the two exclude each other.
    greatest_violation : float or None
        By how much they do at most.
    n_without_logarithm : int
        Rows left out because a number is zero or negative.
    """

    unit: str
    n: int
    root_mean_square: WithInterval
    median_absolute: WithInterval
    mean: WithInterval
    constant_root_mean_square: float | None
    constant_median_absolute: float | None
    root_mean_square_difference: WithInterval
    n_bounds: int
    n_bounds_violated: int
    greatest_violation: float | None
    n_without_logarithm: int = 0


@dataclass(frozen=True)
class MissingRow:
    """A row that was measured but has no computed value.

    Attributes
    ----------
    candidate_id, label : str
        Which one.
    status : str
        Where it stands.
    stage : str or None
        The stage that it is in or that ended it.
    reason : str
        Why there is no value, one sentence.
    """

    candidate_id: str
    label: str
    status: str
    stage: str | None
    reason: str


@dataclass(frozen=True)
class AgreementReport:
    """A computed property against a measured one.

    Attributes
    ----------
    computed, measured : str
        The two properties.
    stand_in : str or None
        The property taken where the computed one is missing.
    n_rows, n_measured : int
        All rows, and those with a measured value or bound.
    n_stand_ins : int
        Rows for which the stand-in was taken.
    agreement : RankAgreement
        Of the computed property.
    baselines : tuple of BaselineComparison
        In the order asked for.
    errors : ValueErrors or None
        None where the two are not the same quantity.
    missing : tuple of MissingRow
        Measured rows without a computed value.
    n_bootstrap, n_permutations, seed : int
        How the intervals and p values were made.
    with_errors_redrawn : bool
        Whether each bootstrap sample drew the values from their errors anew.
    notes : tuple of str
        What the numbers leave open, one sentence each.
    """

    computed: str
    measured: str
    stand_in: str | None
    n_rows: int
    n_measured: int
    n_stand_ins: int
    agreement: RankAgreement
    baselines: tuple[BaselineComparison, ...]
    errors: ValueErrors | None
    missing: tuple[MissingRow, ...]
    n_bootstrap: int
    n_permutations: int
    seed: int
    with_errors_redrawn: bool
    notes: tuple[str, ...] = ()
