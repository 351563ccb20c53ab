"""From the text of a CIF to its data blocks, with small flaws of common programs repaired."""

from __future__ import annotations

import re

import gemmi

from ...errors import StructureError
from .block import CifBlock, read_block
from .characters import plain_minus, quote_words
from .cif2 import as_cif1, is_cif2

_MOST_REPAIRS = 40

_DECISIVE_LOOP = re.compile(r"_(atom_site[_.](?!aniso)|symmetry|space_group|cell[_.]|atom_type|chemical_formula)", re.I)
_TRIPLET = re.compile(
    r"^(?P<id>[ \t]*\d*[ \t]+|)(?P<xyz>[-+xyzXYZ0-9/. \t]*[xyzXYZ][-+xyzXYZ0-9/. \t]*(?:,[-+xyzXYZ0-9/. \t]+){2})$",
    re.MULTILINE,
)
_PAIR = re.compile(r"^[ \t]*(?P<tag>_[^\s]+)[ \t]+(?P<value>[^\s].*?)[ \t]*$")
_HEADER = re.compile(r"^[ \t]*data_(?P<name>.*?)[ \t]*$", re.IGNORECASE)
_RESERVED = re.compile(r"(data_|loop_$|save_|stop_$|global_$)", re.IGNORECASE)


def parse_cif(text: str) -> tuple[list[CifBlock], list[str]]:
    r"""Parse a CIF.

    Parameters
    ----------
    text : str
        The whole file, with plain line ends.

    Returns
    -------
    blocks : list of CifBlock
        All data blocks, with atoms or without.
    notes : list of str
        What had to be repaired.

    Raises
    ------
    StructureError
        When the text is no CIF, with the line.

    Examples
    --------
    >>> blocks, notes = parse_cif("data_x\n_chemical_formula_sum Li2 O\n")
    >>> blocks[0].value("_chemical_formula_sum"), notes
    ('Li2 O', ['The value of _chemical_formula_sum (line 2) has spaces and no quotes: read as one.'])
    """
    notes: list[str] = []
    text = plain_minus(text, notes)
    if is_cif2(text):
        text = as_cif1(text)
    text = _quote_operations(quote_words(text), notes)
    document = _parsed(text)
    if isinstance(document, ValueError):
        text = _repaired_lines(text, notes)
        document = _parsed(text)
    for _ in range(_MOST_REPAIRS):
        if not isinstance(document, ValueError):
            break
        shorter = _without_broken_loop(text, document, notes)
        if shorter is None:
            break
        text = shorter
        document = _parsed(text)
    if isinstance(document, ValueError):
        raise StructureError(_explained(text, document)) from document
    return [read_block(block) for block in document], notes


def _parsed(text: str) -> gemmi.cif.Document | ValueError:
    try:
        return gemmi.cif.read_string(text, check_level=0)
    except (ValueError, RuntimeError) as error:
        return ValueError(str(error))


def _quote_operations(text: str, notes: list[str]) -> str:
    """Put quotes around operations that are written with spaces and without them."""

    def quoted(found: re.Match[str]) -> str:
        xyz = found["xyz"].strip()
        return found[0] if not re.search(r"\s", xyz) else f"{found['id']}'{xyz}'"

    repaired, _ = _TRIPLET.subn(quoted, text)
    if repaired != text:
        notes.append("Symmetry operations with spaces and without quotes are read as one operation a line.")
    return repaired


def _repaired_lines(text: str, notes: list[str]) -> str:
    """Repair the flaws that one line shows, outside of text fields."""
    lines = text.split("\n")
    first = next((row for row, line in enumerate(lines) if line.split("#")[0].strip()), 0)
    started = any(_HEADER.match(line) for line in lines)
    if not started and re.match(r"\s*(_|loop_)", lines[first], re.IGNORECASE):
        lines[first] = f"data_unnamed\n{lines[first]}"
        notes.append("The file has no data_ line: all of it is read as one block.")
    elif started:
        header = next(row for row, line in enumerate(lines) if _HEADER.match(line))
        before = [line for line in lines[:header] if line.strip() and not line.lstrip().startswith("#")]
        if before and not any(re.match(r"\s*(_|loop_|global_|;)", line, re.IGNORECASE) for line in before):
            lines[:header] = [""] * header
            notes.append("Text before the first data_ line is ignored.")
    in_text = False
    for row, line in enumerate(lines):
        if line.startswith(";"):
            in_text = not in_text
        elif not in_text:
            following = next((later for later in lines[row + 1 :] if later.strip()), "")
            lines[row] = _repaired_line(line, row + 1, following, notes)
    return "\n".join(lines)


