"""Characters beyond ASCII in the words of a CIF, which its first generation allows nowhere but in quotes."""

from __future__ import annotations

import re
import unicodedata

_MINUS = re.compile(r"""(?<![^\s'",+])[\u2010\u2011\u2012\u2013\u2212](?=\s*[\d.xyzXYZ])""")
_WORD = re.compile(r"""'[^\n]*?'(?=\s|$)|"[^\n]*?"(?=\s|$)|\#.*|[^\s'"\#]\S*|\S+""")


def plain_minus(text: str, notes: list[str]) -> str:
    """Write typographic minus signs as hyphens.

    Parameters
    ----------
    text : str
        The file.
    notes : list of str
        Gains a sentence with the first line.

    Returns
    -------
    str
        The file with hyphens before digits and axes.

    Examples
    --------
    >>> notes = []
    >>> plain_minus("Li \u22120.25", notes), notes
    ('Li -0.25', ['Typographic minus signs are read as hyphens (first in line 1).'])
    """
    first = _MINUS.search(text)
    if first is None:
        return text
    line = text.count("\n", 0, first.start()) + 1
    notes.append(f"Typographic minus signs are read as hyphens (first in line {line}).")
    return _MINUS.sub("-", text)


def quote_words(text: str) -> str:
    """Put quotes around words beyond ASCII.

    Names of data and of blocks lose such characters instead. Lines with several words for one name stay as they are.

    Parameters
    ----------
    text : str
        The file in the syntax of CIF 1.1.

    Returns
    -------
    str
        The same content, which gemmi reads.

    Examples
    --------
    >>> quote_words("O\u03b1 O 0.25")
    "'Oα' O 0.25"
    """
    if text.isascii():
        return text
    lines = text.split("\n")
    in_text = False
    for row, line in enumerate(lines):
        if line.startswith(";"):
            in_text = not in_text
        elif not in_text and not line.isascii():
            lines[row] = _quoted_line(line)
    return "\n".join(lines)


def _quoted_line(line: str) -> str:
    words = _WORD.findall(line)
    if words and words[0].startswith("_") and len(words) > 2 and words[1][0] not in "'\"" and words[2][0] != "#":
        return line
    return _WORD.sub(lambda found: _quoted(found[0]), line)


def _quoted(word: str) -> str:
    if word.isascii() or word[0] in "'\"#":
        return word
    if word[0] == "_" or word.lower().startswith("data_"):
        return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    mark = next((mark for mark in "'\"" if mark not in word), None)
    return f"{mark}{word}{mark}" if mark else word.encode("ascii", "replace").decode()
