"""From stage documents in the store to what decisions need of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...database.campaigns import CHUNK_SIZE, CampaignCollections
from ...database.documents.stage import StageDoc
from ...structures.fingerprint import structure_fingerprint
from ...structures.plain_structure import structure_from_plain
from .decisions import CampaignState, StageOutcome


def outcome_of(document: StageDoc, fingerprint: str | None = None) -> StageOutcome:
    """Take from a stage document what decisions need.

    Parameters
    ----------
    document : StageDoc
        The document, with its structure.
    fingerprint : str or None
        Fingerprint of the structure that the stage started from.

    Returns
    -------
    StageOutcome
        Small, without structures.
    """
    handed_on = None
    if document.structure is not None and document.state == "completed":
        handed_on = structure_fingerprint(structure_from_plain(document.structure))
    return StageOutcome(
        stage_key=document.stage_key,
        state=document.state,
        reason=document.reason,
        properties=document.properties,
        handed_on=None if handed_on == fingerprint else handed_on,
    )


def load_outcomes(state: CampaignState, collections: CampaignCollections) -> None:
    """Take in all outcomes that the store has for a campaign's candidates, stage after stage.

    Parameters
    ----------
    state : CampaignState
        With its candidates; it is refreshed.
    collections : CampaignCollections
        The store.
    """
    asked: set[str] = set()
    state.refresh()
    while unasked := {unit.stage_key: unit.fingerprint for unit in state.wanted_units() if unit.stage_key not in asked}:
        asked |= unasked.keys()
        for outcome in _stored_outcomes(unasked, collections):
            state.add_outcome(outcome)
        state.refresh()


def _stored_outcomes(fingerprints: Mapping[str, str], collections: CampaignCollections) -> Iterable[StageOutcome]:
    """Read outcomes in portions: the structures of all candidates need not be in memory at once."""
    keys = sorted(fingerprints)
    for start in range(0, len(keys), CHUNK_SIZE):
        for key, document in collections.latest_stage_docs(keys[start : start + CHUNK_SIZE]).items():
            yield outcome_of(document, fingerprints[key])
