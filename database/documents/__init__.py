"""The pydantic documents that jobs return and stores keep."""

from __future__ import annotations

from .base import Provenance, StructureDict, SuperionDocument
from .campaign_record import CampaignRecord
from .candidate import CandidateDoc
from .candidate_summary import CandidateOrigin, CandidateSummary, OrderingSummary, StageSummary
from .conductivity import ConductivityDoc, SystematicError
from .diffusion import DiffusionDoc
from .potential import PotentialDoc
from .registry import document_class, document_types, parse_document, register_document_type
from .relax import RelaxDoc
from .stage import StageDoc
from .trajectory import TrajectoryDoc

__all__ = [
    "CampaignRecord",
    "CandidateDoc",
    "CandidateOrigin",
    "CandidateSummary",
    "ConductivityDoc",
    "DiffusionDoc",
    "OrderingSummary",
    "PotentialDoc",
    "Provenance",
    "RelaxDoc",
    "StageDoc",
    "StageSummary",
    "StructureDict",
    "SuperionDocument",
    "SystematicError",
    "TrajectoryDoc",
    "document_class",
    "document_types",
    "parse_document",
    "register_document_type",
]
