"""Which class reads which kind of document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import StoreError
from .base import SuperionDocument
from .candidate import CandidateDoc
from .conductivity import ConductivityDoc
from .diffusion import DiffusionDoc
from .relax import RelaxDoc
from .stage import StageDoc
from .trajectory import TrajectoryDoc

DOCUMENT_TYPES: dict[str, type[SuperionDocument]] = {
    "candidate": CandidateDoc,
    "relax": RelaxDoc,
    "trajectory": TrajectoryDoc,
    "diffusion": DiffusionDoc,
    "conductivity": ConductivityDoc,
    "stage": StageDoc,
}
"""`doc_type` -> class; a new kind of document adds itself with `register_document_type`."""


def register_document_type(document_type: type[SuperionDocument]) -> type[SuperionDocument]:
    """Make queries return documents of this class; serves as a class decorator.

    Parameters
    ----------
    document_type : type
        Subclass of SuperionDocument whose `doc_type` has a default.

    Returns
    -------
    type
        The class itself.
    """
    DOCUMENT_TYPES[str(document_type.model_fields["doc_type"].default)] = document_type
    return document_type


def parse_document(data: Mapping[str, Any]) -> SuperionDocument:
    """Rebuild a document from what a store keeps of it.

    Parameters
    ----------
    data : mapping
        The `output` of a job as stored, with or without the class tags that jobflow adds.

    Returns
    -------
    SuperionDocument
        An instance of the class registered for its `doc_type`.

    Raises
    ------
    StoreError
        If the kind of document is unknown, or the layout does not fit this version of superion.
    """
    doc_type = data.get("doc_type")
    document_type = DOCUMENT_TYPES.get(str(doc_type))
    if document_type is None:
        raise StoreError(
            f"Documents of kind {doc_type!r} are unknown to this version of superion, "
            f"which reads {', '.join(sorted(DOCUMENT_TYPES))}: update superion or import the package that defines them."
        )
    newest = document_type.model_fields["schema_version"].default
    if isinstance(version := data.get("schema_version"), int) and version > newest:
        raise StoreError(
            f"This {doc_type} document has layout version {version} but this superion reads up to {newest}: "
            "update superion to read it."
        )
    try:
        return document_type.model_validate({k: v for k, v in data.items() if not k.startswith("@")})
    except ValueError as error:
        first = str(error).splitlines()
        raise StoreError(
            f"A stored {doc_type} document does not have the layout of this version of superion "
            f"({'; '.join(line.strip() for line in first[1:3])}): read it with the version that wrote it."
        ) from error
