"""Ensembles and thermostats: which settings of a protocol shape which of them, whichever engine integrates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ProtocolError
from .protocol import MdProtocol

LANGEVIN_FRICTION_LIMIT_PER_PS = 1.0
"""Friction in 1/ps above which a Langevin run is flagged; `langevin_flag` gives the reason."""

ENSEMBLES: dict[str, tuple[str, ...]] = {
    "nve": (),
    "nvt/bussi": ("thermostat_time_fs",),
    "nvt/nose_hoover_chain": ("thermostat_time_fs",),
    "nvt/langevin": ("friction_per_ps",),
    "npt": ("thermostat_time_fs", "barostat_time_fs", "pressure_gpa"),
}
"""Fields of `MdProtocol` that shape the dynamics of each; they enter the identity of a trajectory."""


def integrator_name(protocol: MdProtocol) -> str:
    """Name of the protocol's ensemble and, where it has a choice of them, thermostat.

    Parameters
    ----------
    protocol : MdProtocol
        The settings of the run.

    Returns
    -------
    str
        ``ensemble`` or ``ensemble/thermostat``, a key of `ENSEMBLES`.

    Raises
    ------
    ProtocolError
        If there is no such combination.

    Examples
    --------
    >>> integrator_name(MdProtocol(temperature_k=600))
    'nvt/bussi'
    """
    name = protocol.ensemble if protocol.ensemble in ENSEMBLES else f"{protocol.ensemble}/{protocol.thermostat}"
    if name not in ENSEMBLES:
        raise ProtocolError(f"There is no integrator '{name}': choose one of {', '.join(ENSEMBLES)}.")
    return name


def integrator_parameters(protocol: MdProtocol) -> dict[str, Any]:
    """Collect those settings that shape the dynamics of the protocol's integrator.

    Parameters
    ----------
    protocol : MdProtocol
        The settings of the run.

    Returns
    -------
    dict
        Field names and values.
    """
    return {name: getattr(protocol, name) for name in ENSEMBLES[integrator_name(protocol)]}


def langevin_flag(protocol: MdProtocol) -> str | None:
    """Say when the friction of a Langevin thermostat distorts the transport that is measured.

    Beyond weak damping a friction γ lowers the rate of barrier crossing by the factor
    √(1 + (γ/2ω)²) - γ/2ω, where ω is the angular frequency of the barrier [1]_ [2]_. Barriers of ionic
    conductors have ω of 2π times 1 to 5 THz, so 1/ps costs at most 8 % and 10/ps up to a half.

    Parameters
    ----------
    protocol : MdProtocol
        The settings of the run.

    Returns
    -------
    str or None
        A sentence for the reader of the results, or None where nothing is distorted.

    References
    ----------
    .. [1] H. A. Kramers, Physica 7, 284 (1940), DOI 10.1016/S0031-8914(40)90098-2.
    .. [2] P. Hänggi, P. Talkner & M. Borkovec, Rev. Mod. Phys. 62, 251 (1990),
       DOI 10.1103/RevModPhys.62.251.

    Examples
    --------
    >>> langevin_flag(MdProtocol(temperature_k=600, thermostat="langevin", friction_per_ps=0.5)) is None
    True
    """
    if integrator_name(protocol) != "nvt/langevin" or protocol.friction_per_ps <= LANGEVIN_FRICTION_LIMIT_PER_PS:
        return None
    angular_frequency_per_ps = 2 * np.pi * 1.0
    damping = protocol.friction_per_ps / (2 * angular_frequency_per_ps)
    factor = np.sqrt(1 + damping**2) - damping
    return (
        f"Langevin friction of {protocol.friction_per_ps:g}/ps is above {LANGEVIN_FRICTION_LIMIT_PER_PS:g}/ps and "
        f"slows diffusion (Kramers: hops over a soft, 1 THz barrier come down to {100 * factor:.0f} % of their rate): "
        "the diffusivity is a lower estimate."
    )
