"""What a stage is: settings, a flow for one structure, and the properties that it finds."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from jobflow import Flow
from pydantic import BaseModel, ConfigDict
from pymatgen.core import Structure

from ...potentials.identity import potential_identity
from ...potentials.specification import PotentialSpecification
from ...structures.fingerprint import structure_fingerprint

if TYPE_CHECKING:
    from .shared_flow import SharedFlow


class StageSettings(BaseModel):
    """Base of the settings of a stage: strict, and every field described."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def identity(self) -> dict[str, Any]:
        """Say what of the settings is part of a result's key.

        Returns
        -------
        dict
            All of them as plain data; a path whose content is told by its digest should be left out.
        """
        return self.model_dump(mode="json")

    def temperatures_of_dynamics(self) -> tuple[float, ...]:
        """Give the temperatures of the molecular dynamics of the stage.

        Returns
        -------
        tuple of float
            Temperatures in K; empty where it runs none.
        """
        return ()

    def candidate_check_arguments(self) -> dict[str, Any]:
        """Give what the stage requires of a crystal, so that submission checks it before ordering.

        Returns
        -------
        dict
            Arguments of `superion.structures.orderings.check_candidate`; empty where it requires nothing.
        """
        return {}

    def problems_here(self) -> list[str]:
        """Say what this machine lacks for these settings.

        Returns
        -------
        list of str
            One sentence each; empty where nothing is lacking.
        """
        return []


@dataclass(frozen=True)
class StageContext:
    """What a campaign says to a stage beside its settings.

    Parameters
    ----------
    potential : PotentialSpecification
        The stage's own or the campaign's; `model`, `dtype` and `options` are part of every key, files by their bytes.
    mobile_ion : str
        Element symbol of the mobile ion.
    ion_charge : float
        Its formal charge in elementary charges.
    label : str
        Name of the material.
    campaign_id : str or None
        Campaign that asks.
    checkpoint_root : str or None
        Folder of trajectories and relaxations; None for the project's.
    potential_identity : mapping of str to object or None
        What `superion.potentials.identity.potential_identity` said when the campaign was opened; None finds it anew.
    teacher : PotentialSpecification or None
        Where `potential` is a student, the potential that it learnt from.
    spot_check_ps : float or None
        Time in ps after which the teacher labels a frame of the student's dynamics again; None: never.
    shared : mapping of str to object
        For `make`, by key, the outputs of the shared work that the stage declared for the structure: references, to be
        handed to jobs; None where it failed and is not required.
    """

    potential: PotentialSpecification
    mobile_ion: str
    ion_charge: float
    label: str
    campaign_id: str | None = None
    checkpoint_root: str | None = None
    potential_identity: Mapping[str, Any] | None = None
    teacher: PotentialSpecification | None = None
    spot_check_ps: float | None = None
    shared: Mapping[str, Any] = field(default_factory=dict)


class Stage(ABC):
    """One step of a screening.

    A subclass is found by its entry point in the group `superion.stages`. It knows nothing of rules: it computes
    properties, and the campaign's rules decide who goes on.
    """

    name: ClassVar[str]
    """Name in the campaign file."""
    description: ClassVar[str]
    """One sentence for listings."""
    settings_model: ClassVar[type[StageSettings]]
    """Settings that the campaign file may give."""
    properties: ClassVar[tuple[str, ...]] = ()
    """Names of the properties that it finds; rules may use those of all stages up to their own."""
    uses_potential: ClassVar[bool] = True
    """Whether its result depends on the potential."""
    runs_dynamics: ClassVar[bool] = False
    """Whether it runs molecular dynamics, for which campaigns may train a student of the potential."""
    version: ClassVar[int] = 1
    """Raised when the same settings give other numbers; part of the key."""

    @abstractmethod
    def make(self, structure: Structure, settings: Any, context: StageContext) -> Flow:
        """Build the flow for one ordered structure.

        Parameters
        ----------
        structure : Structure
            Ordered structure, as the stage before handed it on.
        settings : StageSettings
            An instance of `settings_model`.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        Flow
            Its output is a `StageDoc`.
        """

    def shared_flows(self, structure: Structure, settings: Any, context: StageContext) -> Sequence[SharedFlow]:
        """Declare what the stage needs for a structure and for others, too: it is run once per store, before `make`.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : StageSettings
            An instance of `settings_model`.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        sequence of SharedFlow
            Empty where the stage shares nothing. Their outputs come to `make` as `context.shared`.
        """
        return ()

    def bounds_only(self, settings: Any) -> Mapping[str, Literal["upper", "lower"]]:
        """Name the properties of which this stage, with these settings, can find a bound but never a value.

        By them a rule that looks beyond the bound can cut nobody, and `superion campaign check` warns of it.

        Parameters
        ----------
        settings : StageSettings
            An instance of `settings_model`.

        Returns
        -------
        mapping of str to str
            Name of the property to the side of its bound; empty where values can be found of all.
        """
        return {}

    def problems_here(self, settings: Any) -> list[str]:
        """Say what this machine lacks for the stage, such as a package or a key, without which every unit would fail.

        Parameters
        ----------
        settings : StageSettings
            An instance of `settings_model`.

        Returns
        -------
        list of str
            One sentence each: what is missing and how to mend it; empty where nothing is.
        """
        problems: list[str] = settings.problems_here()
        return problems

    def estimated_steps(self, structure: Structure, settings: Any, context: StageContext) -> list[tuple[int, int]]:
        """Estimate the work for the plan of a campaign.

        Parameters
        ----------
        structure : Structure
            Ordered structure.
        settings : StageSettings
            An instance of `settings_model`.
        context : StageContext
            Potential, ion, names.

        Returns
        -------
        list of tuple of int
            Number of force evaluations, and atoms in the cell, of each part; empty for work that needs none.
        """
        return []


def stage_key(stage: Stage, structure: Structure, settings: StageSettings, context: StageContext) -> str:
    """Identify the result of a stage: what makes it what it is, and nothing of rules or names.

    Parameters
    ----------
    stage : Stage
        The stage.
    structure : Structure
        Ordered structure that it starts from.
    settings : StageSettings
        Its settings.
    context : StageContext
        Potential and ion; labels and campaigns are left out.

    Returns
    -------
    str
        sha256 in hexadecimal.
    """
    return stage_key_of_fingerprint(stage, structure_fingerprint(structure), settings, context)


def stage_key_of_fingerprint(stage: Stage, fingerprint: str, settings: StageSettings, context: StageContext) -> str:
    """Identify the result of a stage for a structure of which only the fingerprint is at hand.

    Parameters
    ----------
    stage : Stage
        The stage.
    fingerprint : str
        What `structure_fingerprint` says of the structure that it starts from.
    settings : StageSettings
        Its settings.
    context : StageContext
        Potential and ion; labels and campaigns are left out.

    Returns
    -------
    str
        sha256 in hexadecimal.
    """
    identity: dict[str, Any] = {
        "stage": stage.name,
        "version": stage.version,
        "settings": settings.identity(),
        "structure": fingerprint,
        "mobile_ion": [context.mobile_ion, context.ion_charge],
    }
    if stage.uses_potential:
        identity["potential"] = context.potential_identity or potential_identity(context.potential)
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
