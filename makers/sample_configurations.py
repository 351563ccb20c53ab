"""Different configurations of a family of materials, for a teacher to label."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jobflow import Response
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from ..database.documents import CandidateDoc
from ..dynamics.frames import trajectory_frames
from ..dynamics.protocol import MdSettings, RunLimits
from ..dynamics.results import MdResult
from ..dynamics.trajectory import Trajectory
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..potentials.training.descriptors import frame_descriptors
from ..potentials.training.distortions import distorted, scaled_to_strain, with_vacancies
from ..potentials.training.farthest_points import farthest_points
from ..potentials.training.records import FrameSet
from ..runtime.atoms import as_structure, ase_atoms
from ..runtime.frame_files import write_frame_set
from ..runtime.maker import Maker
from ..runtime.sampling_settings import SamplingSettings
from ..runtime.stop_rules import melting_check
from ..runtime.timed_job import job
from ..runtime.trajectory_job import WantedTrajectory, run_trajectory

if TYPE_CHECKING:
    from ase import Atoms


@dataclass
class SampleConfigurationsMaker(Maker):
    """Collect configurations: runs of the teacher at several temperatures and volumes, and distorted cells.

    Of all frames, those are taken that differ most (farthest-point choice on descriptors). A job stopped by a signal or
    by its wall time replaces itself with its continuation; runs that are there are not repeated.

    Parameters
    ----------
    name : str
        Name of the job.
    teacher : PotentialSpecification, str, dict or None
        The potential that runs; None for the flow's.
    temperatures_k : tuple of float or None
        Temperatures of the runs in K; None for the flow's lowest and highest, and 1.2 times the highest.
    settings : SamplingSettings
        What is collected.
    protocol : MdSettings
        Ensemble, thermostat, time step, seed of the runs.
    checkpoint_root : str or None
        Folder of trajectories and frames; None for the flow's.
    """

    resource_kind: ClassVar[str] = "md"

    name: str = "sample configurations"
    teacher: PotentialSpecification | None = None
    temperatures_k: tuple[float, ...] | None = None
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    protocol: MdSettings = field(default_factory=MdSettings)
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the teacher by name, too."""
        if self.teacher is not None:
            self.teacher = potential_specification(self.teacher)

    @job(output_schema=FrameSet)
    def make(self, candidates: Sequence[CandidateDoc]) -> FrameSet | Response:
        """Collect the configurations of all materials of a family.

        Parameters
        ----------
        candidates : sequence of CandidateDoc
            The materials, in the cells to sample.

        Returns
        -------
        FrameSet or Response
            Frames without labels; the continuation that replaces this job where it was interrupted.
        """
        began = time.monotonic()
        frames: list[Atoms] = []
        for candidate in candidates:
            frames += self._distorted(candidate)
            for result in self._runs(candidate):
                if result.state == "partial":
                    return Response(output=None, replace=self.make(candidates))
                frames += self._frames_of(result)
        chosen = frames
        if len(frames) > self.settings.n_frames:
            places = farthest_points(frame_descriptors(frames), self.settings.n_frames)
            chosen = [frames[place] for place in sorted(places)]
        return write_frame_set(chosen, self.checkpoint_root, wall_time_s=time.monotonic() - began)

    def _runs(self, candidate: CandidateDoc) -> list[MdResult]:
        """Run the teacher at each temperature, and the hottest run at other volumes, too."""
        if self.settings.duration_ps <= 0 or not self.temperatures_k:
            return []
        potential = load_potential(self.teacher or PotentialSpecification())
        cell = as_structure(candidate.structure)
        runs = [(temperature_k, 0.0) for temperature_k in self.temperatures_k]
        runs += [(max(self.temperatures_k), strain) for strain in self.settings.volume_strains if strain]
        limits = RunLimits(
            duration_ps=self.settings.duration_ps,
            segment_ps=min(1.0, self.settings.duration_ps),
            store_velocities=True,
        )
        results = []
        for temperature_k, strain in runs:
            structure = cell if strain == 0.0 else _strained(cell, strain)
            wanted = WantedTrajectory(
                structure,
                self.protocol.at(temperature_k),
                health_checks=[melting_check(structure, candidate.mobile_ion)],
            )
            results.append(run_trajectory(wanted, potential, limits, self.checkpoint_root))
            if results[-1].state == "partial":
                break
        return results

    def _frames_of(self, result: MdResult) -> list[Atoms]:
        """Take every frame behind the beginning of a run that is not too near the one before."""
        trajectory = Trajectory(result.folder)
        interval = trajectory.frame_interval_ps
        first = min(round(self.settings.skip_ps / interval), max(0, trajectory.n_frames - 1))
        # A trajectory may go on behind what was asked for here: the validation continues those of its temperatures.
        end = min(trajectory.n_frames, round(self.settings.duration_ps / interval) + 1)
        return trajectory_frames(trajectory, range(first, end))

    def _distorted(self, candidate: CandidateDoc) -> list[Atoms]:
        """Strain and shake the cell; every other time around a volume of the runs."""
        settings = self.settings
        generator = np.random.default_rng(settings.seed)
        atoms = ase_atoms(candidate.structure)
        frames = [atoms]
        for number in range(settings.n_distorted + settings.n_with_vacancies):
            start = atoms
            if number >= settings.n_distorted:
                start = with_vacancies(atoms, candidate.mobile_ion, settings.n_vacancies, generator)
            # from nearly at rest to as far as asked for
            scale = settings.displacement_angstrom * (0.2 + 0.8 * generator.random())
            frames.append(
                distorted(
                    start,
                    generator,
                    largest_volume_strain=settings.largest_volume_strain,
                    displacement_angstrom=scale,
                )
            )
        return frames


def _strained(structure: Structure, volume_strain: float) -> Structure:
    scaled = scaled_to_strain(ase_atoms(structure), volume_strain)
    found: Structure = AseAtomsAdaptor.get_structure(scaled)
    return Structure(found.lattice, [site.specie.symbol for site in found], found.frac_coords)
