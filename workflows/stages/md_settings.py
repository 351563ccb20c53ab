"""The settings that all stages with molecular dynamics share."""

from __future__ import annotations

from pydantic import Field

from ...dynamics.protocol import MdSettings, RunLimits
from ...transport.analysis import DiffusionSettings
from .stage import StageSettings


class MdStageSettings(StageSettings):
    """Cell, length and protocol of the molecular dynamics of a stage."""

    minimum_edge_angstrom: float = Field(
        default=12.0, ge=0, description="least distance between opposite faces of the simulated cell in Å"
    )
    maximum_atoms: int = Field(default=1000, gt=0, description="the most atoms of the simulated cell")
    duration_ps: float = Field(default=50.0, gt=0, description="greatest length of a trajectory in ps")
    minimum_ps: float = Field(default=5.0, ge=0, description="length before which nothing ends a trajectory, in ps")
    segment_ps: float = Field(
        default=2.0, gt=0, description="length of one segment in ps; stop rules are asked after each"
    )
    target_relative_error: float | None = Field(
        default=0.25, gt=0, description="relative error of D at which a trajectory ends as converged; null: never"
    )
    target_sigma_300k_ms_cm: float | None = Field(
        default=1.0,
        gt=0,
        description="σ(300 K) in mS/cm that is of interest: a trajectory that shows it cannot be reached ends early; "
        "null: never",
    )
    minimum_barrier_ev: float = Field(
        default=0.10, ge=0, description="smallest activation energy thinkable in eV, to extrapolate an upper bound"
    )
    md: MdSettings = Field(default_factory=MdSettings, description="thermostat, time step, frame interval, seed")
    analysis: DiffusionSettings = Field(default_factory=DiffusionSettings, description="how trajectories are analysed")

    def run_limits(self) -> RunLimits:
        """Give the limits of each trajectory.

        Returns
        -------
        RunLimits
            As the engine takes them.
        """
        return RunLimits(duration_ps=self.duration_ps, minimum_ps=self.minimum_ps, segment_ps=self.segment_ps)
