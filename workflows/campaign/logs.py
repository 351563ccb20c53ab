"""The logs of one candidate's jobs, wherever they run."""

from __future__ import annotations

import contextlib
import difflib
import json
from pathlib import Path
from typing import Any

from ...database.campaigns import CampaignCollections
from ...database.documents.campaign_record import CampaignRecord
from ...database.documents.candidate_summary import CandidateSummary
from ...database.project import ProjectFolder
from ...errors import SettingsError
from ..dispatch.queue_engine import JobLog
from .folders import unit_folder
from .prepared import prepare_campaign

_LAST_CHARACTERS = 20_000


def read_candidate_logs(
    record: CampaignRecord,
    collections: CampaignCollections,
    project: ProjectFolder | None,
    candidate: str,
    stage: str | None = None,
) -> list[JobLog]:
    """Read what the jobs of a candidate's stage printed.

    Parameters
    ----------
    record : CampaignRecord
        The campaign.
    collections : CampaignCollections
        The store.
    project : ProjectFolder or None
        Where units leave their files on this machine.
    candidate : str
        Label or id.
    stage : str or None
        Name of the stage; None for the last one begun.

    Returns
    -------
    list of JobLog
        Failed jobs first.

    Raises
    ------
    SettingsError
        If there is no such candidate, or it has not come to this stage.
    """
    row = _find_row(collections, record.campaign_id, candidate)
    if not row.stages:
        raise SettingsError(f"{row.label} has not come to any stage: {row.reason or 'it waits'}.")
    name = stage or list(row.stages)[-1]
    if name not in row.stages:
        raise SettingsError(f"{row.label} has not come to a stage {name}: there are {', '.join(row.stages)}.")
    keys = row.stages[name].stage_keys
    dispatch = prepare_campaign(record, store=collections.jobs).file.dispatch
    if dispatch.is_local:
        return [log for key in keys for log in _local_logs(project, key)]
    with contextlib.closing(dispatch.open_engine(collections)) as engine:
        return [log for key in keys for log in engine.logs(record.campaign_id, key)]


def _find_row(collections: CampaignCollections, campaign_id: str, candidate: str) -> CandidateSummary:
    """Find a candidate by label or id."""
    criteria = {"$or": [{"label": candidate}, {"candidate_id": candidate}]}
    found = list(collections.iter_rows(campaign_id, criteria=criteria))
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(row.candidate_id for row in found)
        raise SettingsError(f"There are {len(found)} candidates named {candidate}, so name one by its id: {ids}.")
    labels = [row.label for row in collections.iter_rows(campaign_id)]
    near = difflib.get_close_matches(candidate, labels, n=1, cutoff=0.0)
    hint = f", did you mean {near[0]}?" if near else "."
    raise SettingsError(f"There is no candidate {candidate} in the campaign {campaign_id}{hint}")


def _local_logs(project: ProjectFolder | None, stage_key: str) -> list[JobLog]:
    """Read the logs that a unit's jobs left on this machine."""
    if project is None:
        return []
    folder = unit_folder(project, stage_key)
    failures = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("failures/*.json")}
    found = []
    for path in folder.glob("jobs/*/log.txt"):
        name, uuid, index = path.parent.name.rsplit("-", 2)
        failure = _failure_of(failures, uuid, index)
        text = path.read_text(encoding="utf-8", errors="replace")[-_LAST_CHARACTERS:]
        if failure is not None and failure["message"] not in text:
            text = f"{text.rstrip()}\n{failure['message']}"
        found.append(JobLog(name, uuid, "begun" if failure is None else "failed", text, str(Path(path).parent)))
    return sorted(found, key=lambda log: (log.state != "failed", log.name))


def _failure_of(failures: dict[str, dict[str, Any]], uuid: str, index: str) -> dict[str, Any] | None:
    """Find the record of a job's failure by the beginning of its uuid."""
    for stem, failure in failures.items():
        if stem.startswith(uuid) and stem.endswith(f".{index}"):
            return failure
    return None
