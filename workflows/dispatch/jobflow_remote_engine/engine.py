"""The engine of campaigns on jobflow-remote."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from jobflow import Flow
from jobflow_remote.jobs.state import JobState
from typing_extensions import override

from ....database.campaigns import CampaignCollections
from ....errors import SettingsError
from ....runtime.heartbeat import Heartbeat
from ....runtime.resource_kind import DEFAULT_KIND
from ..queue_engine import FeedReport, Finding, JobLog, QueuedUnit, QueueEngine, RecoveryReport, UnitTicket
from .check import check_project
from .connection import find_project_file, load_project, open_controller
from .control import cancel_units, pause_units, resume_units, retry_units
from .hosts import Hosts
from .logs import read_logs
from .progress import read_progress
from .project_file import allocation_of, is_batched, work_folder_of
from .records import load_units
from .recovery import Recovery
from .runner import look_for_runner, sentence_without_runner, start_runner
from .scheduler_io import header_of
from .settings import JobflowRemoteDispatch
from .states import standing
from .submit import ensure_unit_indexes, submit_units
from .worker_names import worker_name

_IN_QUEUE = [JobState.SUBMITTED, JobState.RUNNING, JobState.BATCH_SUBMITTED, JobState.BATCH_RUNNING]
_WAITS_FOR_RUNNER = [
    JobState.READY,
    JobState.CHECKED_OUT,
    JobState.UPLOADED,
    JobState.RUN_FINISHED,
    JobState.DOWNLOADED,
]


class JobflowRemoteEngine(QueueEngine):
    """Hands units to a jobflow-remote project, whose runner submits their jobs to the queue of a cluster.

    Parameters
    ----------
    settings : JobflowRemoteDispatch
        The section `dispatch` of a campaign file.
    collections : CampaignCollections
        The store of the campaign.

    Raises
    ------
    SettingsError
        If the project or the profile of the cluster cannot be used.
    StoreError
        If the project's database cannot be used.
    """

    name = "jobflow_remote"

    def __init__(self, settings: JobflowRemoteDispatch, collections: CampaignCollections) -> None:
        self.settings = settings
        self.collections = collections
        self.profile = settings.profile()
        self.resources = self._resources_of_jobs()
        self.project = load_project(settings.project)
        self.controller = open_controller(self.project)
        self.hosts = Hosts(self.project)
        ensure_unit_indexes(self.controller)

    def _resources_of_jobs(self) -> dict[str, dict[str, Any]]:
        """Translate what the campaign file asks for beyond the profile."""
        packed = [kind for kind in self.settings.resources if is_batched(self.profile, kind)]
        if packed:
            raise SettingsError(
                f"dispatch.resources.{packed[0]} cannot be given: jobs of this kind share allocations, whose resources "
                "jobflow-remote takes from the project; change the profile, and write the project anew with "
                "`superion cluster init`."
            )
        return {
            kind: header_of(self.profile.scheduler, allocation_of(self.profile, kind))
            for kind in self.settings.resources
        }

    @property
    @override
    def checkpoint_root(self) -> str:
        return str(work_folder_of(self.profile) / "trajectories")

    @property
    @override
    def is_remote(self) -> bool:
        return self.profile.host is not None

    # ------------------------------------------------------------------- units

    @override
    def submit(self, units: Iterable[tuple[UnitTicket, Flow]]) -> list[str]:
        return submit_units(self.controller, self.settings.cluster, units, self.resources)

    @override
    def units(self, campaign_id: str) -> Mapping[str, QueuedUnit]:
        return {unit.stage_key: standing(unit) for unit in load_units(self.controller, campaign_id)}

    # ------------------------------------------------------------------ workers

    @override
    def feed(self, campaign_id: str) -> FeedReport:
        counts = self.controller.count_jobs_states([*_IN_QUEUE, *_WAITS_FOR_RUNNER])
        if not sum(counts.values()):
            return FeedReport()
        return FeedReport(n_queued=sum(counts[state] for state in _IN_QUEUE), problem=self._without_runner())

    @override
    def standstill(self, campaign_id: str, *, coordinator_lives: bool = False) -> str | None:
        counts = self.controller.count_jobs_states([*_IN_QUEUE, *_WAITS_FOR_RUNNER])
        return self._without_runner() if sum(counts.values()) else None

    def _without_runner(self) -> str | None:
        """Say that no runner lives, and how to start one."""
        life = look_for_runner(self.controller)
        return None if life.is_alive else sentence_without_runner(self.controller, life)

    def start_runner(self) -> None:
        """Start the project's runner as a daemon on this host.

        Raises
        ------
        StoreError
            If it does not start, or one runs elsewhere.
        """
        start_runner(self.controller)

    @override
    def recover(self, campaign_id: str) -> RecoveryReport:
        return Recovery(self.controller, self.hosts, campaign_id).run()

    # ------------------------------------------------------------------ control

    @override
    def retry(self, campaign_id: str, stage_keys: Collection[str]) -> int:
        return retry_units(self.controller, campaign_id, stage_keys)

    @override
    def cancel(self, campaign_id: str, stage_keys: Collection[str] | None = None) -> int:
        return cancel_units(self.controller, self.hosts, campaign_id, stage_keys)

    @override
    def pause(self, campaign_id: str) -> int:
        return pause_units(self.controller, self.hosts, campaign_id)

    @override
    def resume(self, campaign_id: str) -> int:
        return resume_units(self.controller, campaign_id)

    # --------------------------------------------------------------------- words

    @override
    def logs(self, campaign_id: str, stage_key: str) -> Sequence[JobLog]:
        units = load_units(self.controller, campaign_id, [stage_key], with_completed=True)
        return [log for unit in units for log in read_logs(self.hosts, unit)]

    @override
    def progress(self, uuids: Collection[str]) -> Mapping[str, Heartbeat]:
        if not uuids:
            return {}
        worker = worker_name(self.settings.cluster, DEFAULT_KIND)
        return read_progress(self.hosts, worker, str(work_folder_of(self.profile) / "progress"), uuids)

    @override
    def check(self) -> Sequence[Finding]:
        file = find_project_file(self.settings.project)
        found = check_project(self.controller, self.hosts, self.settings.cluster, self.collections.jobs, file)
        return list(found)

    @override
    def close(self) -> None:
        self.hosts.close()
        self.controller.close()
