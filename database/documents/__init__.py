"""The pydantic documents that jobs return and stores keep."""

from __future__ import annotations

from .base import Provenance, StructureDict, SuperionDocument
from .candidate import CandidateDoc
from .conductivity import ConductivityDoc, SystematicError
from .diffusion import DiffusionDoc
from .registry import DOCUMENT_TYPES, parse_document, register_document_type
from .relax import RelaxDoc
from .trajectory import TrajectoryDoc

__all__ = [
    "DOCUMENT_TYPES",
    "CandidateDoc",
    "ConductivityDoc",
    "DiffusionDoc",
    "Provenance",
    "RelaxDoc",
    "StructureDict",
    "SuperionDocument",
    "SystematicError",
    "TrajectoryDoc",
    "parse_document",
    "register_document_type",
]
