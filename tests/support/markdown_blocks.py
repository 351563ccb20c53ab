"""The fenced blocks of README and the pages under docs/: what a reader may copy and run."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
"""Written on the line before a block, it keeps the block from being run, and says why."""

DIGITS_VARY = "<!-- digits vary between machines -->"
"""Written between a block and its output, it says that the numbers shown are those of one machine."""

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language and text, what it is said to print (with which numbers), why it is not run."""

    page: str
    line: int
    language: str
    code: str
    printed: str | None
    digits_vary: bool
    not_run: str | None

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """README and every page under docs/, tables that pages include left out."""
    readme = ROOT / "README.md"
    return [*([readme] if readme.exists() else []), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    found = []
    for fence, following in itertools.zip_longest(fences, fences[1:]):
        printed, digits_vary = None, False
        if following is not None and following["language"] == "text":
            between = text[fence.end() : following.start()].strip()
            digits_vary = between == DIGITS_VARY
            printed = following["code"] if digits_vary or not between else None
        before = text[: fence.start()].rstrip("\n").rsplit("\n", 1)[-1]
        marker = NOT_RUN.match(before.strip())
        code = re.sub(rf"^{fence['indent']}", "", fence["code"], flags=re.MULTILINE)
        line = text.count("\n", 0, fence.start()) + 1
        found.append(
            Block(page.name, line, fence["language"], code, printed, digits_vary, marker[1] if marker else None)
        )
    return found


@dataclass(frozen=True)
class ShownCommand:
    """A command that a page shows, where, and the error that it shows as its answer, if it does."""

    place: str
    text: str
    error: str | None = None


def commands(page: Path) -> list[ShownCommand]:
    """Commands that a page shows: lines after `$` in console blocks, and the lines of bash blocks."""
    found = []
    for block in blocks(page):
        if block.not_run is not None or block.language not in ("console", "bash", "sh", "shell"):
            continue
        lines = re.sub(r"\\\n\s*", "", block.code).splitlines()
        for line, following in itertools.zip_longest(lines, lines[1:], fillvalue=""):
            if block.language == "console" and line.startswith("$ "):
                error = following if following.startswith("error: ") else None
                found.append(ShownCommand(block.place, line[2:].strip(), error))
            elif block.language != "console" and line.strip() and not line.lstrip().startswith("#"):
                found.append(ShownCommand(block.place, line.strip()))
    return found
