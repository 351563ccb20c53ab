"""The second generation of CIF in the syntax of the first, which gemmi reads."""

from __future__ import annotations

import re

_MAGIC = re.compile(r"\s*#\\#CIF_2\.0", re.IGNORECASE)
_CLOSING = {"[": "]", "{": "}"}


def is_cif2(text: str) -> bool:
    r"""Say whether a file declares itself to be CIF 2.0.

    Parameters
    ----------
    text : str
        The file.

    Returns
    -------
    bool
        Whether its first line says so.

    Examples
    --------
    >>> is_cif2("#\\#CIF_2.0\ndata_x")
    True
    """
    return _MAGIC.match(text) is not None


def as_cif1(text: str) -> str:
    r"""Write lists, tables and triple-quoted strings as text fields.

    Parameters
    ----------
    text : str
        A file in CIF 2.0.

    Returns
    -------
    str
        The same in the syntax of CIF 1.1: nothing that places atoms is a list or a table.

    Examples
    --------
    >>> as_cif1("data_x\n_a [1 2]\n_b 3\n")
    'data_x\n_a \n;[1 2]\n;\n\n_b 3\n'
    """
    parts: list[str] = []
    position = 0
    while position < len(text):
        at_word = position == 0 or text[position - 1].isspace()
        character = text[position]
        end = position + 1
        replacement = None
        if (character == "#" and at_word) or (character == ";" and text[max(position - 1, 0)] == "\n"):
            stop = text.find("\n" if character == "#" else "\n;", position)
            end = len(text) if stop < 0 else stop + (0 if character == "#" else 2)
        elif at_word and text[position : position + 3] in ('"""', "'''"):
            stop = text.find(text[position : position + 3], position + 3)
            end = len(text) if stop < 0 else stop + 3
            replacement = text[position + 3 : end - 3]
        elif at_word and character in "'\"":
            stop = text.find(character, position + 1)
            end = len(text) if stop < 0 else stop + 1
        elif at_word and character in _CLOSING:
            end = _end_of_list(text, position)
            replacement = text[position:end]
        if replacement is None:
            parts.append(text[position:end])
        else:
            field = replacement.replace("\n;", "\n ;")
            parts.append(f"\n;{field}\n;\n")
        position = end
    return "".join(parts)


def _end_of_list(text: str, start: int) -> int:
    depth, position = 0, start
    while position < len(text):
        character = text[position]
        if character in "'\"":
            stop = text.find(character, position + 1)
            position = len(text) if stop < 0 else stop
        elif character in _CLOSING:
            depth += 1
        elif character in _CLOSING.values():
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return len(text)
