"""Errors that are met while a campaign's candidates are read, told with the line of the campaign file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...candidates.candidates_error import CandidatesError
from .explain import written_place
from .problems import CampaignFileError, Problem
from .yaml_document import read_yaml


@contextmanager
def told_by_line(path: str | Path) -> Iterator[None]:
    """Tell an error of a source of candidates with the line that asks for it.

    Parameters
    ----------
    path : str or Path
        The campaign file, which has been read before.

    Yields
    ------
    None
        While the candidates are read.

    Raises
    ------
    CampaignFileError
        In place of a `CandidatesError`.
    """
    try:
        yield
    except CandidatesError as error:
        file = Path(path).expanduser()
        document = read_yaml(file.read_bytes(), file.name)
        problem = Problem(document.line_of(error.place), written_place(error.place), _as_clause(str(error)))
        raise CampaignFileError(file.name, [problem]) from error


def _as_clause(sentence: str) -> str:
    """Make a whole sentence fit behind a colon; names such as OPTIMADE and LiCl.cif stay as they are."""
    first = sentence.split(" ", 1)[0]
    plain = sentence if first[1:].lower() != first[1:] else sentence[:1].lower() + sentence[1:]
    return plain.rstrip(".")
