"""FireWorks as a campaign sees it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jobflow import Flow
from pymongo.errors import PyMongoError

from ....database.campaigns import CampaignCollections
from ....database.mongo_server import MongoServerStore
from ....errors import StoreError
from ....makers.heartbeat import JobProgress, read_heartbeat
from ....makers.resource_kind import RESOURCE_KINDS, ResourceKind
from ...clusters.find import find_cluster
from ..queue_engine import FeedReport, Finding, JobLog, QueuedUnit, RecoveryReport, UnitTicket
from .claims import CLAIMS, claim_units, release_units
from .launchpad import PatientLaunchPad, make_ready, open_launchpad
from .logs import read_logs
from .marks import ENGINE_NAME, STAGE_KEY, of_campaign
from .parking import park, take_over, unpark
from .pilot_place import pilots_folder, stop_file
from .pilots import (
    count_jobs,
    count_pilots,
    n_pilots_wanted,
    prefixes,
    submit_pilot,
    worker_environment,
)
from .queue_listing import QueuedPilot, list_pilots
from .recovery import recover_jobs
from .settings import FireworksDispatch
from .states import read_units
from .submit import add_workflows, unit_workflow


class FireworksEngine:
    """Units as workflows on a launchpad; pilots in the cluster's queue take their jobs.

    Parameters
    ----------
    settings : FireworksDispatch
        The section of the campaign file.
    collections : CampaignCollections
        The store of the campaign, on a MongoDB server.

    Raises
    ------
    StoreError
        If the store is no MongoDB server's, or a server does not answer.
    """

    name = ENGINE_NAME

    def __init__(self, settings: FireworksDispatch, collections: CampaignCollections) -> None:
        self.settings = settings
        self.collections = collections
        self.profile = settings.profile()
        documents = collections.jobs.docs_store
        if not isinstance(documents, MongoServerStore):
            raise StoreError(
                "FireWorks' workers write their results to a MongoDB server, and this campaign's store is none: name "
                "one as --store mongodb://host/database or in SUPERION_STORE, and take campaigns along with "
                "`superion campaign export` and `import`."
            )
        self.address = documents.uri or ""
        self.work_folder = self.profile.work_folder_here()
        self.launchpad: PatientLaunchPad = open_launchpad(self.address, settings.launchpad)
        make_ready(self.launchpad)
        self.claims = self.launchpad.db[CLAIMS]

    @property
    def checkpoint_root(self) -> str:
        """Folder of the trajectories, on the cluster."""
        return str(self.work_folder / "trajectories")

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        return find_cluster(self.settings.cluster).stem

    def submit(self, units: Iterable[tuple[UnitTicket, Flow]]) -> list[str]:
        """Put units onto the launchpad; those that are there are left as they are.

        Parameters
        ----------
        units : iterable of (UnitTicket, Flow)
            Units.

        Returns
        -------
        list of str
            Keys of the new ones.
        """
        wanted = {ticket.stage_key: (ticket, flow) for ticket, flow in units}
        known = {
            workflow["metadata"]["superion"]["stage_key"]
            for workflow in self.launchpad.workflows.find({STAGE_KEY: {"$in": list(wanted)}}, {"_id": 0, STAGE_KEY: 1})
        }
        if known:
            take_over(self.launchpad, {key: wanted[key][0].campaign_id for key in known})
        mine = claim_units(self.claims, list(wanted), known)
        try:
            workflows = [unit_workflow(*wanted[key], self.collections.jobs, self.cluster) for key in mine]
            add_workflows(self.launchpad, workflows)
        except BaseException:
            release_units(self.claims, mine)
            raise
        return mine

    def units(self, campaign_id: str) -> Mapping[str, QueuedUnit]:
        """Tell of all units of a campaign, in three queries.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        mapping of str to QueuedUnit
            By stage key.
        """
        return read_units(self.launchpad, campaign_id)

    def feed(self, campaign_id: str) -> FeedReport:
        """Put pilots into the queue for the jobs that are ready.

        Parameters
        ----------
        campaign_id : str
            The campaign; pilots serve all campaigns of the launchpad.

        Returns
        -------
        FeedReport
            How many are new, and how many there are.
        """
        counts = count_jobs(self.launchpad, self.cluster)
        names = prefixes(self.launchpad, str(self.work_folder))
        try:
            there = count_pilots(self._pilots(), names)
        except StoreError as error:
            return FeedReport(problem=str(error))
        n_new, problem = 0, None
        environment: dict[str, str] | None = None
        for kind in RESOURCE_KINDS:
            packing = self.profile.packing_of(kind)
            n_wanted = n_pilots_wanted(
                counts[kind]["READY"], counts[kind]["RUNNING"], there[kind], packing.jobs_at_a_time, packing.allocations
            )
            for _ in range(n_wanted):
                environment = environment or worker_environment(self.profile, self.work_folder, self.address)
                try:
                    self._submit_pilot(kind, names[kind], environment)
                except (StoreError, OSError) as error:
                    problem = str(error)
                    break
                n_new += 1
        return FeedReport(n_new=n_new, n_queued=n_new + sum(there.values()), problem=problem)

    def recover(self, campaign_id: str) -> RecoveryReport:
        """Put back jobs whose pilot is gone.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        RecoveryReport
            What was put back.
        """
        pilots: list[QueuedPilot] | None
        try:
            pilots = self._pilots()
        except StoreError:
            pilots = None
        return recover_jobs(self.launchpad, campaign_id, pilots, self.profile.heartbeat_s)

    def retry(self, campaign_id: str, stage_keys: Collection[str]) -> int:
        """Let failed or cancelled units go on.

        Parameters
        ----------
        campaign_id : str
            The campaign.
        stage_keys : collection of str
            Units.

        Returns
        -------
        int
            How many.
        """
        keys = list(stage_keys)
        n_units = unpark(self.launchpad, campaign_id, ["cancelled"], keys)
        failed = {**of_campaign(campaign_id), STAGE_KEY: {"$in": keys}, "state": {"$in": ["FIZZLED", "DEFUSED"]}}
        for workflow in self.launchpad.workflows.find(failed, {"_id": 0, "fw_states": 1}):
            n_units += 1
            for fw_id, state in workflow["fw_states"].items():
                if state == "DEFUSED":
                    self.launchpad.reignite_fw(int(fw_id))
                elif state == "FIZZLED":
                    self.launchpad.rerun_fw(int(fw_id))
        return n_units

    def cancel(self, campaign_id: str, stage_keys: Collection[str] | None = None) -> int:
        """Keep units from going on; running molecular dynamics writes its checkpoint.

        Parameters
        ----------
        campaign_id : str
            The campaign.
        stage_keys : collection of str or None
            Units; None for all.

        Returns
        -------
        int
            How many.
        """
        n_units = park(self.launchpad, campaign_id, "cancelled", stage_keys)
        criteria: dict[str, Any] = {**of_campaign(campaign_id), "state": {"$nin": ["COMPLETED", "ARCHIVED"]}}
        if stage_keys is not None:
            criteria[STAGE_KEY] = {"$in": list(stage_keys)}
        running = [
            int(fw_id)
            for workflow in self.launchpad.workflows.find(criteria, {"_id": 0, "fw_states": 1})
            for fw_id, state in workflow["fw_states"].items()
            if state == "RUNNING"
        ]
        launches = self.launchpad.launches.find(
            {"fw_id": {"$in": running}, "state": "RUNNING"}, {"_id": 0, "launch_dir": 1}
        )
        for launch in launches:
            folder = Path(launch["launch_dir"])
            if folder.is_dir():
                stop_file(folder).touch()
        return n_units

    def pause(self, campaign_id: str) -> int:
        """Keep waiting jobs from starting; running ones go on to their end, or to that of their allocation.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        int
            Units that wait now.
        """
        return park(self.launchpad, campaign_id, "paused")

    def resume(self, campaign_id: str) -> int:
        """Let paused units start.

        Parameters
        ----------
        campaign_id : str
            The campaign.

        Returns
        -------
        int
            How many.
        """
        return unpark(self.launchpad, campaign_id, ["paused"])

    def logs(self, campaign_id: str, stage_key: str) -> Sequence[JobLog]:
        """Give what the jobs of a unit printed.

        Parameters
        ----------
        campaign_id : str
            The campaign.
        stage_key : str
            Key of the unit.

        Returns
        -------
        sequence of JobLog
            Failed jobs first.
        """
        return read_logs(self.launchpad, campaign_id, stage_key)

    def progress(self, uuids: Collection[str]) -> Mapping[str, JobProgress]:
        """Read the heartbeats of running jobs, where this host sees the cluster's disk.

        Parameters
        ----------
        uuids : collection of str
            Jobs.

        Returns
        -------
        mapping of str to JobProgress
            By uuid.
        """
        found: dict[str, JobProgress] = {}
        for uuid in uuids:
            try:
                found[uuid] = read_heartbeat(self.work_folder / "progress" / f"{uuid}.json")
            except (OSError, ValueError):
                # Nothing told yet, or in the middle of being told.
                continue
        return found

    def check(self) -> Sequence[Finding]:
        """Look at launchpad and queue.

        Returns
        -------
        sequence of Finding
            What was found.
        """
        findings = []
        try:
            self.launchpad.db.command("ping")
            n_ready = self.launchpad.fireworks.count_documents({"state": "READY"}, limit=1000)
            findings.append(Finding("launchpad", "ok", f"{n_ready} jobs are ready"))
        except PyMongoError as error:
            findings.append(
                Finding("launchpad", "error", f"it does not answer ({type(error).__name__}): see that its server runs")
            )
        try:
            n_pilots = len(self._pilots())
            findings.append(Finding("queue", "ok", f"{n_pilots} pilots of this launchpad wait or run"))
        except StoreError as error:
            findings.append(Finding("queue", "error", str(error)))
        return findings

    def close(self) -> None:
        """Let go of the connection."""
        self.launchpad.connection.close()

    def _submit_pilot(self, kind: ResourceKind, prefix: str, environment: dict[str, str]) -> None:
        launchpad_file = self.settings.launchpad
        submit_pilot(self.launchpad, self.profile, self.cluster, kind, prefix, environment, launchpad_file)

    def _pilots(self) -> list[QueuedPilot]:
        """List the pilots of this launchpad."""
        names = tuple(prefixes(self.launchpad, str(self.work_folder)).values())
        found = list_pilots(self.profile.scheduler, "superion-", pilots_folder(self.work_folder))
        return [pilot for pilot in found if pilot.name.startswith(names)]
