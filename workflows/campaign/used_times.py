"""What the jobs of a campaign have taken, read from their documents: once whole, then only what is new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...database.campaigns import CampaignCollections
from ...runtime.timed_job import USAGE
from .heartbeat import StageTiming

_FIELDS = [
    "uuid",
    "index",
    "metadata.stage",
    "metadata.stage_key",
    f"metadata.{USAGE}",
    "output.stage",
    "output.stage_key",
    "output.state",
    "output.provenance.host",
    *(f"output.provenance.{name}" for name in ("wall_time_s", "cpu_time_s", "gpu_time_s")),
]


def campaign_jobs(campaign_id: str, collections: CampaignCollections) -> Iterator[dict[str, Any]]:
    """Give what the documents of a campaign's jobs say of their times, each document once.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    collections : CampaignCollections
        The store.

    Yields
    ------
    dict
        Parts of the documents of jobs: uuid and index, stage and its key, times.
    """
    seen = set()
    # Jobs without a result have the campaign in their metadata only, imported results in their provenance only.
    for field_name in ("metadata.campaign_id", "output.provenance.campaign_id"):
        for entry in collections.jobs.docs_store.query({field_name: campaign_id}, properties=list(_FIELDS)):
            place = (entry.get("uuid"), entry.get("index"))
            if place not in seen:
                seen.add(place)
                yield entry


def job_times(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give what a whole job took; where nobody says so, what it had taken when it made its document.

    Parameters
    ----------
    entry : mapping
        Parts of its document, as `campaign_jobs` gives them.

    Returns
    -------
    dict or None
        Host and times in s; None where the document tells none.
    """
    usage = part_of(part_of(entry, "metadata"), USAGE)
    if usage.get("wall_time_s") is not None:
        return dict(usage)
    provenance = part_of(part_of(entry, "output"), "provenance")
    return dict(provenance) if provenance.get("wall_time_s") is not None else None


def part_of(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give a part of a document.

    Parameters
    ----------
    entry : mapping
        The document.
    name : str
        Name of the part.

    Returns
    -------
    mapping
        Empty where there is none.
    """
    found = entry.get(name)
    return found if isinstance(found, Mapping) else {}


@dataclass
class UsedTimes:
    """Core-seconds of a campaign's jobs, in all and by stage.

    Examples
    --------
    >>> used = UsedTimes()
    >>> times = {"wall_time_s": 9.0, "cpu_time_s": 7.0}
    >>> job = {"uuid": "a", "index": 1, "metadata": {"stage": "probe", "usage": times}}
    >>> used.add([job, job])
    >>> used.core_seconds
    9.0
    """

    core_seconds: float = 0.0
    timings: dict[str, StageTiming] = field(default_factory=dict)
    _seen: set[tuple[str, int]] = field(default_factory=set)
    _units: set[str] = field(default_factory=set)

    def add(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Count jobs that were not counted yet, and the units whose last job is among them.

        Parameters
        ----------
        entries : iterable of mapping
            Parts of the documents of jobs.
        """
        for entry in entries:
            # Results that were imported took their time elsewhere: of jobs alone the metadata tell it.
            times = part_of(part_of(entry, "metadata"), USAGE)
            place = (entry["uuid"], entry["index"])
            if not times or place in self._seen:
                continue
            self._seen.add(place)
            # Of several cores, those that worked.
            seconds = max(times.get("wall_time_s") or 0.0, times.get("cpu_time_s") or 0.0)
            self.core_seconds += seconds
            metadata, output = part_of(entry, "metadata"), part_of(entry, "output")
            stage = metadata.get("stage") or output.get("stage")
            if stage is None:
                continue
            timing = self.timings.setdefault(stage, StageTiming())
            timing.core_seconds += seconds
            key = output.get("stage_key")
            if key is not None and output.get("state") != "failed" and key not in self._units:
                self._units.add(key)
                timing.n_units += 1

    def add_units(self, stage_keys: Iterable[str], collections: CampaignCollections) -> None:
        """Count the jobs of units that have ended.

        Parameters
        ----------
        stage_keys : iterable of str
            Keys of the units.
        collections : CampaignCollections
            The store.
        """
        keys = list(stage_keys)
        if keys:
            criteria = {"metadata.stage_key": {"$in": keys}}
            self.add(collections.jobs.docs_store.query(criteria, properties=list(_FIELDS)))
