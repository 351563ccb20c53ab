"""The stage that finds bond-valence barriers, in seconds and without a potential."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jobflow import Flow
from pydantic import Field
from pymatgen.core import Structure

from ...database.documents import CandidateDoc, StageDoc
from ...errors import SettingsError, StructureError
from ...runtime.atoms import as_structure
from ...runtime.maker import Maker
from ...runtime.timed_job import job
from ...structures.bond_valence import check_bond_valence_library, percolation_barriers
from .assembly import assemble, candidate_of, identity_of
from .stage import Stage, StageContext, StageSettings
from .stage_document import StageIdentity, bounded, estimate, stage_document


class PercolationSettings(StageSettings):
    """How finely the field is computed, and how far paths are sought."""

    resolution_angstrom: float = Field(default=0.2, ge=0.05, description="greatest distance between grid points in Å")
    greatest_barrier_ev: float = Field(default=5.0, gt=0, description="height in eV beyond which no path is sought")


class PercolationStage(Stage):
    """Bond-valence site energy barriers of the mobile ion in one, two and three dimensions."""

    name = "percolation"
    description = "bond-valence site energy barriers in one, two and three dimensions"
    settings_model = PercolationSettings
    properties = ("percolation_barrier_1d_ev", "percolation_barrier_2d_ev", "percolation_barrier_3d_ev")
    uses_potential = False

    def make(self, structure: Structure, settings: PercolationSettings, context: StageContext) -> Flow:
        """Build the one job of this stage.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : PercolationSettings
            Resolution and reach.
        context : StageContext
            Ion and names.

        Returns
        -------
        Flow
            Its output is a `StageDoc`.

        Raises
        ------
        SettingsError
            If bvlain is not installed.
        """
        check_bond_valence_library()
        identity = identity_of(self, structure, settings, context)
        maker = PercolationStageMaker(
            resolution_angstrom=settings.resolution_angstrom, greatest_barrier_ev=settings.greatest_barrier_ev
        )
        return assemble(identity, [], maker.make(identity, candidate_of(structure, context)), context)

    def problems_here(self, settings: PercolationSettings) -> list[str]:
        """Say whether bvlain is missing.

        Parameters
        ----------
        settings : PercolationSettings
            Resolution and reach.

        Returns
        -------
        list of str
            One sentence, or none.
        """
        try:
            check_bond_valence_library()
        except SettingsError as error:
            return [str(error)]
        return []


_NOTE = "bond-valence energies sort crystals; they are no activation energies"


@dataclass
class PercolationStageMaker(Maker):
    """Find the bond-valence barriers of the mobile ion.

    Parameters
    ----------
    name : str
        Name of the job.
    resolution_angstrom : float
        Greatest distance between grid points in Å.
    greatest_barrier_ev : float
        Height in eV beyond which no path is sought.
    """

    name: str = "percolation"
    resolution_angstrom: float = 0.2
    greatest_barrier_ev: float = 5.0

    @job(output_schema=StageDoc)
    def make(self, identity: StageIdentity, candidate: CandidateDoc) -> StageDoc:
        """Find the barriers of one structure.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure.

        Returns
        -------
        StageDoc
            Barriers in one, two and three dimensions; none where there are no parameters for its ions.
        """
        try:
            barriers = percolation_barriers(
                as_structure(candidate.structure),
                candidate.mobile_ion,
                candidate.ion_charge,
                resolution_angstrom=self.resolution_angstrom,
                greatest_barrier_ev=self.greatest_barrier_ev,
            )
        except StructureError as error:
            # No table knows these ions: that speaks against the table, not against the crystal.
            return stage_document(identity, candidate, notes=[f"no bond-valence barriers: {error}"])
        heights = {
            "percolation_barrier_1d_ev": barriers.one_dimensional_ev,
            "percolation_barrier_2d_ev": barriers.two_dimensional_ev,
            "percolation_barrier_3d_ev": barriers.three_dimensional_ev,
        }
        properties = {
            name: estimate(height, note=_NOTE)
            if math.isfinite(height)
            else bounded("lower", self.greatest_barrier_ev, "no path below this height")
            for name, height in heights.items()
        }
        details = {"grid": list(barriers.grid), "oxidation_states": barriers.oxidation_states}
        return stage_document(identity, candidate, properties=properties, details=details)
