"""A rule that compares candidates: of those that are alike, one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field
from superion.workflows.selection.rule import JudgedCandidate, SelectionRule, Verdict


class DistinctRule(SelectionRule):
    """Keep the first of all candidates whose values lie within a distance of each other."""

    description: ClassVar[str] = "of candidates with about the same value, let the one with the lowest value go on"
    compares: ClassVar[bool] = True

    rule: Literal["distinct"] = "distinct"
    by: str = Field(description="property that tells candidates apart")
    distance: float = Field(gt=0, description="least difference to the candidate below that goes on")

    def judge(self, candidates: Mapping[str, JudgedCandidate]) -> Mapping[str, Verdict]:
        """Go through the values from the lowest to the highest."""
        found = {name: candidate.properties.get(self.by) for name, candidate in candidates.items()}
        values = {name: one.value for name, one in found.items() if one is not None and one.value is not None}
        verdicts = {name: Verdict(True, note=f"its {self.by} is not known") for name in candidates}
        below = None
        for name in sorted(values, key=lambda name: (values[name], name)):
            if below is not None and values[name] - values[below] < self.distance:
                verdicts[name] = Verdict(False, f"its {self.by} is about that of {below}")
            else:
                verdicts[name], below = Verdict(True), name
        return verdicts

    def judged_properties(self) -> Mapping[str, str]:
        """Ask for the property that tells candidates apart."""
        return {"by": self.by}
