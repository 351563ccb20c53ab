"""The campaign file as a checked object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from ....database.property_names import usual_front, usual_order
from ....dynamics.protocol import MdSettings
from ....errors import SettingsError, StructureError, SuperionError, as_clause
from ....potentials.specification import PotentialSpecification
from ...candidates.registry import load_source, source_kinds
from ...candidates.source import CandidateSourceSettings
from ...dispatch.local_settings import LocalDispatch
from ...dispatch.settings import DispatchSettings, dispatch_settings
from ...stages.registry import load_stage
from .campaign_potential import CampaignPotential, teacher_of
from .distillation import DistilledPotential
from .limits import Limits
from .ordering import OrderingSettings
from .potential import UsedPotential
from .ranking import RankingSettings
from .section import Section
from .stage_entry import StageEntry, with_inherited_md


def _source_of_kind(data: Any) -> Any:
    """Let the source itself check its settings."""
    if not isinstance(data, Mapping):
        return data
    kind = data.get("kind")
    if not isinstance(kind, str):
        given = f"not {kind!r}" if kind is not None else "and this one has none"
        sentence = f"each source of candidates needs 'kind: NAME', {given}: there are {', '.join(source_kinds())}"
        raise _at(("kind",), sentence, kind)
    try:
        source = load_source(kind)
    except SettingsError as error:
        raise _at(("kind",), as_clause(str(error)), kind) from None
    try:
        return source.settings_model.model_validate(data)
    except SuperionError as error:
        raise _at(("kind",), as_clause(str(error)), kind) from None


SourceEntry = Annotated[SerializeAsAny[CandidateSourceSettings], BeforeValidator(_source_of_kind)]
"""One source, checked by the model of its kind."""


def _settings_of_engine(data: Any) -> Any:
    """Let the engine itself check its settings."""
    if not isinstance(data, Mapping):
        return data
    try:
        return dispatch_settings(data)
    except SettingsError as error:
        raise _at(("engine",), as_clause(str(error)), data.get("engine")) from None


Dispatch = Annotated[SerializeAsAny[DispatchSettings], BeforeValidator(_settings_of_engine)]
"""Where the work is done, checked by the model of its engine."""


class CampaignFile(Section):
    """A campaign: where candidates come from, the stages that they go through, and who goes on.

    Examples
    --------
    >>> campaign = CampaignFile.model_validate({
    ...     "name": "demo", "candidates": [{"kind": "files", "paths": ["*.cif"]}], "mobile_ion": "Li",
    ...     "potential": "chgnet", "stages": [{"stage": "validate"}],
    ... })
    >>> campaign.potential.name, campaign.ordering.n_orderings
    ('chgnet', 1)
    """

    name: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="name of the campaign in the store: letters, digits, dots, dashes and underscores",
    )
    description: str = Field(default="", max_length=10_000, description="what it is for, for the report")
    candidates: tuple[SourceEntry, ...] = Field(min_length=1, description="where the candidates come from")
    mobile_ion: str = Field(description="ion that moves, such as Li or O2-; candidates without it are rejected")
    ion_charge: float | None = Field(
        default=None, description="its charge in elementary charges; null takes what is written or usual"
    )
    potential: CampaignPotential = Field(
        description="interatomic potential of all stages that name none of their own: NAME or NAME:MODEL for short, or "
        "{distil: TEACHER, …} for students that the campaign trains"
    )
    ordering: OrderingSettings = Field(
        default_factory=OrderingSettings, description="how partial occupancies become whole atoms"
    )
    md: MdSettings = Field(
        default_factory=MdSettings,
        description="molecular dynamics of all stages that run it and give none of their own",
    )
    stages: tuple[StageEntry, ...] = Field(min_length=1, description="what the candidates go through, in this order")
    ranking: RankingSettings = Field(default_factory=RankingSettings, description="how the report ranks")
    dispatch: Dispatch = Field(default_factory=LocalDispatch, description="where the work is done")
    limits: Limits = Field(default_factory=Limits, description="what the campaign may at most use")

    @model_validator(mode="before")
    @classmethod
    def _inherit_md(cls, data: Any) -> Any:
        """Hand the MD settings of the campaign down to its stages."""
        if not isinstance(data, Mapping) or not isinstance(data.get("stages"), list | tuple):
            return data
        md = data.get("md")
        if isinstance(md, MdSettings):
            md = md.model_dump(exclude_unset=True)
        if not isinstance(md, Mapping) or not md:
            return data
        try:
            MdSettings.model_validate(dict(md))
        except ValidationError:
            # Said once, of the section itself.
            return data
        return {**data, "stages": [with_inherited_md(entry, md) for entry in data["stages"]]}

    def ordering_arguments(self) -> dict[str, Any]:
        """Give what decides whether a crystal is turned away before any stage, and which orderings are found.

        Returns
        -------
        dict
            Arguments of `superion.structures.orderings.order_candidates`.
        """
        from ....structures.mobile_ion import parse_ion

        arguments: dict[str, Any] = {"mobile_ion": parse_ion(self.mobile_ion)[0], **self.ordering.search_arguments()}
        for entry in self.stages:
            arguments |= entry.settings.candidate_check_arguments()
        return arguments

    def check_arguments(self) -> dict[str, Any]:
        """Give those of `ordering_arguments` that `superion.structures.orderings.check_candidate` takes.

        Returns
        -------
        dict
            Its arguments.
        """
        names = ("mobile_ion", "maximum_atoms", "must_be_neutral")
        return {name: value for name, value in self.ordering_arguments().items() if name in names}

    @field_validator("mobile_ion")
    @classmethod
    def _ion_is_an_element(cls, value: str) -> str:
        from ....structures.mobile_ion import parse_ion

        try:
            parse_ion(value)
        except StructureError as error:
            raise PydanticCustomError("ion", "{sentence}", {"sentence": as_clause(str(error))}) from None
        return value

    @field_validator("ion_charge")
    @classmethod
    def _ion_is_charged(cls, value: float | None) -> float | None:
        if value == 0.0:
            raise ValueError("the mobile ion must carry a charge: give one other than zero, or leave it out")
        return value

    @model_validator(mode="after")
    def _stages_fit_together(self) -> CampaignFile:
        problems = [
            *_ion_without_charge(self),
            *_students_that_nobody_uses(self),
            *_settings_of_students(self),
            *_repeated_stages(self),
            *_rules_ahead_of_their_stage(self),
            *_ranking_without_stage(self),
            *_comparisons_behind_a_rule_that_learns(self),
        ]
        if problems:
            raise ValidationError.from_exception_data("CampaignFile", problems)
        return self

    def potential_of(self, entry: StageEntry) -> PotentialSpecification:
        """Give the potential that a stage computes with, or the teacher of the students that it computes with.

        Parameters
        ----------
        entry : StageEntry
            One of `stages`.

        Returns
        -------
        PotentialSpecification
            Its own; the campaign's where it names none.
        """
        return teacher_of(entry.potential or self.potential)

    def distillation_of(self, entry: StageEntry) -> DistilledPotential | None:
        """Give the students that a stage computes with.

        Parameters
        ----------
        entry : StageEntry
            One of `stages`.

        Returns
        -------
        DistilledPotential or None
            None where the stage runs no molecular dynamics, or its potential is no student.
        """
        given = entry.potential or self.potential
        uses_students = load_stage(entry.stage).runs_dynamics and isinstance(given, DistilledPotential)
        return given if uses_students and isinstance(given, DistilledPotential) else None

    def student_temperatures_k(self, distillation: DistilledPotential) -> tuple[float, ...]:
        """Give the temperatures that students are trained for.

        Parameters
        ----------
        distillation : DistilledPotential
            The students.

        Returns
        -------
        tuple of float
            Those that the file names for them, or those of the stages that use them, in K.
        """
        if distillation.temperatures_k is not None:
            return tuple(sorted(set(distillation.temperatures_k)))
        users = [entry for entry in self.stages if self.distillation_of(entry) == distillation]
        return tuple(sorted({value for entry in users for value in entry.settings.temperatures_of_dynamics()}))

    def used_potentials(self) -> tuple[UsedPotential, ...]:
        """List the potentials that stages compute with.

        Returns
        -------
        tuple of UsedPotential
            The campaign's first, where a stage uses it, then those of single stages, in their order.
        """
        using = [(index, entry) for index, entry in enumerate(self.stages) if load_stage(entry.stage).uses_potential]
        used = []
        if any(entry.potential is None for _, entry in using):
            used.append(_used(self.potential, ("potential",), "the potential"))
        for index, entry in using:
            if entry.potential is not None:
                place, subject = ("stages", index, "potential"), f"the potential of the stage '{entry.stage}'"
                used.append(_used(entry.potential, place, subject))
        return tuple(used)

    def properties_after(self, n_stages: int | None = None) -> tuple[str, ...]:
        """Name the properties that the first stages find.

        Parameters
        ----------
        n_stages : int, optional
            How many stages; all if None.

        Returns
        -------
        tuple of str
            Names, in the order of the stages.
        """
        names = [name for entry in self.stages[:n_stages] for name in load_stage(entry.stage).properties]
        return tuple(dict.fromkeys(names))

    def ranked_by(self) -> str | None:
        """Name the property that sorts the table.

        Returns
        -------
        str or None
            Its name; None where no stage finds anything to rank by.
        """
        known = self.properties_after()
        return self.ranking.by or next((name for name in usual_order() if name in known), None)

    def pareto_properties(self) -> tuple[str, ...]:
        """Name the properties of the Pareto front.

        Returns
        -------
        tuple of str
            Their names.
        """
        if self.ranking.pareto is not None:
            return self.ranking.pareto
        known = self.properties_after()
        return tuple(name for name in usual_front() if name in known)


def _used(
    potential: PotentialSpecification | DistilledPotential, place: tuple[str | int, ...], subject: str
) -> UsedPotential:
    """Name a potential that stages compute with; of students, which are not there yet, their teacher."""
    if isinstance(potential, DistilledPotential):
        return UsedPotential((*place, "distil"), subject.replace("the potential", "the teacher", 1), potential.distil)
    return UsedPotential(place, subject, potential)


def _students_that_nobody_uses(campaign: CampaignFile) -> Iterator[InitErrorDetails]:
    """Refuse to train students where no stage would compute with them."""
    stages = [(load_stage(entry.stage), entry) for entry in campaign.stages]
    if isinstance(campaign.potential, DistilledPotential) and not any(
        stage.runs_dynamics and entry.potential is None for stage, entry in stages
    ):
        sentence = (
            "no stage with this potential runs molecular dynamics, so that nothing would compute with a student: name "
            f"the teacher itself, 'potential: {campaign.potential.distil.written}'"
        )
        yield _details(("potential", "distil"), sentence, campaign.potential.distil.written)
    for index, (stage, entry) in enumerate(stages):
        if isinstance(entry.potential, DistilledPotential) and not stage.runs_dynamics:
            sentence = (
                f"the stage '{entry.stage}' runs no molecular dynamics, so that it would not compute with a student: "
                f"name the teacher itself, 'potential: {entry.potential.distil.written}'"
            )
            yield _details(("stages", index, "potential", "distil"), sentence, entry.potential.distil.written)


def _settings_of_students(campaign: CampaignFile) -> Iterator[InitErrorDetails]:
    """Refuse settings that the flow of the training does not have."""
    from ..student_training import student_maker

    named: list[tuple[tuple[str | int, ...], Any]] = [(("potential",), campaign.potential)]
    named += [(("stages", index, "potential"), entry.potential) for index, entry in enumerate(campaign.stages)]
    for place, students in named:
        if isinstance(students, DistilledPotential):
            try:
                student_maker(students, campaign.student_temperatures_k(students))
            except SettingsError as error:
                yield _details((*place, "settings"), as_clause(str(error)), students.settings)


def _ion_without_charge(campaign: CampaignFile) -> Iterator[InitErrorDetails]:
    from ....structures.mobile_ion import USUAL_CHARGES, parse_ion

    symbol, written = parse_ion(campaign.mobile_ion)
    if not (campaign.ion_charge or written or symbol in USUAL_CHARGES):
        sentence = f"the charge of {symbol} is not usual: give ion_charge, or write the ion with its charge, such as "
        yield _details(("mobile_ion",), f"{sentence}{symbol}2+", campaign.mobile_ion)


def _repeated_stages(campaign: CampaignFile) -> Iterator[InitErrorDetails]:
    seen: set[str] = set()
    for index, entry in enumerate(campaign.stages):
        if entry.stage in seen:
            sentence = f"the stage '{entry.stage}' is here a second time: a candidate goes through each stage once"
            yield _details(("stages", index, "stage"), sentence, entry.stage)
        seen.add(entry.stage)


def _rules_ahead_of_their_stage(campaign: CampaignFile) -> Iterator[InitErrorDetails]:
    for index, entry in enumerate(campaign.stages):
        known = campaign.properties_after(index + 1)
        for position, rule in enumerate(entry.rules):
            for key, name in rule.judged_properties().items():
                if name not in known:
                    there = f"they find {', '.join(known)}" if known else "they find no property"
                    sentence = f"no stage up to '{entry.stage}' finds '{name}': {there}"
                    yield _details(("stages", index, "rules", position, key), sentence, name)


def _ranking_without_stage(campaign: CampaignFile) -> Iterator[InitErrorDetails]:
    known = campaign.properties_after()
    ranking = campaign.ranking
    asked: list[tuple[tuple[str | int, ...], str | None]] = [(("by",), ranking.by)]
    asked += [(("weights", name), name) for name in ranking.weights]
    asked += [(("pareto", position), name) for position, name in enumerate(ranking.pareto or ())]
    for place, name in asked:
        if name is not None and name not in known:
            sentence = f"no stage of this campaign finds '{name}': add the stage, or rank by another property"
            yield _details(("ranking", *place), sentence, name)


def _comparisons_behind_a_rule_that_learns(campaign: CampaignFile) -> Iterator[InitErrorDetails]:
    """Refuse rules that would wait for each other: one holds candidates back, one compares when all are there."""
    learning: str | None = None
    for position, entry in enumerate(campaign.stages):
        for number, rule in enumerate(entry.rules):
            if rule.compares and learning is not None:
                sentence = (
                    f"the rule '{rule.rule}' waits for all candidates, and '{learning}' before it lets them go on one "
                    "after the other: leave out one of the two"
                )
                yield _details(("stages", position, "rules", number), sentence, rule.rule)
            if rule.learns:
                learning = rule.rule


def _details(place: tuple[str | int, ...], sentence: str, value: Any) -> InitErrorDetails:
    problem = PydanticCustomError("campaign", "{sentence}", {"sentence": sentence})
    return InitErrorDetails(type=problem, loc=place, input=value)


def _at(place: tuple[str | int, ...], sentence: str, value: Any) -> ValidationError:
    return ValidationError.from_exception_data("CampaignFile", [_details(place, sentence, value)])
