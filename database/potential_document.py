"""From a model file to the document that registers it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..potentials.model_file import read_model_header
from .documents.base import Provenance
from .documents.potential import PotentialDoc
from .documents.potential_parts import ModelFile


def potential_document(
    path: str | Path, provenance: Provenance, *, label: str = "", notes: Sequence[str] = (), **further: Any
) -> PotentialDoc:
    """Describe a model file by what its header says.

    Parameters
    ----------
    path : str or Path
        The model file; its name is that in its header, or that of the file.
    provenance : Provenance
        Where the document comes from.
    label : str
        Name of the material; the potential's name where empty.
    notes : sequence of str
        Sentences for the reader.
    **further
        Fields of `PotentialDoc` that the header does not have: `metrics`, `parity`, `rounds`.

    Returns
    -------
    PotentialDoc
        With the bytes of the file, which the job that returns it sends to the store of bulk data.

    Raises
    ------
    PotentialError
        If the file is no model file of this version.
    """
    path = Path(path).absolute()
    header = read_model_header(path)
    content = path.read_bytes()
    name = header.name or path.stem
    compositions = list(header.domain.compositions)
    return PotentialDoc(
        formula=compositions[0] if len(compositions) == 1 else "",
        label=label or name,
        provenance=provenance,
        notes=list(notes),
        name=name,
        weights_sha256=header.weights_sha256,
        file=ModelFile(path=str(path), size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()),
        content_base64=base64.b64encode(content).decode("ascii"),
        architecture=header.architecture_preset or "its own",
        teacher=header.teacher,
        training_set_sha256=header.training_set_sha256,
        n_training_frames=header.n_training_frames,
        elements=sorted(header.elements),
        domain=header.domain,
        verdict=header.verdict,
        reasons=list(header.reasons),
        **further,
    )
