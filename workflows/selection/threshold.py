"""The rule that holds a property of each candidate against a threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ...database.properties import PROPERTIES, PropertyEstimate
from .certain_range import certain_range
from .property_words import describe, known_property, name_and_unit
from .rule import JudgedCandidate, SelectionRule, Verdict


class ThresholdRule(SelectionRule):
    """Keep the candidates whose property is, or may be, on the right side of a threshold.

    It cuts only what is certainly outside: a candidate whose 95 % range straddles the threshold is kept, a bound counts
    as the bound that it is, and a number that nobody knows counts as one that may be anything.

    Examples
    --------
    >>> rule = ThresholdRule(property="energy_above_hull_ev_per_atom", at_most=0.05)
    >>> rule.verdict_on(PropertyEstimate(value=0.06, interval_95=(0.04, 0.08))).kept
    True
    >>> print(rule.verdict_on(PropertyEstimate(bound="lower", limit=0.09)).reason)
    energy above hull is at least 0.09 eV/atom, more than the 0.05 eV/atom allowed
    """

    description: ClassVar[str] = "keep the candidates whose property is, or may be, on the right side of a threshold"
    telling_settings: ClassVar[frozenset[str]] = frozenset({"property", "at_least", "at_most"})

    rule: Literal["threshold"] = "threshold"
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

    _property_exists = field_validator("property")(known_property)

    @model_validator(mode="after")
    def _has_one_side(self) -> ThresholdRule:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a threshold needs exactly one of at_least and at_most; write two rules for a range")
        return self

    def judge(self, candidates: Mapping[str, JudgedCandidate]) -> Mapping[str, Verdict]:
        """Judge candidates one by one.

        Parameters
        ----------
        candidates : mapping of str to JudgedCandidate
            By id.

        Returns
        -------
        mapping of str to Verdict
            One for each.
        """
        return {name: self.verdict_on(one.properties.get(self.property)) for name, one in candidates.items()}

    def verdict_on(self, estimate: PropertyEstimate | None) -> Verdict:
        """Judge one candidate.

        Parameters
        ----------
        estimate : PropertyEstimate or None
            Its property; None where no stage found it: nothing speaks against the candidate then.

        Returns
        -------
        Verdict
            Rejected only where the whole 95 % range is on the wrong side.
        """
        low, high = certain_range(estimate)
        name, unit = name_and_unit(self.property)
        if estimate is None:
            return Verdict(True, note=f"kept though its {name} is not known")
        if self.at_least is not None:
            if high < self.at_least:
                short = f"less than the {self.at_least:g}{unit} asked for"
                return Verdict(False, f"{describe(name, unit, estimate)}, {short}")
            is_certain = low >= self.at_least
        else:
            assert self.at_most is not None
            if low > self.at_most:
                return Verdict(False, f"{describe(name, unit, estimate)}, more than the {self.at_most:g}{unit} allowed")
            is_certain = high <= self.at_most
        if is_certain:
            return Verdict(True)
        limit = self.at_least if self.at_least is not None else self.at_most
        return Verdict(True, note=f"kept though it may not meet {limit:g}{unit}: {describe(name, unit, estimate)}")

    def judged_properties(self) -> Mapping[str, str]:
        """Name the property.

        Returns
        -------
        mapping of str to str
            Of the setting `property`.
        """
        return {"property": self.property}

    def why_idle(self, bounds: Mapping[str, Literal["upper", "lower"]], others: Sequence[str]) -> str | None:
        """Say why nobody can be cut where only bounds of one side are found.

        Parameters
        ----------
        bounds : mapping of str to str
            The property and the side.
        others : sequence of str
            Not needed here.

        Returns
        -------
        str or None
            A clause; None where bounds can be on the wrong side.
        """
        side = bounds[self.property]
        # An upper bound may fall short of at_least and never goes beyond at_most; a lower bound the other way round.
        given, other = ("at_least", "at_most") if self.at_least is not None else ("at_most", "at_least")
        if given == ("at_least" if side == "upper" else "at_most"):
            return None
        beyond = "below" if side == "upper" else "above"
        return f"the value may lie anywhere {beyond} its bound; give {other}, or leave it out"