def _repaired_line(line: str, number: int, following: str, notes: list[str]) -> str:
    header = _HEADER.match(line)
    if header is not None:
        name = header["name"].split("#")[0].strip()
        if re.search(r"\s", name) and not any(word[0] in "_'\"" or word == "loop_" for word in name.split()):
            notes.append(f"The name of the data block '{name}' (line {number}) has spaces.")
            return "data_" + "_".join(name.split())
        return line
    if line.strip().lower() == "_loop" and re.match(r"\s*_\S+\s*$", following):
        notes.append(f"_loop in line {number} is read as loop_.")
        return "loop_"
    pair = _PAIR.match(line)
    if pair is None:
        return line
    tag, value = pair["tag"], pair["value"]
    if value[0] in "'\"":
        closed = re.match(r"""(['"]).*?\1(?=\s|$)""", value)
        if closed is not None and (not value[closed.end() :].strip() or value[closed.end() :].strip()[0] in "#_"):
            return line
        notes.append(f"The quotes around the value of {tag} (line {number}) do not close: read to the end of the line.")
        inner = value[1:-1] if len(value) > 1 and value[-1] == value[0] else value[1:]
        return _quoted(tag, inner)
    value = re.split(r"\s#", value)[0].strip()
    words = value.split()
    if any(word.startswith("_") for word in words[1:]):
        return line
    if len(words) > 1:
        notes.append(f"The value of {tag} (line {number}) has spaces and no quotes: read as one.")
        return _quoted(tag, value)
    if words and (words[0][0] in "[]$" or _RESERVED.match(words[0])):
        notes.append(f"The value of {tag} (line {number}) should be in quotes.")
        return _quoted(tag, value)
    return line


def _quoted(tag: str, value: str) -> str:
    mark = next((mark for mark in "'\"" if mark not in value), None)
    return f"{tag} {mark}{value}{mark}" if mark else f"{tag}\n;{value}\n;"


def _without_broken_loop(text: str, error: ValueError, notes: list[str]) -> str | None:
    """Drop a loop with a wrong number of values where the crystal does not depend on it."""
    found = re.search(r":(\d+):\d+\(\d+\): Wrong number of values in loop", str(error))
    if found is None:
        return None
    lines = text.split("\n")
    start = _loop_start(lines, int(found[1]) - 1)
    if start is None:
        return None
    end, in_text = start + 1, False
    tags: list[str] = []
    while end < len(lines):
        line = lines[end].strip()
        if lines[end].startswith(";"):
            in_text = not in_text
        elif not in_text:
            if re.match(r"(loop_|data_|save_|global_)", line, re.IGNORECASE):
                break
            if line.startswith("_"):
                if tags and end > start + 1 + len(tags) and not line.split()[1:]:
                    break
                if tags and line.split()[1:]:
                    break
                tags.append(line.split()[0])
        end += 1
    if not tags or any(_DECISIVE_LOOP.match(tag) for tag in tags):
        return None
    notes.append(
        f"The loop of {tags[0]} (line {start + 1}) has a wrong number of values and is ignored: the crystal does "
        "not depend on it."
    )
    lines[start:end] = [""] * (end - start)
    return "\n".join(lines)


def _loop_start(lines: list[str], row: int) -> int | None:
    row = min(row, len(lines) - 1)
    while row >= 0:
        if lines[row].strip().lower().startswith("loop_"):
            return row
        row -= 1
    return None


def _explained(text: str, error: ValueError) -> str:
    """Say in plain English what is wrong with the syntax, and where."""
    message = str(error)
    found = re.search(r":(\d+)(?::\d+\(\d+\))?(?: in \S+)?: (.*)", message)
    if found is None:
        return "it is not a CIF: give a CIF, or name the file by its format"
    number, reason = int(found[1]), found[2]
    lines = text.split("\n")
    line = lines[number - 1].strip() if number <= len(lines) else ""
    excerpt = line if len(line) <= 60 else f"{line[:59]}…"
    if "expected block header" in reason:
        return "it is not a CIF, which begins with data_: give a CIF, or name the file by its format"
    if "Wrong number of values" in reason:
        start = _loop_start(lines, number - 1)
        tag = next((word.strip() for word in lines[(start or 0) + 1 :] if word.strip()), "")
        return (
            f"the loop of {tag or 'data'} in line {(start or 0) + 1} has not as many values as its columns need: "
            "complete its rows, or copy the file again if it was cut off"
        )
    if "unterminated text field" in reason:
        return "a text field that begins with a semicolon does not end: copy the file again if it was cut off"
    if "unterminated" in reason:
        return f"the quotes in line {number} do not close ({excerpt}): correct them"
    return f"line {number} is not in the syntax of CIFs ({excerpt}): put quotes around values with spaces or correct it"
