"""What a reader is told of where a document came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...database.documents.base import Provenance


def software_rows(provenance: Provenance) -> list[tuple[str, object]]:
    """Name the potential, versions, seeds and the structure behind a document.

    Parameters
    ----------
    provenance : Provenance
        Where it came from.

    Returns
    -------
    list of (str, object)
        Names and values; a value that is not known is None or empty.
    """
    rows: list[tuple[str, object]] = []
    potential = provenance.potential
    if potential is not None:
        rows += [
            ("Potential", f"{potential.name}{f', model {potential.model}' if potential.model else ''}"),
            ("Weights, sha256", potential.weights_sha256),
            ("Potential's package", f"{potential.package} {potential.package_version}"),
            ("Precision and device", f"{potential.dtype} on {potential.device}"),
            ("Runtime", potential.runtime),
        ]
    return [
        *rows,
        ("superion", provenance.superion_version),
        ("Packages", ", ".join(f"{name} {version}" for name, version in sorted(provenance.packages.items()))),
        ("Seeds", ", ".join(str(seed) for seed in provenance.seeds)),
        ("Structure, sha256", provenance.structure_fingerprint),
    ]


def document_rows(provenance: Provenance) -> list[tuple[str, object]]:
    """Name the job, the campaign, the host and the time of a document.

    Parameters
    ----------
    provenance : Provenance
        Where it came from.

    Returns
    -------
    list of (str, object)
        Names and values; a value that is not known is None.
    """
    return [
        ("Document", provenance.job_uuid),
        ("Campaign", provenance.campaign_id),
        ("Computed on", provenance.host),
        ("Created", f"{provenance.created_at:%Y-%m-%d %H:%M} UTC"),
    ]
