"""The candidates and trajectories of a finished campaign, for `sequential_stopping.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stopping_protocols import NEVER, Material, Way
from stopping_replay import open_full_length
from superion.database.campaigns import CampaignCollections
from superion.database.documents.stage import StageDoc
from superion.database.project import find_project
from superion.errors import SettingsError, TrajectoryError
from superion.runtime.atoms import as_structure
from superion.workflows.campaign.find import find_campaign
from superion.workflows.campaign.prepared import prepare_campaign
from superion.workflows.stages.conductivity import ConductivitySettings
from superion.workflows.stages.probe import ProbeSettings


@dataclass(frozen=True)
class StoredCampaign:
    """What of a campaign can be replayed.

    Parameters
    ----------
    name : str
        Name of the campaign.
    library : Path
        Folder of its trajectories.
    entries : list of (Material, Way, Way)
        Candidates with the stages whose runs are all of full length: the fixed and the sequential way.
    left_out : dict of str to str
        Why others are left out.
    stops_by_itself : bool
        Whether its file lets rules end runs, so that only those runs are of full length that no rule could end.
    """

    name: str
    library: Path
    entries: list[tuple[Material, Way, Way]]
    left_out: dict[str, str]
    stops_by_itself: bool


def load_campaign(folder: Path, name: str | None = None) -> StoredCampaign:
    """Read a finished campaign.

    Criteria that its file switches off, as a campaign of fixed length does, are those of the stages by default.

    Parameters
    ----------
    folder : Path
        Folder of its superion project.
    name : str or None
        Its name; None for the only one.

    Returns
    -------
    StoredCampaign
        Candidates whose trajectories are of full length.

    Raises
    ------
    SettingsError
        If it has neither a probe nor a conductivity stage.
    StoreError
        If the folder holds no store that can be read.
    """
    project = find_project(folder)
    with CampaignCollections.open(project=project, create=False) as collections:
        record = find_campaign(collections, name)
        campaign = prepare_campaign(record)
        settings = {stage.name: found for stage, found in campaign.stages if stage.name in _DEFAULTS}
        if not settings:
            raise SettingsError(f"The campaign {record.campaign_id} has neither a probe nor a conductivity stage.")
        rows = list(collections.iter_rows(record.campaign_id, with_structures=False))
        keys = {
            key for row in rows for stage in settings if stage in row.stages for key in row.stages[stage].stage_keys
        }
        documents = collections.latest_stage_docs(keys)
    symbol, charge = campaign.ion
    entries, left_out = [], {}
    for row in rows:
        found: dict[str, StageDoc] = {}
        for stage in settings:
            summary = row.stages.get(stage)
            if summary is not None and len(summary.stage_keys) == 1 and summary.stage_keys[0] in documents:
                found[stage] = documents[summary.stage_keys[0]]
        structures = [document.structure for document in found.values() if document.structure is not None]
        if not structures:
            left_out[row.label] = "no single ordering of it went through molecular dynamics"
            continue
        material = Material(row.label, as_structure(structures[0]), symbol, charge, campaign.file.potential)
        whole, reason = {}, ""
        for stage in found:
            try:
                for run in material.runs(settings[stage]):
                    open_full_length(project.trajectories / run.key, settings[stage].duration_ps)
                whole[stage] = settings[stage]
            except TrajectoryError as error:
                reason = str(error)
        if not whole:
            left_out[row.label] = reason
            continue
        fixed = {stage: stage_settings.model_copy(update=NEVER) for stage, stage_settings in whole.items()}
        judged = {stage: _with_criteria(stage_settings) for stage, stage_settings in whole.items()}
        ways = (Way(way.get("probe"), way.get("conductivity")) for way in (fixed, judged))
        entries.append((material, *ways))
    return StoredCampaign(
        name=record.campaign_id,
        library=project.trajectories,
        entries=entries,
        left_out=left_out,
        stops_by_itself=any(getattr(value, field) is not None for value in settings.values() for field in NEVER),
    )


_DEFAULTS = {"probe": ProbeSettings(), "conductivity": ConductivitySettings()}


def _with_criteria(settings: ProbeSettings | ConductivitySettings) -> ProbeSettings | ConductivitySettings:
    """Give the settings with the default criteria in place of those that are switched off."""
    default = _DEFAULTS["probe" if isinstance(settings, ProbeSettings) else "conductivity"]
    missing = {field: getattr(default, field) for field in NEVER if getattr(settings, field) is None}
    return settings.model_copy(update=missing)
