"""A campaign while somebody works on it: its state, brought up to date from the store and written back to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymatgen.core import Structure

from ...database.campaigns import CampaignCollections
from ...database.documents.stage import StageDoc
from ...errors import StoreError
from ...structures.plain_structure import structure_from_plain
from .decisions import CampaignState, Unit
from .failed_unit import failed_document
from .outcomes import load_outcomes, outcome_of
from .prepared import PreparedCampaign
from .rows import entry_of, write_decisions


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
    """

    campaign: PreparedCampaign
    collections: CampaignCollections
    state: CampaignState = field(init=False)
    labels: dict[str, str] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    def load(self) -> None:
        """Read candidates and outcomes, and bring the rows up to date with the rules of now."""
        self.state = CampaignState(self.campaign.steps)
        entries = []
        for row in self.collections.iter_rows(self.campaign.campaign_id):
            self.labels[row.candidate_id] = row.label
            entries.append(entry_of(row))
        self.state.add_candidates(entries)
        load_outcomes(self.state, self.collections)
        write_decisions(self.state, self.collections, self.campaign.campaign_id, self.state.candidate_ids)

    def label_of(self, unit: Unit) -> str:
        """Give the name of a unit's material.

        Parameters
        ----------
        unit : Unit
            The unit.

        Returns
        -------
        str
            Its label.
        """
        return self.labels.get(unit.candidate_id, unit.candidate_id)

    def stage_of(self, unit: Unit) -> str:
        """Give the name of a unit's stage.

        Parameters
        ----------
        unit : Unit
            The unit.

        Returns
        -------
        str
            The name.
        """
        return self.campaign.steps[unit.stage_index].name

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

    def record_failures(self, failures: Sequence[tuple[Unit, Structure, str]]) -> None:
        """Store that units failed, and why, in one write.

        Parameters
        ----------
        failures : sequence of tuple of Unit, Structure and str
            Each unit with the structure that it started from, and the reason in one sentence.
        """
        stored = [
            failed_document(
                unit,
                self.stage_of(unit),
                reason,
                structure,
                label=self.label_of(unit),
                campaign_id=self.campaign.campaign_id,
            )
            for unit, structure, reason in failures
        ]
        self.collections.jobs.update(stored, key=["uuid", "index"])
        for document in stored:
            self.state.add_outcome(outcome_of(StageDoc.model_validate(document["output"])))

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
