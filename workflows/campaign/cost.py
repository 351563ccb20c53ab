"""What a campaign has taken so far: wall, processor and GPU hours, as its documents say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from ...database.campaigns import CampaignCollections
from .used_times import campaign_jobs, job_times, part_of

NO_STAGE = "(no stage)"
NO_CANDIDATE = "(no candidate)"
NO_HOST = "(unknown host)"

_TIMES = ("wall_time_s", "cpu_time_s", "gpu_time_s")


class Cost(BaseModel):
    """Hours of some jobs."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="stage, candidate or host")
    n_jobs: int = Field(description="jobs that say what they took, each part of a continued one for itself")
    wall_hours: float = Field(description="wall time of all of them, one after the other")
    cpu_hours: float = Field(description="time of all processor cores together")
    gpu_hours: float = Field(description="wall time for which they held a GPU")


class CampaignCost(BaseModel):
    """What a campaign has taken."""

    model_config = ConfigDict(frozen=True)

    campaign_id: str = Field(description="the campaign")
    total: Cost = Field(description="all jobs")
    stages: list[Cost] = Field(description="by stage, the costliest first")
    candidates: list[Cost] = Field(description="by candidate, the costliest first; a shared unit counts for the first")
    hosts: list[Cost] = Field(description="by host, the costliest first")
    n_documents: int = Field(description="documents of the campaign's jobs")
    n_without_times: int = Field(description="those that do not say what their jobs took, which are not counted")


@dataclass
class _Sum:
    """Seconds so far."""

    n_jobs: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_TIMES, 0.0))

    def add(self, times: Mapping[str, float | None]) -> None:
        """Count one job."""
        self.n_jobs += 1
        for name in _TIMES:
            self.seconds[name] += times.get(name) or 0.0

    def cost(self, name: str) -> Cost:
        """Give hours."""
        wall, cpu, gpu = (round(self.seconds[time] / 3600.0, 6) for time in _TIMES)
        return Cost(name=name, n_jobs=self.n_jobs, wall_hours=wall, cpu_hours=cpu, gpu_hours=gpu)


def campaign_cost(campaign_id: str, collections: CampaignCollections, *, n_candidates: int = 10) -> CampaignCost:
    """Sum up what the jobs of a campaign took.

    Every part of a job that was continued has a document of its own and counts once. Work that was reused from another
    campaign is that campaign's. Jobs that were killed left no document and are missing.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    collections : CampaignCollections
        The store.
    n_candidates : int
        How many of the costliest candidates to name.

    Returns
    -------
    CampaignCost
        Hours.
    """
    labels = _labels(campaign_id, collections)
    total = _Sum()
    sums: dict[str, dict[str, _Sum]] = {"stages": {}, "candidates": {}, "hosts": {}}
    n_documents = n_without_times = 0
    for entry in campaign_jobs(campaign_id, collections):
        n_documents += 1
        times = job_times(entry)
        if times is None:
            n_without_times += 1
            continue
        metadata, output = part_of(entry, "metadata"), part_of(entry, "output")
        names = {
            "stages": metadata.get("stage") or output.get("stage") or NO_STAGE,
            "candidates": labels.get(metadata.get("stage_key") or output.get("stage_key") or "", NO_CANDIDATE),
            "hosts": times.get("host") or NO_HOST,
        }
        total.add(times)
        for kind, name in names.items():
            sums[kind].setdefault(name, _Sum()).add(times)
    costs = {kind: _sorted(found) for kind, found in sums.items()}
    return CampaignCost(
        campaign_id=campaign_id,
        total=total.cost("all"),
        stages=costs["stages"],
        candidates=costs["candidates"][:n_candidates],
        hosts=costs["hosts"],
        n_documents=n_documents,
        n_without_times=n_without_times,
    )


def _labels(campaign_id: str, collections: CampaignCollections) -> dict[str, str]:
    """Name the candidate that each unit is of."""
    labels: dict[str, str] = {}
    for row in collections.candidates.query(
        {"campaign_id": campaign_id}, properties=["candidate_id", "label", "stages"], sort={"key": 1}
    ):
        for stage in part_of(row, "stages").values():
            for key in stage.get("stage_keys", ()):
                labels.setdefault(key, f"{row['label']} ({row['candidate_id']})")
    return labels


def _sorted(sums: Mapping[str, _Sum]) -> list[Cost]:
    costs = [found.cost(name) for name, found in sums.items()]
    return sorted(costs, key=lambda cost: (-cost.gpu_hours, -cost.wall_hours, cost.name))
