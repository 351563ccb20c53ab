"""What a selection rule is: settings in the campaign file, and verdicts on candidates from what is known of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ...database.properties import PropertyEstimate

Estimates = Mapping[str, PropertyEstimate]
"""Properties by their names."""


@dataclass(frozen=True)
class JudgedCandidate:
    """What a rule is told of one candidate.

    Parameters
    ----------
    properties : mapping of str to PropertyEstimate
        What the stages up to that of the rule found; a property that is not there is not known.
    later : mapping of str to PropertyEstimate
        What later stages found since, or found before a rule was changed; only for rules that learn.
    is_over : bool
        Whether it went on and nothing more will be found of it; only for rules that learn.
    """

    properties: Estimates
    later: Estimates = field(default_factory=dict)
    is_over: bool = False


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
    is_held : bool
        Whether one that does not go on may do so later, when more is known of the others.
    """

    kept: bool
    reason: str | None = None
    note: str | None = None
    is_held: bool = False


class SelectionRule(BaseModel, ABC):
    """A rule of a stage in the campaign file.

    A subclass is found by its entry point in the group `superion.selection_rules`. Its fields are its settings, `rule`
    among them a literal of the entry point's name. It reads no store and remembers nothing: the same candidates give
    the same verdicts, in any order and in any process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: ClassVar[str]
    """One sentence for editors and listings."""
    telling_settings: ClassVar[frozenset[str]] = frozenset()
    """Settings that tell this rule from others where the file does not name it; none: it must be named."""
    compares: ClassVar[bool] = False
    """Whether it judges candidates together: none then before all have come through the stage or left it."""
    learns: ClassVar[bool] = False
    """Whether it is told what later stages find, and judges again; for rules that compare."""

    rule: str

    @abstractmethod
    def judge(self, candidates: Mapping[str, JudgedCandidate]) -> Mapping[str, Verdict]:
        """Judge candidates.

        Parameters
        ----------
        candidates : mapping of str to JudgedCandidate
            By id, in the order of the ids; one alone where the rule does not compare.

        Returns
        -------
        mapping of str to Verdict
            One for each.
        """

    def judged_properties(self) -> Mapping[str, str]:
        """Name the properties that the stages up to that of the rule must find.

        Returns
        -------
        mapping of str to str
            Name of the setting to the name of the property.
        """
        return {}

    def number_kept(self, n_candidates: int) -> int | None:
        """Say how many go on where all numbers are exact, for estimates of the time left.

        Parameters
        ----------
        n_candidates : int
            Candidates that come to the rule.

        Returns
        -------
        int or None
            The number; None where it depends on the numbers.
        """
        return None

    def why_idle(self, bounds: Mapping[str, Literal["upper", "lower"]], others: Sequence[str]) -> str | None:
        """Say why this rule can cut nobody where stages only ever bound what it goes by.

        Parameters
        ----------
        bounds : mapping of str to str
            Those of the judged properties of which only bounds are found, and their side; at least one.
        others : sequence of str
            Properties found with values that say who is better, those of the last stages first.

        Returns
        -------
        str or None
            A clause that follows upon "only bounds are found", with what to do about it; None where it can cut.
        """
        return None
