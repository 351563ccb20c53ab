"""Gathering where a number came from."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata

from .. import __version__
from ..potentials.specification import PotentialProvenance
from .documents.base import Provenance

KEY_PACKAGES = (
    "ase",
    "atomate2",
    "calorine",
    "chgnet",
    "h5py",
    "jobflow",
    "mace-torch",
    "maggma",
    "matgl",
    "numpy",
    "pymatgen",
    "scipy",
    "sevenn",
    "symmetrix-xl",
    "torch",
    "torch-sim-atomistic",
)
"""Packages whose versions may change a number."""


def package_versions(packages: Iterable[str] = KEY_PACKAGES) -> dict[str, str]:
    """Look up the versions of installed packages without importing them.

    Parameters
    ----------
    packages : iterable of str
        Names as in the package index.

    Returns
    -------
    dict of str to str
        Versions, and that of Python; packages that are not installed are left out.

    Examples
    --------
    >>> "numpy" in package_versions(), "no-such-package" in package_versions(["no-such-package"])
    (True, False)
    """
    return dict(_package_versions(tuple(packages)))


@cache
def _package_versions(packages: tuple[str, ...]) -> Mapping[str, str]:
    """Look versions up once per process: each reads a file, and every document asks for a dozen."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def collect_provenance(
    *,
    potential: PotentialProvenance | None = None,
    seeds: Iterable[int] = (),
    structure_fingerprint: str | None = None,
    campaign_id: str | None = None,
    job_uuid: str | None = None,
    origin: Mapping[str, str | float | None] | None = None,
) -> Provenance:
    """Gather the provenance of a document that is being made now, on this host.

    Parameters
    ----------
    potential : PotentialProvenance, optional
        The potential behind the numbers.
    seeds : iterable of int
        Seeds of all random streams used.
    structure_fingerprint : str, optional
        sha256 of the exact structure with atom order.
    campaign_id : str, optional
        Campaign that asked for it.
    job_uuid : str, optional
        uuid of the job that makes it; inside a jobflow job, that job's if None.
    origin : mapping, optional
        Further fields of `Provenance`: allocation, engine, times.

    Returns
    -------
    Provenance
        Versions and names only: no paths, no environment, no credentials.

    Examples
    --------
    >>> collect_provenance(seeds=[42]).seeds
    [42]
    """
    return Provenance(
        superion_version=__version__,
        packages=package_versions(),
        potential=potential,
        seeds=list(seeds),
        structure_fingerprint=structure_fingerprint,
        campaign_id=campaign_id,
        job_uuid=job_uuid or _current_job_uuid(),
        host=platform.node() or None,
        **dict(origin or {}),
    )


def _current_job_uuid() -> str | None:
    from jobflow import CURRENT_JOB

    job = CURRENT_JOB.job
    return job.uuid if job is not None else None
