"""The properties that candidates are filtered, queried and ranked by: one name, one unit, one direction each.

superion's own and those of other packages are entry points of one group, `superion.properties`; each names an object
of `PropertyDefinition`. A file that defines some imports nothing else of superion, for it is read early.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..errors import SettingsError
from ..plugins import BrokenPluginWarning, ObjectGroup

Interval = tuple[float, float]


class PropertyDefinition(BaseModel):
    """What a property is, and what is done with it unless a user says otherwise.

    Examples
    --------
    >>> PropertyDefinition(
    ...     name="work_of_adhesion_j_m2",
    ...     label="work of adhesion / J m⁻²",
    ...     unit="J/m**2",
    ...     better="higher",
    ...     indexed="stores",
    ...     description="energy that parting the two sides of an interface takes",
    ... ).is_ranked
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name in documents, with its unit")
    label: str = Field(description="name for tables and figures, with its unit")
    unit: str = Field(description="unit as pint would read it; empty for a pure number")
    better: Literal["higher", "lower", "neither"] = Field(
        description="which end of the scale is wanted; nothing is ranked by a property with neither"
    )
    logarithmic: bool = Field(default=False, description="whether errors are even on a logarithmic scale")
    description: str = Field(description="one sentence")
    position: int = Field(default=1000, description="place in tables and lists, the smallest first; then by name")
    query_heading: str | None = Field(
        default=None, description="heading of its column in `superion query`; None leaves it out of that table"
    )
    query_option: str | None = Field(
        default=None,
        description="option of `superion query` that limits it on its better side, such as --min-sigma; None for none, "
        "as --where does it all",
    )
    indexed: Literal["never", "stores", "campaigns"] = Field(
        default="never",
        description="stores: whole stores are sorted by it with an index; campaigns: the rows of one campaign, too",
    )
    usual_rank: int | None = Field(
        default=None,
        description="place among the properties that a campaign is ranked by where its file names none: the smallest "
        "that is known; None ranks by it only where asked",
    )
    on_usual_front: bool = Field(default=False, description="whether the Pareto front uses it where a file names none")

    @property
    def is_ranked(self) -> bool:
        """Whether one end of the scale is better, so that rows can be ranked by it."""
        return self.better != "neither"


class PropertyEstimate(BaseModel):
    """A number with its uncertainty, or the bound that is all one may claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None = Field(default=None, description="best estimate; None where only a bound is known")
    interval_68: Interval | None = Field(default=None, description="68 % interval; None where none is known")
    interval_95: Interval | None = Field(default=None, description="95 % interval; None where none is known")
    bound: Literal["upper", "lower"] | None = Field(
        default=None, description="upper: the truth is at most `limit`; lower: at least"
    )
    limit: float | None = Field(default=None, description="the bound")
    note: str | None = Field(default=None, description="one sentence on what the number or its error leaves out")

    @model_validator(mode="after")
    def _says_something(self) -> PropertyEstimate:
        if self.value is None and self.limit is None:
            raise ValueError("an estimate needs a value or a bound")
        if (self.bound is None) != (self.limit is None):
            raise ValueError("a bound needs its limit, and a limit its side")
        numbers = [self.value, self.limit, *(self.interval_68 or ()), *(self.interval_95 or ())]
        if any(number is not None and math.isnan(number) for number in numbers):
            raise ValueError("an estimate cannot be NaN")
        return self

    @property
    def range_95(self) -> Interval:
        """Where the truth lies with 95 %; the value itself where no error is known."""
        low, high = (-math.inf, math.inf) if self.value is None else (self.interval_95 or (self.value, self.value))
        if self.bound == "upper" and self.limit is not None:
            return (low, max(low, self.limit) if self.value is None else high)
        if self.bound == "lower" and self.limit is not None:
            return (min(high, self.limit) if self.value is None else low, high)
        return low, high


DEFINITIONS: ObjectGroup[PropertyDefinition] = ObjectGroup("superion.properties", "property", PropertyDefinition)
"""The entry points by which any package registers a definition under the name of its property."""


def _definition(name: str) -> PropertyDefinition:
    definition = DEFINITIONS.load(name)
    if definition.name != name:
        raise SettingsError(
            f"The entry point '{name}' of the group {DEFINITIONS.entry_point_group} defines the property "
            f"'{definition.name}': give both one name in the package that registers it."
        )
    return definition


@cache
def _definitions() -> dict[str, PropertyDefinition]:
    """Load all definitions, in the order of tables."""
    loaded = []
    for name in DEFINITIONS.names():
        try:
            loaded.append(_definition(name))
        except SettingsError as error:
            # The properties of other packages, ours among them, are there all the same.
            warnings.warn(str(error), BrokenPluginWarning, stacklevel=2)
    return {one.name: one for one in sorted(loaded, key=lambda one: (one.position, one.name))}


class _Properties(Mapping[str, PropertyDefinition]):
    """All definitions by name, loaded when they are first asked for."""

    def __getitem__(self, name: str) -> PropertyDefinition:
        return _definitions()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_definitions())

    def __len__(self) -> int:
        return len(_definitions())


PROPERTIES: Mapping[str, PropertyDefinition] = _Properties()
"""All properties by name: superion's own and those of other packages."""
