"""The stage that finds bond-valence barriers, in seconds and without a potential."""

from __future__ import annotations

from jobflow import Flow
from pydantic import Field
from pymatgen.core import Structure

from ...errors import SettingsError
from ...makers.stage_percolation import PercolationStageMaker
from ...structures.bond_valence import check_bond_valence_library
from .assembly import assemble, candidate_of, identity_of
from .stage import Stage, StageContext, StageSettings


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
