"""The settings that all stages with molecular dynamics share."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator
from pymatgen.core import Structure

from ...dynamics.engines.registry import md_engine_class
from ...dynamics.protocol import DEFAULT_ENGINE, MdSettings, RunLimits
from ...errors import ProtocolError
from ...makers.supercell import SupercellMaker
from ...runtime.stop_criteria import StopCriteria
from ...structures.supercell import expand_to_minimum_edge
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

    def identity(self) -> dict[str, Any]:
        """Say what of the settings is part of a result's key.

        Returns
        -------
        dict
            All of them, but the MD engine only where it is not the default one: results from before there was a choice
            keep their keys.
        """
        parts = super().identity()
        if self.md.engine == DEFAULT_ENGINE:
            del parts["md"]["engine"]
        return parts

    @field_validator("md")
    @classmethod
    def _know_the_engine(cls, md: MdSettings) -> MdSettings:
        """Refuse an engine that no installed package registers: no unit could be made."""
        try:
            md_engine_class(md.engine)
        except ProtocolError as error:
            raise ValueError(str(error)) from None
        return md

    def run_limits(self) -> RunLimits:
        """Give the limits of each trajectory.

        Returns
        -------
        RunLimits
            As the engine takes them.
        """
        return RunLimits(duration_ps=self.duration_ps, minimum_ps=self.minimum_ps, segment_ps=self.segment_ps)

    def stop_criteria(self) -> StopCriteria:
        """Give what ends a trajectory before its greatest length.

        Returns
        -------
        StopCriteria
            As the MD Maker takes them.
        """
        return StopCriteria(
            target_relative_error=self.target_relative_error,
            target_sigma_300k_ms_cm=self.target_sigma_300k_ms_cm,
            minimum_barrier_ev=self.minimum_barrier_ev,
        )

    def supercell_maker(self) -> SupercellMaker:
        """Give the Maker of the simulated cell.

        Returns
        -------
        SupercellMaker
            With the least edge and the most atoms of these settings.
        """
        return SupercellMaker(minimum_edge_angstrom=self.minimum_edge_angstrom, maximum_atoms=self.maximum_atoms)

    def simulated_cell(self, structure: Structure) -> Structure:
        """Repeat a structure to the cell that is simulated.

        Parameters
        ----------
        structure : Structure
            Ordered structure.

        Returns
        -------
        Structure
            Its supercell.

        Raises
        ------
        StructureError
            If the least edge needs more than the most atoms.
        """
        return expand_to_minimum_edge(structure, self.minimum_edge_angstrom, self.maximum_atoms)
