"""A campaign ready for work: its checked file, with the stages, settings and context that units are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from jobflow import Flow
from pymatgen.core import Structure

from ...database.documents.campaign_record import CampaignRecord
from ...errors import SettingsError
from ...potentials.identity import absolute_paths, potential_identity
from ...structures.mobile_ion import USUAL_CHARGES, parse_ion
from ..stages.registry import load_stage
from ..stages.shared_flow import unit_of_shared
from ..stages.stage import Stage, StageContext, StageSettings, stage_key_of_fingerprint
from .decisions import StageStep
from .file.load import parse_campaign
from .file.model import CampaignFile
from .shared_work import DeclaredFlow


@dataclass(frozen=True)
class PreparedCampaign:
    """A campaign as its stored record describes it.

    Parameters
    ----------
    campaign_id : str
        Name of the campaign.
    file : CampaignFile
        Its checked file.
    checkpoint_root : str or None
        Folder of trajectories and relaxations; None for the project's.
    file_text : str
        The file as it is stored; empty where none is stored yet.
    """

    campaign_id: str
    file: CampaignFile
    checkpoint_root: str | None = None
    file_text: str = ""

    @cached_property
    def stages(self) -> list[tuple[Stage, StageSettings]]:
        """The stages with their settings, in order."""
        return [(load_stage(entry.stage), entry.settings) for entry in self.file.stages]

    @cached_property
    def steps(self) -> list[StageStep]:
        """The stages as decisions see them."""
        return [
            StageStep(
                stage.name,
                entry.rules,
                self._key_maker(index),
                keep_lowest=self.file.ordering.keep_lowest,
            )
            for index, ((stage, _), entry) in enumerate(zip(self.stages, self.file.stages, strict=True))
        ]

    def _key_maker(self, stage_index: int) -> Callable[[str], str]:
        return partial(_key_of, *self.stages[stage_index], self.context(stage_index, ""))

    @cached_property
    def ion(self) -> tuple[str, float]:
        """Element of the mobile ion, and its charge in elementary charges.

        Raises
        ------
        SettingsError
            If the file gives no charge and the element has no usual one.
        """
        symbol, written = parse_ion(self.file.mobile_ion)
        charge = self.file.ion_charge or written or USUAL_CHARGES.get(symbol)
        if charge is None:
            raise SettingsError(
                f"The campaign {self.campaign_id} does not say the charge of its mobile ion {symbol}: give ion_charge "
                f"in its file, or write the ion with its charge such as {symbol}+."
            )
        return symbol, charge

    @cached_property
    def potential_identities(self) -> tuple[dict[str, Any], ...]:
        """What makes the potential of each stage the one it is: found once, so that all units of a run agree."""
        potentials = [self.file.potential_of(entry) for entry in self.file.stages]
        # Weights may be large: those that several stages use are read once.
        known = {
            text: potential_identity(one) for text, one in {one.model_dump_json(): one for one in potentials}.items()
        }
        return tuple(known[potential.model_dump_json()] for potential in potentials)

    def context(self, stage_index: int, label: str) -> StageContext:
        """Say to a stage what the campaign says of it beside its settings.

        Parameters
        ----------
        stage_index : int
            Position of the stage.
        label : str
            Name of the material.

        Returns
        -------
        StageContext
            Potential, ion and names.
        """
        symbol, charge = self.ion
        return StageContext(
            potential=self.file.potential_of(self.file.stages[stage_index]),
            mobile_ion=symbol,
            ion_charge=charge,
            label=label,
            campaign_id=self.campaign_id,
            checkpoint_root=self.checkpoint_root,
            potential_identity=self.potential_identities[stage_index],
        )

    def paths_of(self, stage_index: int) -> list[str]:
        """List the absolute paths that the flows of a stage are given, and that its keys know by their content.

        Parameters
        ----------
        stage_index : int
            Position of the stage.

        Returns
        -------
        list of str
            Paths of the potential, where the stage uses it, and of its settings.
        """
        stage, settings = self.stages[stage_index]
        potential = self.file.potential_of(self.file.stages[stage_index]) if stage.uses_potential else None
        named = {} if potential is None else potential.model_dump(mode="json")
        return absolute_paths([named, settings.model_dump(mode="json")])

    def make_flow(
        self, stage_index: int, structure: Structure, label: str, shared: Mapping[str, Any] | None = None
    ) -> Flow:
        """Make the flow of one unit.

        Parameters
        ----------
        stage_index : int
            Position of the stage.
        structure : Structure
            Ordered structure that it starts from.
        label : str
            Name of the material.
        shared : mapping of str to object or None
            By key, what came of the shared work that the stage declared for the structure.

        Returns
        -------
        Flow
            Its output is a `StageDoc`.
        """
        stage, settings = self.stages[stage_index]
        return stage.make(structure, settings, replace(self.context(stage_index, label), shared=dict(shared or {})))

    def shared_flows(self, stage_index: int, structure: Structure, label: str) -> list[DeclaredFlow]:
        """Ask a stage what it shares.

        Parameters
        ----------
        stage_index : int
            Position of the stage.
        structure : Structure
            Ordered structure that it starts from.
        label : str
            Name of the material.

        Returns
        -------
        list of DeclaredFlow
            What is to be done before the flow of the unit is made.
        """
        stage, settings = self.stages[stage_index]
        paths = tuple(self.paths_of(stage_index))
        context = partial(self.context, stage_index)
        return [
            DeclaredFlow(flow, partial(unit_of_shared, flow, context(flow.label)), paths)
            for flow in stage.shared_flows(structure, settings, context(label))
        ]


def _key_of(stage: Stage, settings: StageSettings, context: StageContext, fingerprint: str) -> str:
    return stage_key_of_fingerprint(stage, fingerprint, settings, context)


def prepare_campaign(record: CampaignRecord, *, checkpoint_root: str | None = None) -> PreparedCampaign:
    """Read the file in a stored record.

    Parameters
    ----------
    record : CampaignRecord
        The record.
    checkpoint_root : str or None
        Folder of trajectories and relaxations; None for the project's.

    Returns
    -------
    PreparedCampaign
        Ready for work.

    Raises
    ------
    SettingsError
        If the campaign was imported and never submitted here: its file may name any code, so its user must see it
        first; or if its file is not one for this version.
    """
    if record.base_folder is None:
        raise SettingsError(
            f"The campaign {record.campaign_id} was imported: read its file, which may name any code to run, and "
            "submit it with `superion campaign submit FILE` if you trust it; what was imported is reused."
        )
    file = parse_campaign(record.file_text, f"campaign {record.campaign_id}", base_folder=Path(record.base_folder))
    return PreparedCampaign(record.campaign_id, file, checkpoint_root, record.file_text)
