"""The property that this package adds; it imports nothing but the class of definitions."""

from __future__ import annotations

from superion.database.properties import PropertyDefinition

VOLUME_STRAIN = PropertyDefinition(
    name="volume_strain_percent",
    label="volume strain / %",
    unit="percent",
    better="lower",
    description="size of the change in volume per framework atom between two states of charge",
    position=200,
    query_heading="strain / %",
    indexed="stores",
)
