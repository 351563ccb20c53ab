"""The rules of a campaign: who goes on after a stage, and why the others do not.

A rule cuts only what is certainly outside: a candidate whose 95 % range straddles a threshold is kept, a bound counts
as the bound that it is, and a number that nobody knows counts as one that may be anything.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from ...database.properties import PROPERTIES, Interval, PropertyEstimate
from ...database.property_names import ranked_names
from ...database.units import plain_unit


def _known_property(name: str) -> str:
    """Refuse the name of a property that does not exist."""
    if name not in PROPERTIES:
        near = difflib.get_close_matches(name, PROPERTIES, n=1, cutoff=0.0)[0]
        raise ValueError(f"there is no property '{name}', did you mean '{near}'?")
    return name


class ThresholdRule(BaseModel):
    """Keep the candidates whose property is, or may be, on the right side of a threshold.

    Examples
    --------
    >>> rule = ThresholdRule(property="energy_above_hull_ev_per_atom", at_most=0.05)
    >>> judge_threshold(rule, PropertyEstimate(value=0.06, interval_95=(0.04, 0.08))).kept
    True
    >>> print(judge_threshold(rule, PropertyEstimate(bound="lower", limit=0.09)).reason)
    energy above hull is at least 0.09 eV/atom, more than the 0.05 eV/atom allowed
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    property: str = Field(
        description="name of the property, with its unit, such as energy_above_hull_ev_per_atom",
        json_schema_extra={"enum": [*PROPERTIES]},
    )
    at_least: float | None = Field(
        default=None, allow_inf_nan=False, description="smallest value allowed, in the unit of the property's name"
    )
    at_most: float | None = Field(
        default=None, allow_inf_nan=False, description="greatest value allowed, in the unit of the property's name"
    )

    _property_exists = field_validator("property")(_known_property)

    @model_validator(mode="after")
    def _has_one_side(self) -> ThresholdRule:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a threshold needs exactly one of at_least and at_most; write two rules for a range")
        return self


