"""What the elements of a compound cost, by a shipped table of prices."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .. import configs
from .properties import PropertyEstimate

PRICE_TABLE = Path(configs.__file__).parent / "element_prices.yaml"
"""The shipped table."""


class ElementPrice(BaseModel):
    """The price of one element."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    price: float = Field(gt=0.0, description="price in USD per kilogram of the element")
    year: int = Field(description="year that it holds for")
    source: str = Field(description="who published it; the table spells it out")


@cache
def element_prices() -> Mapping[str, ElementPrice]:
    """Load the shipped prices.

    Returns
    -------
    mapping of str to ElementPrice
        By element symbol; elements that are not traded are not there.

    Examples
    --------
    >>> element_prices()["Li"].source
    'SMM'
    """
    import yaml

    table = yaml.safe_load(PRICE_TABLE.read_text(encoding="utf-8"))
    return {symbol: ElementPrice(**entry) for symbol, entry in table["prices_usd_per_kg"].items()}


def element_cost(composition: Any) -> PropertyEstimate | None:
    """Add up what the elements in one kilogram of a compound cost.

    Prices hold within a factor of two or so; no error is given, for none is known.

    Parameters
    ----------
    composition : pymatgen Composition or str
        The compound.

    Returns
    -------
    PropertyEstimate or None
        In USD/kg; a lower bound where a price is missing; None where all are.

    Examples
    --------
    >>> round(element_cost("Li6PS5Cl").value, 1)
    13.3
    >>> element_cost("LiPm").bound
    'lower'
    """
    from pymatgen.core import Composition

    composition = Composition(composition)
    prices = element_prices()
    priced: dict[str, float] = {}
    missing = []
    for element in composition.elements:
        symbol = getattr(element, "symbol", str(element))
        if symbol in prices:
            priced[symbol] = prices[symbol].price * composition.get_wt_fraction(element)
        else:
            missing.append(symbol)
    if not priced:
        return None
    cost = sum(priced.values())
    if missing:
        return PropertyEstimate(bound="lower", limit=cost, note=f"no price is known of {', '.join(sorted(missing))}")
    years = sorted(prices[symbol].year for symbol in priced)
    when = f"{years[0]}" if years[0] == years[-1] else f"{years[0]} to {years[-1]}"
    return PropertyEstimate(value=cost, note=f"prices of {when}; those of elements move by factors")
