"""An error of a source of candidates, with the place in the campaign file that asks for it."""

from __future__ import annotations

from ...errors import SettingsError


class CandidatesError(SettingsError):
    """Candidates that cannot be had as the campaign file asks for them.

    Parameters
    ----------
    place : tuple of str or int
        The setting, as keys and list positions, such as ``("candidates", 1)``.
    sentence : str
        What is wrong and how to mend it.

    Examples
    --------
    >>> error = CandidatesError(("candidates", 1), "There is no table t.csv in data: correct its path.")
    >>> print(error)
    There is no table t.csv in data: correct its path.
    """

    def __init__(self, place: tuple[str | int, ...], sentence: str) -> None:
        self.place = place
        self.sentence = sentence
        super().__init__(place, sentence)

    def __str__(self) -> str:
        return self.sentence
