"""What is wrong with a campaign file: the line, the place and one sentence for each mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....errors import SettingsError


@dataclass(frozen=True)
class Problem:
    """One mistake in a campaign file.

    Parameters
    ----------
    line : int
        Its line, counted from 1.
    place : str
        The setting, such as ``stages[1].rules[0].at_most``; empty for the file as a whole.
    sentence : str
        What is wrong and how to mend it, without line and final stop.
    """

    line: int
    place: str
    sentence: str

    def told(self, name: str) -> str:
        """Tell it as a whole sentence.

        Parameters
        ----------
        name : str
            Name of the file.

        Returns
        -------
        str
            With file and line.
        """
        return f"{name}, line {self.line}: {self.sentence}{'' if self.sentence.endswith('?') else '.'}"


class CampaignFileError(SettingsError):
    """A campaign file that cannot be used; its message tells the first mistake.

    Parameters
    ----------
    name : str
        Name of the file.
    problems : sequence of Problem
        All mistakes that were found, by line.

    Examples
    --------
    >>> print(CampaignFileError("demo.yaml", [Problem(3, "name", "'name' is empty: give one")]))
    demo.yaml, line 3: 'name' is empty: give one.
    """

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.name = name
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__(name, self.problems)

    def sentences(self) -> list[str]:
        """Tell all mistakes.

        Returns
        -------
        list of str
            One sentence each, with file and line.
        """
        return [problem.told(self.name) for problem in self.problems]

    def __str__(self) -> str:
        first = self.sentences()[0]
        others = len(self.problems) - 1
        if not others:
            return first
        more = "1 more mistake" if others == 1 else f"{others} more mistakes"
        return f"{first.removesuffix('.')} (and {more}; `superion campaign check` lists all)."
