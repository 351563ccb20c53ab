"""A rule of another package: one candidate after the other, until a result is good enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field
from superion.workflows.selection.rule import JudgedCandidate, SelectionRule, Verdict


class ExploringRule(SelectionRule):
    """Let the most promising candidate go on, look at what came of it, and so on."""

    description: ClassVar[str] = "let one candidate after the other go on, until a result is good enough"
    compares: ClassVar[bool] = True
    learns: ClassVar[bool] = True

    rule: Literal["explore"] = "explore"
    promise: str = Field(description="property by which the next candidate is chosen, the greatest first")
    result: str = Field(description="property of a later stage that decides whether another one is tried")
    enough: float = Field(description="value of the result at which nobody else is tried")

    def judge(self, candidates: Mapping[str, JudgedCandidate]) -> Mapping[str, Verdict]:
        def promise(name: str) -> float:
            found = candidates[name].properties.get(self.promise)
            return 0.0 if found is None or found.value is None else found.value

        verdicts = {}
        rest: Verdict | None = None
        for name in sorted(candidates, key=lambda name: (-promise(name), name)):
            verdicts[name] = rest or Verdict(True)
            found = candidates[name].later.get(self.result)
            if rest is None and found is not None and found.value is not None and found.value >= self.enough:
                rest = Verdict(False, f"{name} is good enough")
            elif rest is None and found is None and not candidates[name].is_over:
                rest = Verdict(False, f"waits for {name}", is_held=True)
        return verdicts

    def judged_properties(self) -> Mapping[str, str]:
        return {"promise": self.promise}
