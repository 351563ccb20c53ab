"""The way of all candidates through the stages: how many came in, how many left, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ....database.documents.candidate_summary import CandidateSummary

BEFORE = "read and order"
"""What stands for the work before the first stage."""

OUTCOMES = ("passed", "held", "running", "waiting", "rejected", "failed")
"""How a stage may stand for a candidate, in the order of the chart."""

_NUMBER = re.compile(r"(?<![A-Za-z0-9_])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![A-Za-z_]|\d)", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']{1,200}'")
_LONGEST_REASON = 400


@dataclass(frozen=True)
class Reason:
    """Why candidates left a stage.

    Attributes
    ----------
    outcome : str
        rejected or failed.
    text : str
        The reason, numbers that differ replaced by an ellipsis.
    n_candidates : int
        How many left for it.
    example : str
        Name of one of them.
    """

    outcome: str
    text: str
    n_candidates: int
    example: str


@dataclass(frozen=True)
class FunnelStep:
    """One stage of the funnel.

    Attributes
    ----------
    name : str
        Name of the stage.
    counts : dict of str to int
        Candidates by `OUTCOMES`.
    reasons : tuple of Reason
        Why candidates left, the most frequent first.
    """

    name: str
    counts: dict[str, int]
    reasons: tuple[Reason, ...]

    @property
    def n_entered(self) -> int:
        """How many candidates came into the stage, those included that have not begun it."""
        return sum(self.counts.values())


def funnel_steps(rows: Sequence[CandidateSummary], stages: Sequence[str]) -> list[FunnelStep]:
    """Count candidates by stage and outcome.

    Parameters
    ----------
    rows : sequence of CandidateSummary
        All candidates.
    stages : sequence of str
        Names of the stages, in order.

    Returns
    -------
    list of FunnelStep
        What came before the stages first, then every stage, also one that nobody has reached.

    Examples
    --------
    >>> [step.name for step in funnel_steps([], ["relax"])]
    ['read and order', 'relax']
    """
    turned_away = [row for row in rows if row.status in ("rejected", "failed") and not row.stages]
    before = Counter(str(row.status) for row in turned_away)
    before["passed"] = len(rows) - len(turned_away)
    steps = [_step(BEFORE, before, [(row.status, row.reason, row.label) for row in turned_away])]
    for name in stages:
        reached = [(row.stages[name], row.label) for row in rows if name in row.stages]
        counts = Counter(str(stage.state) for stage, _ in reached)
        gone = [(s.state, s.reason, label) for s, label in reached if s.state in ("rejected", "failed")]
        steps.append(_step(name, counts, gone))
    return steps


def kind_of_reason(reason: str) -> str:
    """Take from a reason what differs from one candidate to the next, so that reasons can be counted.

    Parameters
    ----------
    reason : str
        One sentence.

    Returns
    -------
    str
        The sentence with an ellipsis for every number and quoted text.

    Examples
    --------
    >>> kind_of_reason("σ(300 K) is at most 1.2e-05 mS/cm, less than the 0.01 mS/cm asked for")
    'σ(300 K) is at most … mS/cm, less than the … mS/cm asked for'
    """
    kept_whole = reason[:_LONGEST_REASON].replace("σ(300 K)", "σ(\0 K)")
    return _NUMBER.sub("…", _QUOTED.sub("'…'", kept_whole)).replace("σ(\0 K)", "σ(300 K)")


def _step(name: str, counts: Counter[str], gone: Sequence[tuple[str, str | None, str]]) -> FunnelStep:
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for outcome, reason, label in gone:
        sentence = reason or "no reason given"
        groups.setdefault((outcome, kind_of_reason(sentence)), []).append((sentence, label))
    reasons = [
        # A reason that is the same for all is told with its numbers.
        Reason(
            outcome, sentences.pop() if len(sentences := {s for s, _ in found}) == 1 else kind, len(found), found[0][1]
        )
        for (outcome, kind), found in groups.items()
    ]
    reasons.sort(key=lambda reason: (-reason.n_candidates, reason.outcome, reason.text))
    return FunnelStep(name, {outcome: counts.get(outcome, 0) for outcome in OUTCOMES}, tuple(reasons))
