"""What stands behind the row of a candidate: the documents of its stages, and those that they sum up."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....database.campaigns import CampaignCollections
from ....database.documents import StageDoc, SuperionDocument
from ....database.documents.candidate_summary import CandidateSummary
from ....database.queries import get_document
from ....errors import StoreError
from ..sections.registry import section_of


@dataclass(frozen=True)
class SourceDocument:
    """A document that a stage sums up.

    Attributes
    ----------
    document : SuperionDocument
        The document.
    related : tuple of SuperionDocument
        Documents that stand behind it in turn, as its report section finds them.
    """

    document: SuperionDocument
    related: tuple[SuperionDocument, ...] = ()


@dataclass(frozen=True)
class StageEvidence:
    """What one stage found of one ordered structure.

    Attributes
    ----------
    stage : str
        Name of the stage.
    number : int
        Which of the structures that came into the stage, from 1.
    n_structures : int
        How many came into it.
    document : StageDoc
        Its document.
    sources : tuple of SourceDocument
        Documents that it sums up and whose kinds have a report section.
    not_found : tuple of str
        Documents that it sums up and that are not in this store.
    """

    stage: str
    number: int
    n_structures: int
    document: StageDoc
    sources: tuple[SourceDocument, ...] = ()
    not_found: tuple[str, ...] = ()


@dataclass(frozen=True)
class CandidateEvidence:
    """All that is known of a candidate.

    Attributes
    ----------
    row : CandidateSummary
        Its row, with the structures of its orderings where they are stored.
    stages : tuple of StageEvidence
        What its stages found, in their order.
    problems : tuple of str
        What could not be read.
    """

    row: CandidateSummary
    stages: tuple[StageEvidence, ...]
    problems: tuple[str, ...] = field(default=())


def read_evidence(
    row: CandidateSummary, stages: tuple[str, ...], collections: CampaignCollections
) -> CandidateEvidence:
    """Read what stands behind a row.

    Parameters
    ----------
    row : CandidateSummary
        The row, as read without structures.
    stages : tuple of str
        Names of the stages, in order.
    collections : CampaignCollections
        The store.

    Returns
    -------
    CandidateEvidence
        Documents of the stages and what they sum up; what is missing is named.
    """
    problems = []
    try:
        row = collections.add_structures([row])[0]
    except StoreError as error:
        problems.append(str(error))
    keys = [key for stage in row.stages.values() for key in stage.stage_keys]
    documents = collections.latest_stage_docs(keys, with_structures=True)
    found = []
    for name in (*stages, *(name for name in row.stages if name not in stages)):
        if name not in row.stages:
            continue
        own = row.stages[name].stage_keys
        for number, key in enumerate(own, start=1):
            if key in documents:
                found.append(_stage_evidence(name, number, len(own), documents[key], collections))
    return CandidateEvidence(row, tuple(found), tuple(problems))


def _stage_evidence(
    name: str, number: int, n_structures: int, document: StageDoc, collections: CampaignCollections
) -> StageEvidence:
    """Read the documents that a stage sums up."""
    sources = []
    not_found = []
    for uuid in document.source_uuids:
        try:
            source = get_document(collections.jobs, uuid).document
        except StoreError:
            not_found.append(uuid)
            continue
        section = section_of(source.doc_type)
        if section is not None:
            sources.append(SourceDocument(source, tuple(section.related(source, collections.jobs))))
    return StageEvidence(name, number, n_structures, document, tuple(sources), tuple(not_found))
