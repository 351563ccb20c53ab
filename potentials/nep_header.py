"""The first line of a NEP file: which kind of model it holds, and for which elements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import PotentialError

_LONGEST_HEADER_BYTES = 4096
_KIND = re.compile(r"nep(?P<version>\d+)(?P<flavour>(_[a-z]+)*)", re.IGNORECASE)
_ENERGY_FLAVOURS = frozenset({"", "_zbl"})


@dataclass(frozen=True)
class NepHeader:
    """What a NEP file says of itself in its first line.

    Attributes
    ----------
    version : int
        Generation of the model, such as 4.
    has_zbl : bool
        Whether the repulsion of close atoms is that of Ziegler, Biersack and Littmark.
    elements : tuple of str
        Chemical symbols, in the file's order.
    """

    version: int
    has_zbl: bool
    elements: tuple[str, ...]


def read_nep_header(path: Path) -> NepHeader:
    """Read the first line of a NEP file, and nothing else of it.

    Parameters
    ----------
    path : Path
        A text file as GPUMD writes it, such as ``nep.txt``.

    Returns
    -------
    NepHeader
        Version and elements.

    Raises
    ------
    PotentialError
        If it is no NEP file, or a model of dipoles, polarisabilities or anything but energies.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "nep.txt"
    >>> _ = path.write_text("nep4_zbl 2 Li Cl")
    >>> read_nep_header(path).elements
    ('Li', 'Cl')
    """
    from ase.data import atomic_numbers

    try:
        with path.open("rb") as stream:
            words = stream.readline(_LONGEST_HEADER_BYTES).decode("utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_nep_file(path) from error
    kind = _KIND.fullmatch(words[0]) if words else None
    if kind is None:
        raise _no_nep_file(path)
    flavour = kind["flavour"].lower()
    if flavour not in _ENERGY_FLAVOURS:
        raise PotentialError(
            f"The file {path.name} holds a NEP model of the kind '{words[0]}', which superion cannot use: give a "
            "potential, whose first line begins with nep3, nep4 or nep5, with or without _zbl."
        )
    elements = tuple(words[2:])
    if not elements or words[1] != str(len(elements)) or not set(elements) <= set(atomic_numbers):
        raise PotentialError(
            f"The first line of the NEP file {path.name} should name its elements after their number and reads "
            f"'{' '.join(words)[:80]}': give a complete file."
        )
    return NepHeader(int(kind["version"]), flavour == "_zbl", elements)


def _no_nep_file(path: Path) -> PotentialError:
    return PotentialError(
        f"The file {path.name} is not a NEP file: give the nep.txt of a trained model, whose first line reads such as "
        "'nep4_zbl 2 Li Cl'."
    )
