"""The provenance of a document that a job makes."""

from __future__ import annotations

from collections.abc import Iterable

from jobflow import CURRENT_JOB
from pymatgen.core import Structure

from ..database.documents import Provenance
from ..database.provenance import collect_provenance
from ..potentials.specification import PotentialProvenance
from ..structures.fingerprint import structure_fingerprint


def job_provenance(
    structure: Structure, potential: PotentialProvenance | None = None, seeds: Iterable[int] = ()
) -> Provenance:
    """Collect where a document comes from, with the uuid of the running job.

    Parameters
    ----------
    structure : Structure
        The structure that the numbers are of.
    potential : PotentialProvenance or None
        The potential behind them.
    seeds : iterable of int
        Seeds of all random streams used.

    Returns
    -------
    Provenance
        Ready to be stored.
    """
    job = CURRENT_JOB.job
    return collect_provenance(
        potential=potential,
        seeds=sorted(set(seeds)),
        structure_fingerprint=structure_fingerprint(structure),
        campaign_id=None if job is None else job.metadata.get("campaign_id"),
        job_uuid=None if job is None else job.uuid,
    )
