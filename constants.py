"""Physical constants (CODATA 2018, exact since the 2019 SI) and the unit conversions built on them."""

from __future__ import annotations

BOLTZMANN_EV_PER_K = 8.617333262e-5
"""Boltzmann constant in eV/K."""

ELEMENTARY_CHARGE_C = 1.602176634e-19
"""Elementary charge in C."""

BOLTZMANN_J_PER_K = 1.380649e-23
"""Boltzmann constant in J/K."""

GPA_FROM_EV_PER_ANGSTROM3 = 160.21766208
"""1 eV/Å³ in GPa, in the digits that ASE uses."""

CM2_PER_S_FROM_ANGSTROM2_PER_PS = 1.0e-4
"""1 Å²/ps is 1e-4 cm²/s."""

ROOM_TEMPERATURE_K = 300.0
"""The temperature to which conductivities are extrapolated, in K."""
