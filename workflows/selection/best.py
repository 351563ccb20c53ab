"""The rule that keeps the best by a property."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ...database.properties import PROPERTIES
from ...database.property_names import ranked_names
from .certain_range import certain_range
from .property_words import describe, known_property, name_and_unit
from .rule import JudgedCandidate, SelectionRule, Verdict


class BestRule(SelectionRule):
    """Keep the candidates that are, or may be, among the best.

    A candidate is cut only where as many others as the rule keeps are better than it over the whole of their 95 %
    ranges.

    Examples
    --------
    >>> from superion.database.properties import PropertyEstimate
    >>> rule = BestRule(keep_best=1, by="sigma_300k_ms_cm")
    >>> ranges = {"a": (2.0, 3.0, 4.0), "b": (1.5, 2.0, 2.5), "c": (0.5, 1.0, 1.5)}
    >>> found = rule.judge({
    ...     name: JudgedCandidate({"sigma_300k_ms_cm": PropertyEstimate(value=value, interval_95=(low, high))})
    ...     for name, (low, value, high) in ranges.items()
    ... })
    >>> [name for name, verdict in found.items() if verdict.kept]
    ['a', 'b']
    """

    description: ClassVar[str] = "keep the candidates that are, or may be, among the best by a property"
    telling_settings: ClassVar[frozenset[str]] = frozenset({"by", "keep_best", "keep_fraction"})
    compares: ClassVar[bool] = True

    rule: Literal["best"] = "best"
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
        if PROPERTIES[known_property(name)].better == "neither":
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

    def judge(self, candidates: Mapping[str, JudgedCandidate]) -> Mapping[str, Verdict]:
        """Compare candidates.

        Parameters
        ----------
        candidates : mapping of str to JudgedCandidate
            By id.

        Returns
        -------
        mapping of str to Verdict
            By the same ids, in the same order, on which no verdict depends.
        """
        n_kept = self.number_kept(len(candidates))
        if n_kept >= len(candidates):
            return dict.fromkeys(candidates, Verdict(True))
        estimates = {key: candidate.properties.get(self.by) for key, candidate in candidates.items()}
        name, unit = name_and_unit(self.by)
        sign = 1.0 if PROPERTIES[self.by].better == "higher" else -1.0
        # The worst and the best that each may be, the greater the better.
        ranges = {
            key: sorted(sign * end for end in certain_range(estimate)) for key, estimate in sorted(estimates.items())
        }
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
                    f"not among the best {n_kept} of {len(candidates)}: {describe(name, unit, estimate)}, "
                    f"and {n_kept} others reach {sign * bar:.3g}{unit} or better",
                )
        return verdicts

    def judged_properties(self) -> Mapping[str, str]:
        """Name the property that is compared.

        Returns
        -------
        mapping of str to str
            Of the setting `by`.
        """
        return {"by": self.by}

    def why_idle(self, bounds: Mapping[str, Literal["upper", "lower"]], others: Sequence[str]) -> str | None:
        """Say that of bounds of one side none is certainly the better.

        Parameters
        ----------
        bounds : mapping of str to str
            The property and the side.
        others : sequence of str
            What the rule might go by instead.

        Returns
        -------
        str
            A clause.
        """
        instead = f"go by '{others[0]}' instead, or leave it out" if others else "leave it out"
        return f"none of them shows who is better; {instead}"
