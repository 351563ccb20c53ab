"""YAML as plain data that remembers the line of every key and value."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from .problems import CampaignFileError, Problem

MAXIMUM_BYTES = 16_000_000
"""Longer files are no campaign files; tables of candidates belong into files of their own."""

_MAXIMUM_VALUES = 200_000
_MAXIMUM_DEPTH = 60

Place = tuple[str | int, ...]
"""Keys and list positions from the top of the document down to a value."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads scalars by YAML 1.2: `no`, `on` and `1:30` are words, and `1e-3` is a number."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  (the base class keeps them so)


_NULL, _BOOL, _INT, _FLOAT = (f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float"))
_Loader.add_implicit_resolver(_NULL, re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(_INT, re.compile(r"^[-+]?\d+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    _FLOAT, re.compile(r"^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$"), list("-+.0123456789")
)
_Loader.add_implicit_resolver(_FLOAT, re.compile(r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"), list("-+."))
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])


@dataclass(frozen=True)
class YamlDocument:
    """A YAML file as plain data.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    data : object
        Dicts, lists, strings, numbers, booleans and None.
    key_lines : dict of tuple to int
        Line of the key, or of the dash, that introduces each value; counted from 1.
    value_lines : dict of tuple to int
        Line on which each value begins.
    """

    name: str
    data: Any
    key_lines: dict[Place, int] = field(default_factory=dict)
    value_lines: dict[Place, int] = field(default_factory=dict)

    def line_of(self, place: Sequence[str | int]) -> int:
        """Find the line of a value, or of the nearest one that holds it.

        Parameters
        ----------
        place : sequence of str or int
            Keys and list positions.

        Returns
        -------
        int
            Line, counted from 1.
        """
        for length in range(len(place), -1, -1):
            line = self.key_lines.get(tuple(place[:length]))
            if line is not None:
                return line
        return 1


def read_yaml(text: str | bytes, name: str = "campaign.yaml") -> YamlDocument:
    r"""Read YAML, refusing what a reader could misunderstand.

    Parameters
    ----------
    text : str or bytes
        The content of the file.
    name : str
        Its name, for messages.

    Returns
    -------
    YamlDocument
        Data and lines.

    Raises
    ------
    CampaignFileError
        If it is not UTF-8, not YAML, empty, too large, nested too deeply, has a key twice, a value that refers to
        itself, aliases that multiply to more than 200,000 values, or a number that is not finite.

    Examples
    --------
    >>> document = read_yaml("name: demo\nstages:\n  - stage: relax\n")
    >>> document.data
    {'name': 'demo', 'stages': [{'stage': 'relax'}]}
    >>> document.line_of(("stages", 0, "stage"))
    3
    """
    decoded = _decode(text, name)
    try:
        node = _compose(decoded, name)
        if node is None:
            raise _refused(name, 1, "the file is empty: write at least its name, candidates, potential and stages")
        return _Converter(name).convert(node)
    except RecursionError:
        raise _refused(name, 1, f"it is nested more than {_MAXIMUM_DEPTH} levels deep: write it flatter") from None


def _refused(name: str, line: int, sentence: str) -> CampaignFileError:
    return CampaignFileError(name, [Problem(line=line, place="", sentence=sentence)])


def _decode(text: str | bytes, name: str) -> str:
    """Check size and encoding."""
    if len(text) > MAXIMUM_BYTES:
        raise _refused(
            name, 1, f"the file is larger than {MAXIMUM_BYTES / 1e6:g} MB: list the candidates in a table of their own"
        )
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise _refused(
            name, line, f"the byte {text[error.start]:#04x} is not UTF-8: save the file as UTF-8 text"
        ) from None


def _compose(text: str, name: str) -> yaml.Node | None:
    """Parse into nodes, which know their lines."""
    _check_depth(text, name)
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refused(name, mark.line + 1 if mark else 1, _why(error, text, mark)) from None
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        raise _refused(name, text[:position].count("\n") + 1, "a character is not allowed in YAML: remove it") from None
    except (yaml.YAMLError, ValueError) as error:
        raise _refused(name, 1, f"it is not YAML ({' '.join(str(error).split())[:200]}): correct it") from None
    finally:
        if loader is not None:
            loader.dispose()


def _check_depth(text: str, name: str) -> None:
    """Refuse brackets nested so deeply that a parser in C would leave its stack."""
    depth = 0
    for line_number, line in enumerate(text.splitlines(), start=1):
        if not any(bracket in line for bracket in "[]{}") and len(line) < _MAXIMUM_DEPTH:
            continue
        depth = max(0, depth + sum(line.count(one) for one in "[{") - sum(line.count(one) for one in "]}"))
        dashes = re.match(r"(?:\s*[-?:] )*", line)
        steps = sum(dashes[0].count(one) for one in "-?:") if dashes else 0
        if depth > _MAXIMUM_DEPTH * 10 or steps > _MAXIMUM_DEPTH:
            raise _refused(name, line_number, f"it is nested more than {_MAXIMUM_DEPTH} levels deep: write it flatter")


def _why(error: yaml.MarkedYAMLError, text: str, mark: Any) -> str:
    """Say in a few words why the parser gave up."""
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "the line is indented with a tab: use spaces"
    said = " ".join(str(error.problem or error.context or "it is not YAML").split())
    if "expected a single document" in f"{error.context} {said}":
        return "a second document begins here: such a file holds one, remove the '---'"
    if "undefined alias" in said:
        return f"{said.replace('found undefined alias', 'there is no anchor for the alias')}: define it above"
    return f"it is not YAML ({said}): check indentation, colons, quotes and brackets"


class _Converter:
    """Turns nodes into data, and keeps their lines."""

    def __init__(self, name: str) -> None:
        self._document = YamlDocument(name, None)
        self._count = 0
        self._open: set[int] = set()

    def convert(self, node: yaml.Node) -> YamlDocument:
        self._document.key_lines[()] = node.start_mark.line + 1
        data = self._value(node, ())
        return YamlDocument(self._document.name, data, self._document.key_lines, self._document.value_lines)

    def _refuse(self, node: yaml.Node, sentence: str) -> CampaignFileError:
        return _refused(self._document.name, node.start_mark.line + 1, sentence)

    def _value(self, node: yaml.Node, place: Place) -> Any:
        self._count += 1
        if self._count > _MAXIMUM_VALUES:
            raise self._refuse(
                node,
                f"its aliases multiply to more than {_MAXIMUM_VALUES} values: write fewer, or list the candidates in "
                "a table of their own",
            )
        if len(place) > _MAXIMUM_DEPTH:
            raise self._refuse(node, f"it is nested more than {_MAXIMUM_DEPTH} levels deep: write it flatter")
        if id(node) in self._open:
            raise self._refuse(node, "a value refers to itself: remove the alias")
        self._document.value_lines[place] = node.start_mark.line + 1
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            if isinstance(node, yaml.SequenceNode):
                return self._sequence(node, place)
            assert isinstance(node, yaml.ScalarNode)
            return self._scalar(node)
        finally:
            self._open.discard(id(node))

    def _sequence(self, node: yaml.SequenceNode, place: Place) -> list[Any]:
        self._expect_plain(node, "seq")
        values = []
        for index, item in enumerate(node.value):
            self._document.key_lines[(*place, index)] = item.start_mark.line + 1
            values.append(self._value(item, (*place, index)))
        return values

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        self._expect_plain(node, "map")
        values: dict[str, Any] = {}
        own: set[str] = set()
        # What is merged in comes first, so that the mapping's own keys win.
        pairs = sorted(node.value, key=lambda pair: pair[0].tag != "tag:yaml.org,2002:merge")
        for key_node, value_node in pairs:
            if key_node.tag == "tag:yaml.org,2002:merge":
                values |= self._merged(value_node, place)
                continue
            key = self._key(key_node)
            if key in own:
                raise self._refuse(key_node, f"the key '{key}' is here a second time: keep one of them")
            own.add(key)
            self._document.key_lines[(*place, key)] = key_node.start_mark.line + 1
            values[key] = self._value(value_node, (*place, key))
        return values

    def _merged(self, node: yaml.Node, place: Place) -> dict[str, Any]:
        if isinstance(node, yaml.MappingNode):
            merged = self._value(node, place)
            self._document.value_lines[place] = node.start_mark.line + 1
            return dict(merged)
        if isinstance(node, yaml.SequenceNode):
            values: dict[str, Any] = {}
            for item in reversed(node.value):
                values |= self._merged(item, place)
            return values
        raise self._refuse(node, "'<<' takes a mapping, such as an alias *of_one: correct it")

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._refuse(node, "a key must be a word, not a list or mapping: correct it")
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode) -> Hashable:
        text = str(node.value)
        if node.tag == _NULL:
            return None
        if node.tag == _BOOL:
            return text.lower() == "true"
        if node.tag == _INT:
            return self._whole_number(node, text)
        if node.tag == _FLOAT:
            return self._number(node, text)
        if node.tag not in ("tag:yaml.org,2002:str", "!"):
            raise self._refuse(node, f"the tag {_short_tag(node.tag)} is not allowed: give a plain value")
        return text

    def _whole_number(self, node: yaml.Node, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise self._refuse(node, f"'{text[:20]}' is not a whole number: correct it") from None
        if abs(number) > 2**63 - 1:
            raise self._refuse(node, "the number has too many digits: write a smaller one, or put it in quotes")
        return number

    def _number(self, node: yaml.Node, text: str) -> float:
        try:
            number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self._refuse(node, f"'{text[:20]}' is not a finite number: leave the setting out, or give a number")
        return number

    def _expect_plain(self, node: yaml.Node, kind: str) -> None:
        if node.tag != f"tag:yaml.org,2002:{kind}":
            raise self._refuse(node, f"the tag {_short_tag(node.tag)} is not allowed: give a plain value")


def _short_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Find the known word that a user most likely meant.

    Parameters
    ----------
    word : str
        What was written.
    known : sequence of str
        What there is.

    Returns
    -------
    str or None
        The nearest; None where nothing is known.

    Examples
    --------
    >>> nearest("atleast", ["at_least", "at_most"])
    'at_least'
    """
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
    return found[0] if found else None
