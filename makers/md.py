"""One trajectory: a temperature and a replica."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from jobflow import Response

from ..database.documents import CandidateDoc, TrajectoryDoc
from ..dynamics.protocol import MdSettings, RunLimits
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..runtime.atoms import as_structure, ase_atoms
from ..runtime.continuation import CheckpointPlace
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.stop_criteria import StopCriteria
from ..runtime.stop_rules import AdaptiveLength, melting_check
from ..runtime.timed_job import job
from ..runtime.trajectory_job import WantedTrajectory, run_trajectory
from ..transport.analysis import DiffusionSettings


@dataclass
class MdMaker(Maker):
    """Run one trajectory until it has converged, is ruled out, fails, or is as long as allowed.

    A job stopped by a signal or by its wall time replaces itself with its continuation.

    Parameters
    ----------
    name : str
        First part of the job's name; the temperature follows.
    potential : PotentialSpecification, str, dict or None
        The potential, also as "name", "name:model" or its fields; None for the flow's, or the default one outside a
        flow.
    protocol : MdSettings
        Ensemble, thermostat, time step, seed: what the trajectory is.
    limits : RunLimits
        How long it goes on and how it is written.
    stop : StopCriteria
        When it may end early.
    analysis : DiffusionSettings or None
        How it is analysed to decide that; None for the flow's.
    checkpoint_root : str or None
        Folder of all trajectories; None for the flow's.
    """

    resource_kind: ClassVar[str] = "md"

    name: str = "MD"
    potential: PotentialSpecification | None = None
    protocol: MdSettings = field(default_factory=MdSettings)
    limits: RunLimits = field(default_factory=RunLimits)
    stop: StopCriteria = field(default_factory=StopCriteria)
    analysis: DiffusionSettings | None = None
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the potential by name, too."""
        if self.potential is not None:
            self.potential = potential_specification(self.potential)

    def trajectory(self, candidate: CandidateDoc, temperature_k: float, replica: int) -> WantedTrajectory:
        """Say what one trajectory is and what may end it.

        Parameters
        ----------
        candidate : CandidateDoc
            The material, in the cell to simulate.
        temperature_k : float
            Temperature in K.
        replica : int
            Index of the independent run.

        Returns
        -------
        WantedTrajectory
            For a job that runs it, alone or with others.
        """
        structure = as_structure(candidate.structure)
        rule = AdaptiveLength(
            structure, candidate.mobile_ion, candidate.ion_charge, self.stop, self.analysis or DiffusionSettings()
        )
        return WantedTrajectory(
            structure,
            self.protocol.at(temperature_k, replica),
            stop_rules=[rule],
            health_checks=[melting_check(structure, candidate.mobile_ion)],
        )

    @job(output_schema=TrajectoryDoc)
    def make(
        self,
        candidate: CandidateDoc,
        temperature_k: float,
        replica: int = 0,
        continues: CheckpointPlace | None = None,
    ) -> TrajectoryDoc | Response:
        """Run one trajectory.

        Parameters
        ----------
        candidate : CandidateDoc
            The material, in the cell to simulate.
        temperature_k : float
            Temperature in K.
        replica : int
            Index of the independent run.
        continues : CheckpointPlace or None
            Where the job that this one replaces, or a pack ahead of it, left the trajectory; None for a job that may be
            the first.

        Returns
        -------
        TrajectoryDoc or Response
            How it ended; with the continuation that replaces this job where it was interrupted.
        """
        potential = load_potential(self.potential or PotentialSpecification())
        wanted = self.trajectory(candidate, temperature_k, replica)
        result = run_trajectory(wanted, potential, self.limits, self.checkpoint_root, continues=continues)
        document = TrajectoryDoc(
            formula=candidate.formula,
            label=candidate.label,
            provenance=job_provenance(wanted.structure, potential.provenance, [wanted.protocol.seed]),
            notes=potential.cautions(ase_atoms(wanted.structure), temperature_k),
            mobile_ion=candidate.mobile_ion,
            ion_charge=candidate.ion_charge,
            protocol=wanted.protocol,
            run=result,
        )
        if result.state == "partial":
            continuation = self.make(candidate, temperature_k, replica, CheckpointPlace.of(result))
            return Response(output=document, replace=continuation)
        return document
