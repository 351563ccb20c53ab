"""The pydantic documents that jobs return and stores keep."""

from __future__ import annotations

from .base import Provenance, SuperionDocument
from .candidate import CandidateDoc
from .conductivity import ConductivityDoc, SystematicError
from .diffusion import DiffusionDoc
from .relax import RelaxDoc
from .trajectory import TrajectoryDoc

__all__ = [
    "CandidateDoc",
    "ConductivityDoc",
    "DiffusionDoc",
    "Provenance",
    "RelaxDoc",
    "SuperionDocument",
    "SystematicError",
    "TrajectoryDoc",
]
