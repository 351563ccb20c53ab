"""The cell at a temperature, from constant-pressure dynamics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from jobflow import Response
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Lattice, Structure

from ..database.documents import CandidateDoc
from ..dynamics.protocol import MdSettings, RunLimits
from ..dynamics.trajectory import Trajectory
from ..errors import AnalysisError
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..runtime.atoms import as_structure
from ..runtime.continuation import CheckpointPlace
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.stop_rules import melting_check
from ..runtime.timed_job import job
from ..runtime.trajectory_job import WantedTrajectory, run_trajectory


class VolumeSettings(BaseModel):
    """How the mean cell is taken from a constant-pressure run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    equilibration_fraction: float = Field(
        default=0.4, ge=0, lt=1, description="part of the run that is left out at its start"
    )


@dataclass
class VolumeMaker(Maker):
    """Find the mean cell at a temperature by NPT dynamics; production then runs at that cell.

    Parameters
    ----------
    name : str
        First part of the job's name; the temperature follows.
    potential : PotentialSpecification, str, dict or None
        The potential, also as "name", "name:model" or its fields; None for the flow's, or the default one outside a
        flow.
    protocol : MdSettings
        Barostat, thermostat, time step, seed.
    limits : RunLimits
        How long the run is.
    average : VolumeSettings
        How the mean is taken.
    checkpoint_root : str or None
        Folder of all trajectories; None for the flow's.
    """

    resource_kind: ClassVar[str] = "md"

    name: str = "volume"
    potential: PotentialSpecification | None = None
    protocol: MdSettings = field(default_factory=lambda: MdSettings(ensemble="npt"))
    limits: RunLimits = field(default_factory=lambda: RunLimits(duration_ps=10.0))
    average: VolumeSettings = field(default_factory=VolumeSettings)
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the potential by name, too."""
        if self.potential is not None:
            self.potential = potential_specification(self.potential)

    @job(output_schema=CandidateDoc)
    def make(
        self, candidate: CandidateDoc, temperature_k: float, continues: CheckpointPlace | None = None
    ) -> CandidateDoc | Response:
        """Find the cell at one temperature.

        Parameters
        ----------
        candidate : CandidateDoc
            The material.
        temperature_k : float
            Temperature in K.
        continues : CheckpointPlace or None
            The checkpoint of the job that this one replaces; None for a job that may be the first.

        Returns
        -------
        CandidateDoc or Response
            The material in its mean cell; with the continuation that replaces this job where it was interrupted.

        Raises
        ------
        AnalysisError
            If the crystal melts or its volume collapses.
        """
        structure = as_structure(candidate.structure)
        potential = load_potential(self.potential or PotentialSpecification())
        protocol = self.protocol.at(temperature_k)
        wanted = WantedTrajectory(structure, protocol, health_checks=[melting_check(structure, candidate.mobile_ion)])
        result = run_trajectory(wanted, potential, self.limits, self.checkpoint_root, continues=continues)
        if result.state == "partial":
            return Response(output=None, replace=self.make(candidate, temperature_k, CheckpointPlace.of(result)))
        if result.state == "failed":
            raise AnalysisError(f"No volume at {temperature_k:g} K: {result.message}")
        cells = Trajectory(result.folder).cells()
        kept = cells[int(self.average.equilibration_fraction * len(cells)) :]
        scaled = Structure(Lattice(kept.mean(axis=0)), structure.species, structure.frac_coords)
        volumes = np.abs(np.linalg.det(kept))
        note = (
            f"cell at {temperature_k:g} K: volume {volumes.mean() / structure.volume - 1.0:+.1%} against the relaxed "
            f"one (fluctuating by {volumes.std() / volumes.mean():.1%}), from {result.completed_ps:g} ps of NPT"
        )
        return candidate.model_copy(
            update={
                "structure": scaled.as_dict(),
                "notes": [*candidate.notes, note],
                "provenance": job_provenance(scaled, potential.provenance, [protocol.seed]),
                "extra": candidate.extra | {"volume_trajectory_key": result.key, "volume_temperature_k": temperature_k},
            }
        )