class BestRule(BaseModel):
    """Keep the candidates that are, or may be, among the best.

    Nobody is judged before every candidate of the campaign has come through this stage or has left it.

    Examples
    --------
    >>> rule = BestRule(keep_best=1, by="sigma_300k_ms_cm")
    >>> found = judge_best(rule, {
    ...     "a": PropertyEstimate(value=3.0, interval_95=(2.0, 4.0)),
    ...     "b": PropertyEstimate(value=2.0, interval_95=(1.5, 2.5)),
    ...     "c": PropertyEstimate(value=1.0, interval_95=(0.5, 1.5)),
    ... })
    >>> [name for name, verdict in found.items() if verdict.kept]
    ['a', 'b']
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_best: int | None = Field(default=None, gt=0, description="number of candidates to keep")
    keep_fraction: float | None = Field(
        default=None, gt=0.0, le=1.0, description="fraction to keep of those that came through the rules before"
    )
    by: str = Field(
        description="name of the property that is compared, with its unit",
        json_schema_extra={"enum": [*ranked_names()]},
    )

    @field_validator("by")
    @classmethod
    def _has_a_direction(cls, name: str) -> str:
        if PROPERTIES[_known_property(name)].better == "neither":
            raise ValueError(f"neither end of '{name}' is better, so it cannot say who is best")
        return name

    @model_validator(mode="after")
    def _has_one_number(self) -> BestRule:
        if (self.keep_best is None) == (self.keep_fraction is None):
            raise ValueError("a rule for the best needs exactly one of keep_best and keep_fraction")
        return self

    def number_kept(self, n_candidates: int) -> int:
        """Say how many are kept where all numbers are exact.

        Parameters
        ----------
        n_candidates : int
            Candidates that are compared.

        Returns
        -------
        int
            The number; a fraction is rounded up.
        """
        if self.keep_best is not None:
            return self.keep_best
        assert self.keep_fraction is not None
        # 0.07 * 100 is a little more than 7: that is no reason for an eighth.
        return math.ceil(self.keep_fraction * n_candidates - 1e-9)


def _kind_of_rule(value: Any) -> str:
    """Tell the kinds apart by their fields, so that a mistake is told of the one that was meant."""
    if isinstance(value, Mapping):
        return "best" if {"by", "keep_best", "keep_fraction"} & set(value) else "threshold"
    return "best" if isinstance(value, BestRule) else "threshold"


Rule = Annotated[
    Annotated[ThresholdRule, Tag("threshold")] | Annotated[BestRule, Tag("best")], Discriminator(_kind_of_rule)
]
"""A rule of a stage in the campaign file."""


@dataclass(frozen=True)
class Verdict:
    """What a rule says of one candidate.

    Parameters
    ----------
    kept : bool
        Whether it goes on.
    reason : str or None
        Why it does not, in one sentence.
    note : str or None
        Why it goes on though it is not certain that it should, in one sentence.
    """

    kept: bool
    reason: str | None = None
    note: str | None = None


def certain_range(estimate: PropertyEstimate | None) -> Interval:
    """Say where the truth lies with 95 %, as far as anything is known.

    Parameters
    ----------
    estimate : PropertyEstimate or None
        The estimate; None where there is none.

    Returns
    -------
    tuple of float
        Lower and upper end; a bound, even beside a value, leaves the other side open.
    """
    if estimate is None:
        return -math.inf, math.inf
    low, high = estimate.range_95
    if estimate.bound == "upper":
        return -math.inf, high
    if estimate.bound == "lower":
        return low, math.inf
    return low, high


def judge_threshold(rule: ThresholdRule, estimate: PropertyEstimate | None) -> Verdict:
    """Judge one candidate by a threshold.

    Parameters
    ----------
    rule : ThresholdRule
        The rule.
    estimate : PropertyEstimate or None
        The candidate's property; None where no stage found it: nothing speaks against the candidate then.

    Returns
    -------
    Verdict
        Rejected only where the whole 95 % range is on the wrong side.
    """
    low, high = certain_range(estimate)
    name, unit = _name_and_unit(rule.property)
    if estimate is None:
        return Verdict(True, note=f"kept though its {name} is not known")
    if rule.at_least is not None:
        if high < rule.at_least:
            return Verdict(False, f"{_describe(name, unit, estimate)}, less than the {rule.at_least:g}{unit} asked for")
        is_certain = low >= rule.at_least
    else:
        assert rule.at_most is not None
        if low > rule.at_most:
            return Verdict(False, f"{_describe(name, unit, estimate)}, more than the {rule.at_most:g}{unit} allowed")
        is_certain = high <= rule.at_most
    if is_certain:
        return Verdict(True)
    limit = rule.at_least if rule.at_least is not None else rule.at_most
    return Verdict(True, note=f"kept though it may not meet {limit:g}{unit}: {_describe(name, unit, estimate)}")


def judge_best(rule: BestRule, estimates: Mapping[str, PropertyEstimate | None]) -> dict[str, Verdict]:
    """Compare candidates, and keep those that may be among the best.

    A candidate is cut only where as many others as the rule keeps are better than it over the whole of their 95 %
    ranges. The result does not depend on the order of the candidates.

    Parameters
    ----------
    rule : BestRule
        The rule.
    estimates : mapping of str to PropertyEstimate or None
        The property of every candidate that is compared; None where it is not known.

    Returns
    -------
    dict of str to Verdict
        By the same names, in the same order.
    """
    n_kept = rule.number_kept(len(estimates))
    if n_kept >= len(estimates):
        return dict.fromkeys(estimates, Verdict(True))
    definition = PROPERTIES[rule.by]
    name, unit = _name_and_unit(rule.by)
    sign = 1.0 if definition.better == "higher" else -1.0
    # The worst and the best that each may be, the greater the better.
    ranges = {key: sorted(sign * end for end in certain_range(estimate)) for key, estimate in sorted(estimates.items())}
    bar = sorted((worst for worst, _ in ranges.values()), reverse=True)[n_kept - 1]
    verdicts = {}
    for key, estimate in estimates.items():
        if ranges[key][1] >= bar:
            note = f"kept though its {name} is not known" if estimate is None else None
            verdicts[key] = Verdict(True, note=note)
        else:
            assert estimate is not None
            verdicts[key] = Verdict(
                False,
                f"not among the best {n_kept} of {len(estimates)}: {_describe(name, unit, estimate)}, "
                f"and {n_kept} others reach {sign * bar:.3g}{unit} or better",
            )
    return verdicts


def _name_and_unit(name: str) -> tuple[str, str]:
    """Give a property's name and unit as sentences write them, the unit with a space before it."""
    definition = PROPERTIES[name]
    return definition.label.split(" / ")[0], f" {plain_unit(definition.unit)}" if definition.unit else ""


def _describe(name: str, unit: str, estimate: PropertyEstimate) -> str:
    """Say what is known, as the start of a sentence."""
    if estimate.bound is not None:
        side = "at most" if estimate.bound == "upper" else "at least"
        return f"{name} is {side} {estimate.limit:.3g}{unit}"
    if estimate.interval_95 is not None:
        low, high = estimate.interval_95
        return f"{name} is {estimate.value:.3g} (95 %: {low:.3g} to {high:.3g}){unit}"
    return f"{name} is {estimate.value:.3g}{unit}"
