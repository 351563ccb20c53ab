"""What comparisons of a converted model with mace-torch gave, kept beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ...files import write_bytes_atomically
from .agreement import Agreement

_LIST = TypeAdapter(list[Agreement])


class CheckRecord:
    """Comparisons made so far, in a file that several processes may add to.

    Two that add at the same instant may lose one, which is then made again.

    Parameters
    ----------
    path : Path
        The file, there or not.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def agreements(self) -> list[Agreement]:
        """Read them.

        Returns
        -------
        list of Agreement
            Empty where there are none, or the file cannot be read.
        """
        try:
            return _LIST.validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return []

    def add(self, agreement: Agreement) -> None:
        """Keep one more.

        Parameters
        ----------
        agreement : Agreement
            What came out.
        """
        write_bytes_atomically(self._path, _LIST.dump_json([*self.agreements(), agreement], indent=1), durable=False)

    def has_structure_of(self, symbols: Iterable[str]) -> bool:
        """Say whether a structure to compute of just these elements was compared.

        Parameters
        ----------
        symbols : iterable of str
            Chemical symbols.

        Returns
        -------
        bool
            Whether there is one.
        """
        wanted = tuple(sorted(set(symbols)))
        return any(agreement.is_given and agreement.elements == wanted for agreement in self.agreements())
