"""All candidates of one structure file, whatever its state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...database.documents.candidate_summary import CandidateOrigin
from ...errors import StructureError
from .source import RawCandidate, UnreadableCandidate

if TYPE_CHECKING:
    from ...structures.read import StructureReading

MAXIMUM_BYTES = 200_000_000
"""A file of structures larger than this is a trajectory or a mistake."""


def read_candidates_of_file(
    file: Path, name: str, origin: CandidateOrigin
) -> Iterator[RawCandidate | UnreadableCandidate]:
    """Read every structure of a file.

    Parameters
    ----------
    file : Path
        The file.
    name : str
        Its name for readers; its stem labels the candidates.
    origin : CandidateOrigin
        Where it came from; a number is added to its identifier where the file holds several structures.

    Yields
    ------
    RawCandidate or UnreadableCandidate
        One for each structure; a file that cannot be read at all is one unreadable candidate.
    """
    stem = _stem(name)
    readings = _readings(file)
    for number, reading in enumerate(readings, start=1):
        several = len(readings) > 1
        label = f"{stem} #{number}" if several else stem
        where = origin.model_copy(update={"identifier": f"{origin.identifier}#{number}"}) if several else origin
        if isinstance(reading, StructureError):
            yield UnreadableCandidate(label, where, str(reading))
        else:
            yield RawCandidate(reading.structure, label, where, notes=reading.notes)


def _readings(file: Path) -> list[StructureReading | StructureError]:
    """Read a file; its reason is the only item where nothing of it can be read."""
    from .parse_cache import cached_readings

    try:
        size = file.stat().st_size
        if size > MAXIMUM_BYTES:
            return [
                StructureError(
                    f"The file {file.name} has {size / 1e6:.0f} MB, more than the {MAXIMUM_BYTES / 1e6:g} MB allowed: "
                    "split it."
                )
            ]
        return cached_readings(file, _read_all)
    except StructureError as error:
        return [error]
    except OSError as error:
        return [StructureError(f"The file {file.name} cannot be read ({error.strerror}): mend that.")]


def _read_all(file: Path) -> list[StructureReading | StructureError]:
    from ...structures.read import read_structures

    return list(read_structures(file))


def _stem(name: str) -> str:
    base = Path(name).name
    for ending in (".gz", ".bz2", ".xz"):
        base = base.removesuffix(ending)
    return base.rsplit(".", 1)[0] if "." in base.lstrip(".") else base
