"""What a kind of document shows of itself in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .outline import outline
from .plain_data import plain_data

if TYPE_CHECKING:
    from rich.console import Console


class Presenter:
    """Documents of one kind in a terminal: what `run`, `show` and `list` print.

    This one serves every kind that registers no other. A subclass is found by its entry point in the group
    `superion.presenters`, under the `doc_type` of its documents.
    """

    def print(self, document: Any, console: Console) -> None:
        """Print a document for a reader.

        Parameters
        ----------
        document : SuperionDocument
            A document of this kind.
        console : rich.console.Console
            Where to.
        """
        for line in outline(plain_data(document)):
            console.print(line, markup=False, soft_wrap=True)

    def result(self, values: Mapping[str, Any]) -> str:
        """Write what a list says of a document's result.

        Parameters
        ----------
        values : mapping of str to object
            The columns that the kind lists and that hold something, but for its state.

        Returns
        -------
        str
            A few words; empty where there are none.

        Examples
        --------
        >>> Presenter().result({"work_of_adhesion_j_m2": 1.25})
        'work of adhesion j m2 1.25'
        """
        from ..report.numbers import format_number

        return ", ".join(
            f"{name.replace('_', ' ')} {format_number(value) if isinstance(value, float) else value}"
            for name, value in values.items()
        )
