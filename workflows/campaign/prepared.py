"""A campaign ready for work: its checked file, with the stages, settings and context that units are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from jobflow import Flow, JobStore
from pymatgen.core import Structure

from ...database.documents.campaign_record import CampaignRecord
from ...errors import SettingsError
from ...potentials.identity import absolute_paths, potential_identity
from ...structures.mobile_ion import USUAL_CHARGES, parse_ion
from ..stages.registry import load_stage
from ..stages.shared_flow import unit_of_shared
from ..stages.stage import Stage, StageContext, StageSettings, stage_key_of_fingerprint
from ..stages.student_unit import student_unit
from ..student_names import StudentNames
from .decisions import StageStep
from .file.distillation import DistilledPotential
from .file.load import parse_campaign
from .file.model import CampaignFile
from .shared_work import DeclaredFlow
from .student_groups import StudentGroup
from .student_training import student_flow


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
        return tuple(
            known[potential.model_dump_json()] if students is None else self._identity_of_students(students)
            for potential, students in zip(potentials, self.distillations, strict=True)
        )

    @cached_property
    def distillations(self) -> tuple[DistilledPotential | None, ...]:
        """The students that each stage computes with; None where its potential is no student."""
        return tuple(self.file.distillation_of(entry) for entry in self.file.stages)

    def _identity_of_students(self, students: DistilledPotential) -> dict[str, Any]:
        """Say how a stage's student is trained and watched: its weights are not known before."""
        training = students.identity(self.file.student_temperatures_k(students))
        plain = {"training": training, "spot_check_ps": students.spot_check_ps}
        return {**plain, "force": True} if students.force else plain

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
        potential, students = self.file.potential_of(self.file.stages[stage_index]), self.distillations[stage_index]
        return StageContext(
            potential=potential,
            mobile_ion=symbol,
            ion_charge=charge,
            label=label,
            campaign_id=self.campaign_id,
            checkpoint_root=self.checkpoint_root,
            potential_identity=self.potential_identities[stage_index],
            teacher=None if students is None else potential,
            spot_check_ps=None if students is None else students.spot_check_ps,
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
        self,
        stage_index: int,
        structure: Structure,
        label: str,
        shared: Mapping[str, Any] | None = None,
        student_key: str | None = None,
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
            By key, what came of the shared work that was declared for the structure.
        student_key : str or None
            Key of the training of its student; None for a stage that computes with none.

        Returns
        -------
        Flow
            Its output is a `StageDoc`.
        """
        stage, settings = self.stages[stage_index]
        given, students = dict(shared or {}), self.distillations[stage_index]
        student = None if student_key is None else given.pop(student_key)
        context = replace(self.context(stage_index, label), shared=given)
        if students is None:
            return stage.make(structure, settings, context)
        return student_unit(stage, structure, settings, context, student, device=students.device, force=students.force)

    def shared_flows(
        self, stage_index: int, structure: Structure, label: str, group: StudentGroup | None = None
    ) -> list[DeclaredFlow]:
        """Say what the unit of a stage shares with others: what the stage itself asks for, and its student.

        Parameters
        ----------
        stage_index : int
            Position of the stage.
        structure : Structure
            Ordered structure that it starts from.
        label : str
            Name of the material.
        group : StudentGroup or None
            What its student is trained for; None for a stage that computes with none.

        Returns
        -------
        list of DeclaredFlow
            What is to be done before the flow of the unit is made.
        """
        stage, settings = self.stages[stage_index]
        paths = tuple(self.paths_of(stage_index))
        context = partial(self.context, stage_index)
        flows = list(stage.shared_flows(structure, settings, context(label)))
        students = self.distillations[stage_index]
        if students is not None and group is not None:
            temperatures = self.file.student_temperatures_k(students)
            flows.append(student_flow(students, temperatures, group, context(group.label)))
        return [DeclaredFlow(flow, partial(unit_of_shared, flow, context(flow.label)), paths) for flow in flows]


def _key_of(stage: Stage, settings: StageSettings, context: StageContext, fingerprint: str) -> str:
    return stage_key_of_fingerprint(stage, fingerprint, settings, context)


def prepare_campaign(
    record: CampaignRecord, *, checkpoint_root: str | None = None, store: JobStore | None = None
) -> PreparedCampaign:
    """Read the file in a stored record.

    Parameters
    ----------
    record : CampaignRecord
        The record.
    checkpoint_root : str or None
        Folder of trajectories and relaxations; None for the project's.
    store : JobStore or None
        Where potentials that were trained here are looked up by name; None opens the project's own where one is named.

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
    folder = Path(record.base_folder)
    names = StudentNames(near=folder if folder.is_dir() else None, store=store)
    file = parse_campaign(record.file_text, f"campaign {record.campaign_id}", base_folder=folder, students=names)
    return PreparedCampaign(record.campaign_id, file, checkpoint_root, record.file_text)
