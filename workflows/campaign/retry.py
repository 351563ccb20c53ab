"""Letting failed units of a campaign be computed again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from ...database.campaigns import CampaignCollections
from ...database.documents.campaign_record import CampaignRecord
from ...database.project import ProjectFolder
from ..dispatch.run_folder import RunFolder, is_locked
from .failed_unit import FAILED_SHARED_WORK
from .folders import campaign_folder, unit_folder
from .lock import campaign_lock
from .prepared import prepare_campaign
from .submit import judge_again


def forget_failures(record: CampaignRecord, collections: CampaignCollections, project: ProjectFolder) -> int:
    """Take failed units of a campaign out of the store, so that its next run computes them again.

    Jobs of these units that went well are not computed again, and trajectories continue from their checkpoints.

    Parameters
    ----------
    record : CampaignRecord
        The campaign; it must not be running.
    collections : CampaignCollections
        The store.
    project : ProjectFolder
        Where units leave their files.

    Returns
    -------
    int
        How many units, and shared work of theirs, will be tried again.

    Raises
    ------
    StoreError
        If the campaign is running here.
    """
    campaign = prepare_campaign(record, store=collections.jobs)
    with campaign_lock(campaign_folder(project, record.campaign_id), record.campaign_id, wait_s=0.0):
        keys = {
            key
            for row in collections.iter_rows(record.campaign_id)
            for stage in row.stages.values()
            for key in stage.stage_keys
        }
        documents = collections.latest_stage_docs(keys, with_structures=False)
        units = [key for key, document in documents.items() if document.state == "failed"]
        failed = sorted({*units, *_failed_shared_work(record.campaign_id, units, collections)})
        if not campaign.file.dispatch.is_local:
            with contextlib.closing(campaign.file.dispatch.open_engine(collections)) as engine:
                engine.retry(record.campaign_id, failed)
        for key in failed:
            folder = RunFolder(unit_folder(project, key))
            if not (folder.path / "failures").is_dir() and not is_locked(folder):
                # The stage itself said that it failed: its outcome must go.
                folder.remove()
            # Last: until the document is gone a kill here is harmless.
            collections.jobs.remove_docs({"output.stage_key": key, "output.state": "failed"})
        judge_again(campaign, collections)
    return len(failed)


def _failed_shared_work(campaign_id: str, units: Iterable[str], collections: CampaignCollections) -> set[str]:
    """Find shared work that failed: what failed units name, and what failed for this campaign."""
    named = {
        key
        for document in collections.latest_stage_docs(units).values()
        for key in document.details.get(FAILED_SHARED_WORK, ())
    }
    shared = collections.latest_stage_docs(named | collections.failed_shared_keys(campaign_id), with_structures=False)
    return {key for key, document in shared.items() if document.state == "failed"}
