"""The properties that candidates are filtered, queried and ranked by: one name, one unit, one direction each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Interval = tuple[float, float]


class PropertyDefinition(BaseModel):
    """What a property is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name in documents, with its unit")
    label: str = Field(description="name for tables and figures, with its unit")
    unit: str = Field(description="unit as pint would read it; empty for a pure number")
    better: Literal["higher", "lower", "neither"] = Field(description="which end of the scale is wanted")
    logarithmic: bool = Field(default=False, description="whether errors are even on a logarithmic scale")
    description: str = Field(description="one sentence")


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


def _defined(*definitions: PropertyDefinition) -> Mapping[str, PropertyDefinition]:
    return {definition.name: definition for definition in definitions}


PROPERTIES: Mapping[str, PropertyDefinition] = _defined(
    PropertyDefinition(
        name="sigma_300k_ms_cm",
        label="σ(300 K) / mS cm⁻¹",
        unit="mS/cm",
        better="higher",
        logarithmic=True,
        description="ionic conductivity at 300 K, extrapolated by Arrhenius' law",
    ),
    PropertyDefinition(
        name="greatest_sigma_300k_ms_cm",
        label="greatest σ(300 K) / mS cm⁻¹",
        unit="mS/cm",
        better="higher",
        logarithmic=True,
        description="greatest σ(300 K) that a run at one temperature allows with the smallest barrier thinkable",
    ),
    PropertyDefinition(
        name="activation_energy_ev",
        label="activation energy / eV",
        unit="eV",
        better="lower",
        description="activation energy of the ionic conductivity",
    ),
    PropertyDefinition(
        name="probe_diffusivity_cm2_s",
        label="D at the probe's temperature / cm² s⁻¹",
        unit="cm**2/s",
        better="higher",
        logarithmic=True,
        description="tracer diffusivity at the temperature of the probe",
    ),
    PropertyDefinition(
        name="energy_above_hull_ev_per_atom",
        label="energy above hull / eV atom⁻¹",
        unit="eV/atom",
        better="lower",
        description="energy above the convex hull of the competing phases, by the same potential",
    ),
    PropertyDefinition(
        name="reduction_limit_v",
        label="reduction limit / V",
        unit="V",
        better="lower",
        description="lowest voltage against the mobile metal at which the phase does not decompose",
    ),
    PropertyDefinition(
        name="oxidation_limit_v",
        label="oxidation limit / V",
        unit="V",
        better="higher",
        description="highest voltage against the mobile metal at which the phase does not decompose",
    ),
    PropertyDefinition(
        name="electrochemical_window_v",
        label="electrochemical window / V",
        unit="V",
        better="higher",
        description="oxidation limit minus reduction limit",
    ),
    PropertyDefinition(
        name="percolation_barrier_1d_ev",
        label="1D bond-valence barrier / eV",
        unit="eV",
        better="lower",
        description="lowest bond-valence site energy barrier of a path that crosses the crystal along one direction",
    ),
    PropertyDefinition(
        name="percolation_barrier_2d_ev",
        label="2D bond-valence barrier / eV",
        unit="eV",
        better="lower",
        description="lowest bond-valence site energy barrier of paths along two directions",
    ),
    PropertyDefinition(
        name="percolation_barrier_3d_ev",
        label="3D bond-valence barrier / eV",
        unit="eV",
        better="lower",
        description="lowest bond-valence site energy barrier of paths along three directions",
    ),
    PropertyDefinition(
        name="volume_change_percent",
        label="volume change / %",
        unit="percent",
        better="neither",
        description="change of the volume in relaxation",
    ),
    PropertyDefinition(
        name="energy_ev_per_atom",
        label="energy / eV atom⁻¹",
        unit="eV/atom",
        better="neither",
        description="potential energy of the relaxed cell; only orderings of one composition compare",
    ),
    PropertyDefinition(
        name="mean_atomic_mass_amu",
        label="mean atomic mass / u",
        unit="amu",
        better="lower",
        description="mean mass of an atom",
    ),
    PropertyDefinition(
        name="element_cost_usd_per_kg",
        label="cost of elements / USD kg⁻¹",
        unit="USD/kg",
        better="lower",
        description="cost of the elements in one kilogram, by a shipped table of prices",
    ),
    PropertyDefinition(
        name="mobile_ion_density_per_angstrom3",
        label="density of mobile ions / Å⁻³",
        unit="1/angstrom**3",
        better="higher",
        description="number of mobile ions per volume",
    ),
)
"""All properties by name."""
