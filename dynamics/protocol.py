"""The settings of one molecular-dynamics run: what it is (identity) and how long it goes on (limits)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import ProtocolError

Thermostat = Literal["bussi", "nose_hoover_chain", "langevin"]

DEFAULT_ENGINE = "ase"
"""MD engine of protocols that name none, and of all trajectories from before there were others."""


class MdSettings(BaseModel):
    """The part of a protocol that all temperatures and replicas of a flow share.

    Examples
    --------
    >>> MdSettings(time_step_fs=1.0).at(temperature_k=600, replica=2).time_step_fs
    1.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    ensemble: Literal["nvt", "nve", "npt"] = Field(default="nvt", description="statistical ensemble")
    thermostat: Thermostat = Field(default="bussi", description="thermostat of NVT runs")
    thermostat_time_fs: float = Field(
        default=100.0, gt=0, description="relaxation time of the Bussi and Nosé-Hoover thermostats, in fs"
    )
    friction_per_ps: float = Field(
        default=1.0,
        gt=0,
        description="friction of the Langevin thermostat in 1/ps; high friction slows diffusion",
    )
    pressure_gpa: float = Field(default=0.0, description="target pressure of NPT runs in GPa")
    barostat_time_fs: float = Field(default=1000.0, gt=0, description="relaxation time of the barostat in fs")
    time_step_fs: float | None = Field(
        default=None, gt=0, description="time step in fs; None chooses it from the lightest element"
    )
    frame_interval_fs: float = Field(default=20.0, gt=0, description="time between stored frames in fs")
    seed: int = Field(default=42, ge=0, description="seed of velocities and thermostat noise")
    engine: str = Field(
        default=DEFAULT_ENGINE,
        description="MD engine that integrates: ase, or one that another package registers; each gives trajectories "
        "of its own",
    )

    def at(self, temperature_k: float, replica: int = 0) -> MdProtocol:
        """Give the protocol of one trajectory.

        Parameters
        ----------
        temperature_k : float
            Target temperature in K.
        replica : int
            Index of the independent run.

        Returns
        -------
        MdProtocol
            These settings at that temperature, for that replica.
        """
        fields = {name: getattr(self, name) for name in MdSettings.model_fields}
        return MdProtocol(**fields, temperature_k=temperature_k, replica=replica)


class MdProtocol(MdSettings):
    """What makes a trajectory what it is; enters its identity.

    Examples
    --------
    >>> MdProtocol(temperature_k=600).thermostat
    'bussi'
    """

    temperature_k: float = Field(gt=0, description="target temperature in K")
    replica: int = Field(default=0, ge=0, description="index of the independent run; changes the random stream")


class RunLimits(BaseModel):
    """How long a run goes on and how it is written; never part of its identity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    duration_ps: float = Field(default=100.0, gt=0, description="maximum length of the trajectory in ps")
    minimum_ps: float = Field(default=0.0, ge=0, description="length before which no stop rule may end the run, in ps")
    segment_ps: float = Field(default=2.0, gt=0, description="length of one segment file and checkpoint, in ps")
    max_runtime_s: float | None = Field(
        default=None, gt=0, description="wall time in s after which the run stops cleanly as partial"
    )
    store_velocities: bool = Field(default=False, description="also write velocities into the segments")
    compression: Literal["none", "gzip", "lzf"] = Field(default="gzip", description="compression of the segments")


def _one_sentence(what: str, error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or what
    reason = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "extra_forbidden":
        return f"The {what} has no setting '{name}': remove it or correct its name."
    if first["type"] == "missing":
        return f"The {what} needs the setting '{name}': give it."
    return f"The {what} setting {name} = {first['input']!r} makes no sense: {reason}."


def make_protocol(**settings: Any) -> MdProtocol:
    """Build a protocol, with one clear sentence where a setting makes no sense.

    Parameters
    ----------
    **settings
        Fields of `MdProtocol`.

    Returns
    -------
    MdProtocol
        The checked settings.

    Raises
    ------
    ProtocolError
        Naming the first setting that is wrong, and why.

    Examples
    --------
    >>> make_protocol(temperature_k=600, ensemble="npt").pressure_gpa
    0.0
    """
    try:
        return MdProtocol(**settings)
    except ValidationError as error:
        raise ProtocolError(_one_sentence("MD protocol", error)) from error


def make_limits(**settings: Any) -> RunLimits:
    """Build run limits, with one clear sentence where a setting makes no sense.

    Parameters
    ----------
    **settings
        Fields of `RunLimits`.

    Returns
    -------
    RunLimits
        The checked settings.

    Raises
    ------
    ProtocolError
        Naming the first setting that is wrong, and why.

    Examples
    --------
    >>> make_limits(duration_ps=4).segment_ps
    2.0
    """
    try:
        return RunLimits(**settings)
    except ValidationError as error:
        raise ProtocolError(_one_sentence("MD limits", error)) from error
