"""From diffusivities to conductivities by the fluctuation-dissipation theorem."""

from __future__ import annotations

from typing import Literal

from ..constants import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C
from .results import ConductivityEstimate, DiffusivityEstimate

_CM3_PER_ANGSTROM3 = 1e-24
_MS_PER_S = 1e3


def conductivity_per_diffusivity(
    n_ions: int, ion_charge: float, volume_angstrom3: float, temperature_k: float
) -> float:
    """Conductivity that one cm²/s of diffusivity gives, n z² e² / (V k T).

    Parameters
    ----------
    n_ions : int
        Mobile ions in the cell.
    ion_charge : float
        Formal charge in elementary charges.
    volume_angstrom3 : float
        Cell volume in Å³.
    temperature_k : float
        Temperature in K.

    Returns
    -------
    float
        Conversion factor in (mS/cm) / (cm²/s).

    Examples
    --------
    A lithium garnet with 56 Li in a cube of 12.98 Å and D = 6.8075e-9 cm²/s at 300 K, in mS/cm:

    >>> round(6.8075e-9 * conductivity_per_diffusivity(56, 1, 12.98**3, 300.0), 4)
    1.0804
    """
    density_per_cm3 = n_ions / (volume_angstrom3 * _CM3_PER_ANGSTROM3)
    squared_charge = (ion_charge * ELEMENTARY_CHARGE_C) ** 2
    return density_per_cm3 * squared_charge / (BOLTZMANN_J_PER_K * temperature_k) * _MS_PER_S


def conductivity_from_diffusivity(
    estimate: DiffusivityEstimate,
    *,
    n_ions: int,
    ion_charge: float,
    volume_angstrom3: float,
    temperature_k: float,
) -> ConductivityEstimate:
    """Turn a diffusivity with intervals into a conductivity with intervals.

    Parameters
    ----------
    estimate : DiffusivityEstimate
        Tracer diffusivity for the Nernst-Einstein, charge diffusivity for the collective conductivity.
    n_ions : int
        Mobile ions in the cell.
    ion_charge : float
        Formal charge in elementary charges.
    volume_angstrom3 : float
        Cell volume in Å³.
    temperature_k : float
        Temperature in K.

    Returns
    -------
    ConductivityEstimate
        Conductivity in mS/cm; the volume and temperature count as exact.
    """
    factor = conductivity_per_diffusivity(n_ions, ion_charge, volume_angstrom3, temperature_k)
    kind: Literal["nernst_einstein", "collective"] = "nernst_einstein" if estimate.kind == "tracer" else "collective"

    def scaled(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if bounds is None else (bounds[0] * factor, bounds[1] * factor)

    return ConductivityEstimate(
        kind=kind,
        temperature_k=temperature_k,
        value_ms_cm=None if estimate.value_cm2_s is None else estimate.value_cm2_s * factor,
        interval_68_ms_cm=scaled(estimate.interval_68_cm2_s),
        interval_95_ms_cm=scaled(estimate.interval_95_cm2_s),
        upper_bound_95_ms_cm=None if estimate.upper_bound_95_cm2_s is None else estimate.upper_bound_95_cm2_s * factor,
    )
