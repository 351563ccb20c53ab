"""What sits on a site, from the many ways in which its type is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pymatgen.core import Element

_VACANCY = re.compile(r"(va|vac|vacancy|vacant|void|empty|□)[-_ ]?\d*\Z")

_DUMMIES = {"x", "xx", "q", "m", "me", "du", "dum", "dummy", "bq", "lp", "cn", "ln", "an", "zz", "r", "a", "z", "l"}

_HYDROGEN_GROUPS = {
    "oh": "O",
    "oh2": "O",
    "h2o": "O",
    "d2o": "O",
    "od": "O",
    "od2": "O",
    "h3o": "O",
    "wat": "O",
    "water": "O",
    "nh": "N",
    "nh2": "N",
    "nh3": "N",
    "nh4": "N",
    "nd4": "N",
    "ch": "C",
    "ch2": "C",
    "ch3": "C",
    "bh": "B",
    "bh4": "B",
    "sh": "S",
    "alh4": "Al",
}
"""Groups that some databases place as one site: the hydrogen of it has no coordinates."""

_ISOTOPES = {"d": "H"}

_HEAVIEST = 103
"""Lawrencium: symbols of heavier elements are groups or dummies in a crystal."""

_TYPE = re.compile(r"(?P<mass>\d{1,3})?(?P<letters>[A-Za-z]+|□)(?P<rest>.*)\Z", re.DOTALL)
_CHARGE = re.compile(
    r"(?:\(?(?P<before>[+-])(?P<after_size>\d+(?:\.\d*)?)\)?|\(?(?P<size>\d+(?:\.\d*)?)(?P<after>[+-])\.?\)?|"
    r"(?P<signs>\++|-+))\Z"
)
_SCATTERING = re.compile(r"(?P<symbol>[A-Z][a-z]?)(val|iva|ival|va)\Z")


@dataclass(frozen=True, slots=True)
class SiteType:
    """What the type of a site says.

    Attributes
    ----------
    kind : str
        ``element``, ``vacancy``, ``dummy``, ``hydrogen_group``, ``mixture`` or ``unknown``.
    symbol : str
        Chemical symbol; of the heavy atom for a group; empty where there is none.
    charge : float or None
        Charge as written.
    isotope : bool
        Whether a single isotope is named.
    """

    kind: str
    symbol: str = ""
    charge: float | None = None
    isotope: bool = False


@lru_cache(maxsize=4096)
def site_type(text: str) -> SiteType:
    """Understand a type symbol.

    Parameters
    ----------
    text : str
        Such as ``Li``, ``Li1+``, ``O-2``, ``7Li``, ``OH``, ``Va``.

    Returns
    -------
    SiteType
        What it is.

    Examples
    --------
    >>> site_type("Fe+3"), site_type("Va").kind, site_type("OH").kind
    (SiteType(kind='element', symbol='Fe', charge=3.0, isotope=False), 'vacancy', 'hydrogen_group')
    """
    text = text.strip()
    lower = text.lower()
    if _VACANCY.match(lower):
        return SiteType("vacancy")
    group = lower.rstrip("+-")
    group = group if group in _HYDROGEN_GROUPS else re.sub(r"\d$", "", group)
    # Nd4+ is neodymium
    if group in _HYDROGEN_GROUPS and not text.startswith("Nd"):
        return SiteType("hydrogen_group", _HYDROGEN_GROUPS[group])
    scattering = _SCATTERING.match(text)
    if scattering is not None and is_element(scattering["symbol"]):
        return SiteType("element", scattering["symbol"])
    found = _TYPE.match(text)
    if found is None:
        return SiteType("mixture" if re.search(r"[(\[{]", text) else "unknown")
    letters, rest = found["letters"], found["rest"].strip().lstrip("_^").strip()
    symbol = letters.capitalize()
    isotope = found["mass"] is not None
    if symbol.lower() in _ISOTOPES and len(letters) == 1:
        symbol, isotope = _ISOTOPES[symbol.lower()], True
    if re.search(r"[/,;&()\[\]{}]|[+][A-Z]", rest) and re.search(r"[A-Za-z]", rest):
        return SiteType("mixture")
    if not is_element(symbol) or (letters.lower() in _DUMMIES and not is_element(letters)):
        return SiteType("dummy") if letters.lower() in _DUMMIES else SiteType("unknown")
    if letters == "T":
        return SiteType("unknown")
    if not rest or re.fullmatch(r"\d+[A-Za-z]?|[A-Z]?\d*[a-z]?'*", rest):
        # a label that serves as the type, such as Li1 or O2A; two symbols in a row are a mixture
        tail = rest.strip("0123456789'")
        return SiteType("mixture") if tail and is_element(tail) else SiteType("element", symbol, None, isotope)
    charge = _charge(rest)
    if charge is not None:
        return SiteType("element", symbol, charge, isotope)
    return SiteType("mixture" if re.search(r"[A-Z]", rest) else "unknown")


def label_symbols(label: str) -> list[str]:
    """List the elements that a label can begin with, the likeliest first.

    Parameters
    ----------
    label : str
        Such as ``Li1``, ``CA1``, ``OW``.

    Returns
    -------
    list of str
        One or two symbols; two where the label is in capitals, such as CA1 for calcium or carbon.

    Examples
    --------
    >>> label_symbols("Ca1"), label_symbols("CA1"), label_symbols("OW1")
    (['Ca'], ['Ca', 'C'], ['O'])
    """
    found = re.match(r"\(?\d{0,3}([A-Za-z]+)", label)
    if found is None:
        return []
    letters = found[1]
    two, one = letters[:2].capitalize(), letters[:1].upper()
    one = _ISOTOPES.get(one.lower(), one)
    symbols = [two] if len(letters) > 1 and is_element(two) else []
    if is_element(one) and not (symbols and letters[1].islower()):
        symbols.append(one)
    return symbols


@lru_cache(maxsize=512)
def is_element(symbol: str) -> bool:
    """Say whether a symbol names an element that crystals hold.

    Parameters
    ----------
    symbol : str
        As in the periodic table.

    Returns
    -------
    bool
        False for dummies, isotopes and elements heavier than lawrencium.
    """
    return symbol not in ("D", "T") and Element.is_valid_symbol(symbol) and Element(symbol).Z <= _HEAVIEST


def _charge(text: str) -> float | None:
    found = _CHARGE.match(text)
    if found is None:
        return None
    if found["signs"]:
        return float(len(found["signs"]) * (1 if found["signs"][0] == "+" else -1))
    size = float(found["after_size"] or found["size"])
    return -size if "-" in (found["before"], found["after"]) else size
