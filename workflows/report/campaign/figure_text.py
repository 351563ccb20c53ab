"""Text from outside as matplotlib may draw it, and the colours that tell series apart."""

from __future__ import annotations

from functools import cache

SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#7A5C00")
"""Colours that colour-blind readers tell apart (Okabe and Ito, with a brown); markers and dashes differ besides."""

SERIES_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
"""One marker for each colour."""

SERIES_DASHES = (
    "-",
    (0, (6, 2)),
    (0, (2, 1.5)),
    (0, (6, 2, 1.5, 2)),
    (0, (1, 1)),
    (0, (9, 3)),
    (0, (4, 1)),
    (0, (3, 3)),
)
"""One line style for each colour."""


def drawn_text(text: str, longest: int = 32) -> str:
    """Make text safe and short enough for a figure.

    Parameters
    ----------
    text : str
        Anything.
    longest : int
        Letters that are kept.

    Returns
    -------
    str
        Without mathematics, control characters or letters that the figures' font lacks.

    Examples
    --------
    >>> drawn_text("Li3N" + chr(0)), drawn_text("abcdef", 4)
    ('Li3N', 'abc…')
    """
    plain = " ".join("".join(letter if ord(letter) in _drawable() else " " for letter in text).split())
    if len(plain) > longest:
        plain = plain[: longest - 1].rstrip() + "…"
    return plain.replace("$", r"\$")


@cache
def _drawable() -> frozenset[int]:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont("DejaVu Sans")).get_charmap())
