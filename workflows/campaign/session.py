"""A campaign while somebody works on it: its state, brought up to date from the store and written back to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from pymatgen.core import Structure

from ...database.campaigns import CampaignCollections
from ...database.documents.stage import StageDoc
from ...errors import StoreError, reason_of
from ...structures.plain_structure import structure_from_plain
from ..dispatch.queue_engine import UnitTicket
from .decisions import CampaignState, Unit
from .failed_unit import failed_document
from .outcomes import load_outcomes, outcome_of
from .prepared import PreparedCampaign
from .rows import entry_of, write_decisions
from .shared_work import SharedWork
from .student_groups import GroupMembers, StudentGroup
from .student_training import KIND as STUDENT
from .work import Work

_UNITS_AT_A_TIME = 100


@dataclass
class CampaignSession:
    """Candidates, outcomes and decisions of one campaign, whoever computes its units.

    Parameters
    ----------
    campaign : PreparedCampaign
        The campaign.
    collections : CampaignCollections
        The store.
    state : CampaignState
        Where the candidates stand; filled by `load`.
    labels : dict of str to str
        Names of the materials by candidate.
    shared : SharedWork
        What units share.
    members : GroupMembers
        The candidates, by what they share students for; filled where a stage computes with students.
    """

    campaign: PreparedCampaign
    collections: CampaignCollections
    state: CampaignState = field(init=False)
    labels: dict[str, str] = field(default_factory=dict)
    shared: SharedWork = field(init=False)
    members: GroupMembers = field(init=False)
    _begun: set[str] = field(default_factory=set)
    _changed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.shared = SharedWork(self.collections.latest_stage_docs)
        self.members = GroupMembers(self.campaign.campaign_id)

    def load(self) -> None:
        """Read candidates and outcomes, and bring the rows up to date with the rules of now."""
        self.state = CampaignState(self.campaign.steps)
        entries, trains = [], any(self.campaign.distillations)
        for row in self.collections.iter_rows(self.campaign.campaign_id):
            self.labels[row.candidate_id] = row.label
            entries.append(entry_of(row))
            if trains:
                self.members.add(row)
        self.state.add_candidates(entries)
        load_outcomes(self.state, self.collections)
        write_decisions(self.state, self.collections, self.campaign.campaign_id, self.state.candidate_ids)

    def ticket_of(self, unit: Unit) -> UnitTicket:
        """Name a unit.

        Parameters
        ----------
        unit : Unit
            The unit.

        Returns
        -------
        UnitTicket
            Its key, stage, candidate and material.
        """
        return UnitTicket(
            campaign_id=self.campaign.campaign_id,
            stage_key=unit.stage_key,
            stage=self.campaign.steps[unit.stage_index].name,
            candidate_id=unit.candidate_id,
            label=self.labels.get(unit.candidate_id, unit.candidate_id),
        )

    def wanted(self) -> dict[str, UnitTicket]:
        """Name all that is wanted now and has no outcome: units, and what they share.

        Returns
        -------
        dict of str to UnitTicket
            By key.
        """
        units = {unit.stage_key: self.ticket_of(unit) for unit in self.state.wanted_units()}
        return units | {work.ticket.stage_key: work.ticket for work in self.shared_works()}

    def works(self, units: Iterable[Unit]) -> list[Work]:
        """Give what can be begun of units; what the others wait for is wanted from now on.

        Parameters
        ----------
        units : iterable of Unit
            Units that are wanted.

        Returns
        -------
        list of Work
            Units that wait for nothing; those that cannot be begun say why.

        Raises
        ------
        StoreError
            If the store lacks a structure.
        """
        free = [unit for unit in units if not self.shared.open_keys(unit.stage_key)]
        structures = self.structures(free)
        problems = {unit.stage_key: self._declare(unit, structures[unit.stage_key]) for unit in free}
        self.shared.look_up()
        return [
            self._work(unit, structures[unit.stage_key], problems[unit.stage_key])
            for unit in free
            if not self.shared.open_keys(unit.stage_key)
        ]

    def shared_works(self) -> list[Work]:
        """Give the shared work that units wait for.

        Returns
        -------
        list of Work
            In the order of declaration.
        """
        return [
            Work(
                UnitTicket(self.campaign.campaign_id, key, declared.flow.kind, "", declared.flow.label),
                declared.make,
                declared.paths,
            )
            for key, declared in self.shared.wanted().items()
        ]

    def next_work(self, *, is_idle: bool) -> Work | None:
        """Take the next work: what units share first, then units that wait for nothing.

        Parameters
        ----------
        is_idle : bool
            Whether nothing runs that would have the driver ask again soon: then all units are asked.

        Returns
        -------
        Work or None
            Each once; None where nothing can be begun now.
        """
        self.refresh()
        # The driver has other things to do than to ask ten thousand units that all wait for the same.
        for _ in count() if is_idle else range(_UNITS_AT_A_TIME):
            for work in self.shared_works():
                if work.ticket.stage_key not in self._begun:
                    self._begun.add(work.ticket.stage_key)
                    return work
            unit = next(self.state.next_units(), None)
            if unit is None:
                return None
            if found := self.works([unit]):
                return found[0]
        return None

    def take_in(self, document: StageDoc) -> None:
        """Take in what came of a unit or of shared work.

        Parameters
        ----------
        document : StageDoc
            What is stored under its key.
        """
        if not self.shared.is_wanted(document.stage_key):
            unit = self.state.wanted_unit(document.stage_key)
            self.state.add_outcome(outcome_of(document, None if unit is None else unit.fingerprint))
            return
        for key in self.shared.take_in(document):
            waiting = self.state.wanted_unit(key)
            if waiting is not None:
                self.state.put_back(waiting)

    def _declare(self, unit: Unit, structure: Structure) -> str | None:
        """Note what a unit shares; give why that cannot be told, where it cannot."""
        label = self.ticket_of(unit).label
        try:
            flows = self.campaign.shared_flows(unit.stage_index, structure, label, self._group_of(unit, structure))
            self.shared.declare(unit.stage_key, flows)
        except (OSError, StoreError):
            raise
        except Exception as error:
            return reason_of(error)
        return None

    def _work(self, unit: Unit, structure: Structure, problem: str | None) -> Work:
        """Give the work of a unit all of whose shared work is over."""
        ticket, shared = self.ticket_of(unit), self.shared.outputs(unit.stage_key)
        student = self.shared.key_of_kind(unit.stage_key, STUDENT)
        return Work(
            ticket,
            partial(self.campaign.make_flow, unit.stage_index, structure, ticket.label, shared, student),
            tuple(self.campaign.paths_of(unit.stage_index)),
            problem or self.shared.failure(unit.stage_key),
        )

    def _group_of(self, unit: Unit, structure: Structure) -> StudentGroup | None:
        """Say what the student of a unit is trained for; None where it computes with none."""
        students = self.campaign.distillations[unit.stage_index]
        if students is None:
            return None
        label, identity = self.members.identity(students.per, unit.candidate_id)

        def structures() -> list[Structure]:
            """Give the unit's own structure, as the stage before left it, and others as they were submitted."""
            chosen = self.members.chosen(
                students.per,
                unit.candidate_id,
                students.maximum_structures,
                is_out=lambda name: self.state.decision(name).status in ("rejected", "failed"),
            )
            wanted = [member.fingerprint for member in chosen[1:]]
            plain = self.collections.load_structures(set(wanted))
            others = [structure_from_plain(plain[name]) for name in wanted if name in plain]
            return [structure, *others]

        return StudentGroup(label, identity, structures)

    def structures(self, units: Iterable[Unit]) -> dict[str, Structure]:
        """Load the structures that units start from, in two round trips for all of them.

        Parameters
        ----------
        units : iterable of Unit
            The units.

        Returns
        -------
        dict of str to Structure
            By stage key.

        Raises
        ------
        StoreError
            If the store lacks one.
        """
        wanted = list(units)
        plain = self.collections.load_structures({unit.fingerprint for unit in wanted if unit.source_key is None})
        sources = {unit.source_key for unit in wanted if unit.source_key is not None}
        documents = self.collections.latest_stage_docs(sources) if sources else {}
        found = {}
        for unit in wanted:
            structure: Any
            if unit.source_key is None:
                structure = plain.get(unit.fingerprint)
            else:
                document = documents.get(unit.source_key)
                structure = None if document is None else document.structure
            if structure is None:
                raise StoreError(
                    f"The structure {unit.fingerprint[:12]} of the candidate {unit.candidate_id} is missing in the "
                    "store: submit the campaign again, which registers it anew."
                )
            found[unit.stage_key] = structure_from_plain(structure)
        return found

    def record_failures(self, failures: Sequence[tuple[UnitTicket, str]]) -> None:
        """Store that units or shared work failed, and why, in one write.

        Parameters
        ----------
        failures : sequence of tuple of UnitTicket and str
            What failed, and the reason in one sentence.
        """
        wanted = {ticket.stage_key: self.state.wanted_unit(ticket.stage_key) for ticket, _ in failures}
        units = {key: unit for key, unit in wanted.items() if unit is not None}
        structures = self.structures(units.values()) if units else {}
        stored = []
        for ticket, reason in failures:
            unit, structure = units.get(ticket.stage_key), structures.get(ticket.stage_key)
            stored.append(
                failed_document(
                    ticket,
                    reason,
                    formula="" if structure is None else structure.composition.reduced_formula,
                    fingerprint=None if unit is None else unit.fingerprint,
                    failed_shared_work=self.shared.failed_keys(ticket.stage_key),
                )
            )
        self.collections.jobs.update(stored, key=["uuid", "index"])
        for document in stored:
            self.take_in(StageDoc.model_validate(document["output"]))

    def refresh(self) -> None:
        """Judge again what has changed; `write_rows` writes it down."""
        self._changed |= self.state.refresh()

    def write_rows(self) -> None:
        """Bring the rows of changed candidates up to date."""
        self.refresh()
        if self._changed:
            write_decisions(self.state, self.collections, self.campaign.campaign_id, self._changed)
            self._changed = set()

    def save_counts(self, counts: dict[str, int]) -> None:
        """Put the counts of candidates by status into the record, for listings.

        Parameters
        ----------
        counts : dict of str to int
            What `count_by_status` gives.
        """
        self.collections.change_campaign(self.campaign.campaign_id, counts=counts)
