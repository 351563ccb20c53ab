"""Space groups by the many names that files give them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import gemmi

_ORIGIN = {"s": "1", "z": "2", "o1": "1", "o2": "2", "1": "1", "2": "2"}
_AXES = {"h": "H", "r": "R", "rs": "R", "rr": "R", "hr": "H", "hs": "H", "rh": "R"}
_CODE = re.compile(r"[12]?-?(?:[abc]-?[123]|(?:-?[abc]){3})\Z")


@dataclass(frozen=True)
class SpaceGroupName:
    """A symbol taken apart.

    Attributes
    ----------
    symbol : str
        Without remarks on the setting.
    choice : str
        ``1`` or ``2`` for the choice of origin, ``H`` or ``R`` for the axes, a code such as ``b1``; empty if not said.
    """

    symbol: str
    choice: str


def has_other_basis(text: str) -> bool:
    """Say whether a symbol is followed by a change of basis.

    Parameters
    ----------
    text : str
        As a file writes it.

    Returns
    -------
    bool
        True for such as ``P n m a (c,a,b)``, whose setting is not that of its symbol.

    Examples
    --------
    >>> has_other_basis("P n m a (c,a,b)"), has_other_basis("F d -3 m (origin at -1)")
    (True, False)
    """
    found = re.search(r"\(([^()]*)\)\s*$", text)
    if found is None or found[1].count(",") < 2:
        return False
    words = re.sub(r"[\s\d./+;-]", "", found[1].lower())
    return set(words) <= set("abcxyz,") and words.replace(",", "") not in ("abc", "xyz", "")


@lru_cache(maxsize=2048)
def split_name(text: str) -> SpaceGroupName:
    """Take a Hermann–Mauguin symbol apart.

    Parameters
    ----------
    text : str
        As a file writes it.

    Returns
    -------
    SpaceGroupName
        The symbol and what is said of its setting.

    Examples
    --------
    >>> split_name("F d -3 m Z"), split_name("R-3m:H").choice, split_name("P6_3/mmc").symbol
    (SpaceGroupName(symbol='F d -3 m', choice='2'), 'H', 'P63/mmc')
    """
    text = text.strip().replace("\\", "")
    choice = ""
    remark = re.search(r"\(\s*([^()\d][^()]*|-\d.*?)\)\s*$", text)
    if remark is not None:
        words = remark[1].lower()
        if re.search(r"at\s*-1|cent(re|er)|choice\s*2|origin\s*2", words):
            choice = "2"
        elif re.search(r"choice\s*1|origin\s*1", words):
            choice = "1"
        elif "hex" in words:
            choice = "H"
        elif "rhomb" in words:
            choice = "R"
        text = text[: remark.start()]
    symbol, _, after = text.partition(":")
    code = after.strip().lower()
    if not code:
        found = re.search(r"\s(S|Z|H|R|RS|RR|HR|HS|O1|O2)$", symbol.strip())
        if found is not None:
            code, symbol = found[1].lower(), symbol.strip()[: found.start()]
    choice = _ORIGIN.get(code) or _AXES.get(code) or (code if _CODE.match(code) else "") or choice
    # subscripts: P6_3, P6~3~, P2(1), P2sub1
    symbol = re.sub(r"(?<=\d)(?:_|~|\()(\d)(?:~|\))?", r"\1", symbol)
    symbol = re.sub(r"sub\s*(\d)", r"\1", symbol)
    symbol = re.sub(r"[_~^$*{}]+", " ", symbol)
    symbol = re.sub(r"(?<=[a-zA-Z])\s*-\s*(?=\d)|\s+-\s*(?=\d)", " -", symbol)
    return SpaceGroupName(" ".join(symbol.split()), choice)


@lru_cache(maxsize=2048)
def settings_of_name(name: SpaceGroupName) -> tuple[gemmi.SpaceGroup, ...]:
    """Find all settings that a symbol can mean.

    Parameters
    ----------
    name : SpaceGroupName
        A symbol taken apart.

    Returns
    -------
    tuple of gemmi.SpaceGroup
        One where the symbol says all; two where a choice of origin or of axes is open; none for an unknown symbol.

    Examples
    --------
    >>> [group.xhm() for group in settings_of_name(split_name("Fd-3m"))]
    ['F d -3 m:1', 'F d -3 m:2']
    """
    symbol = _shortened(name.symbol)
    found = _by_name().get(symbol.replace(" ", "").lower(), ())
    if not found:
        known = gemmi.find_spacegroup_by_name(symbol)
        found = () if known is None else tuple(g for g in _table() if g.hm == known.hm and g.number == known.number)
    if re.search(r"\s3[12]\s", f" {symbol} "):
        # P 31 2 is no symbol, though without spaces it reads as P 3 1 2
        found = tuple(group for group in found if re.search(r"\s3[12]\s", f" {group.hm} "))
    return narrowed(found, name.choice)


def narrowed(settings: tuple[gemmi.SpaceGroup, ...], choice: str) -> tuple[gemmi.SpaceGroup, ...]:
    """Keep the settings that a code stands for; all of them where none has such a code.

    Parameters
    ----------
    settings : tuple of gemmi.SpaceGroup
        Settings.
    choice : str
        As in `SpaceGroupName`.

    Returns
    -------
    tuple of gemmi.SpaceGroup
        At least one where any was given.
    """
    if choice in ("1", "2", "H", "R"):
        fitting = tuple(group for group in settings if extension(group) == choice)
    elif choice:
        origin = choice[0] if choice[0] in "12" else ""
        code = choice.removeprefix(origin)
        fitting = tuple(
            group
            for group in settings
            if (group.qualifier or "abc") == code and (not origin or extension(group) == origin)
        )
    else:
        return settings
    return fitting or settings


def settings_of_number(number: int) -> tuple[gemmi.SpaceGroup, ...]:
    """List the settings that a mere number can mean.

    Parameters
    ----------
    number : int
        Of the International Tables.

    Returns
    -------
    tuple of gemmi.SpaceGroup
        The standard setting with all its choices of origin and axes.

    Examples
    --------
    >>> [group.xhm() for group in settings_of_number(166)]
    ['R -3 m:H', 'R -3 m:R']
    """
    if not 1 <= number <= 230:
        return ()
    standard = gemmi.find_spacegroup_by_number(number)
    return tuple(group for group in _table() if group.number == number and group.hm == standard.hm)


def extension(group: gemmi.SpaceGroup) -> str:
    """Give the choice of origin or axes of a setting.

    Parameters
    ----------
    group : gemmi.SpaceGroup
        A setting.

    Returns
    -------
    str
        ``1``, ``2``, ``H`` or ``R``; empty where there is no choice.
    """
    return str(group.ext).strip("\x00 ")


def _shortened(symbol: str) -> str:
    """Turn a full symbol such as F 4/m -3 2/m into F m -3 m."""
    words = symbol.split()
    if len(words) < 3:
        return symbol
    parts = words[1:]
    if len(parts) == 3 and parts[1] == "-3" and re.fullmatch(r"4[1-3]?/[a-z]", parts[0]):
        parts[0] = parts[0].partition("/")[2]
    elif len(parts) == 3 and all(re.fullmatch(r"21?/[a-z]", part) for part in parts):
        return " ".join([words[0], *(part.partition("/")[2] for part in parts)])
    elif len(parts) == 2 and parts[1] == "-3" and re.fullmatch(r"21?/[a-z]", parts[0]):
        parts[0] = parts[0].partition("/")[2]
    if parts[0][0] in "-3463m" or parts[0][:1].isalpha():
        parts[1:] = [re.sub(r"^21?/", "", part) for part in parts[1:]]
    return " ".join([words[0], *parts])


@cache
def _table() -> tuple[gemmi.SpaceGroup, ...]:
    return tuple(gemmi.spacegroup_table())


@cache
def _by_name() -> dict[str, tuple[gemmi.SpaceGroup, ...]]:
    names: dict[str, list[gemmi.SpaceGroup]] = {}
    for group in _table():
        words = group.hm.split()
        keys = {"".join(words)}
        if 3 <= group.number <= 15:
            # the unique axis is told by the angles
            keys.add(words[0] + "".join(word for word in words[1:] if word != "1"))
            if words[-1] == "1":
                keys.add("".join(words[:-1]))
        for key in keys:
            names.setdefault(key.lower(), []).append(group)
    return {key: tuple(groups) for key, groups in names.items()}
