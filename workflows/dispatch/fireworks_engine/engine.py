"""FireWorks as a campaign sees it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from jobflow import Flow
from pymongo.errors import PyMongoError
from typing_extensions import override

from ....database.campaigns import CampaignCollections
from ....database.mongo_server import MongoServerStore
from ....errors import StoreError
from ....runtime.heartbeat import Heartbeat, read_heartbeat
from ....runtime.resource_kind import resource_kinds
from ...clusters.find import find_cluster
from ..first_failures import first_failures
from ..queue_engine import FeedReport, Finding, JobLog, QueuedUnit, QueueEngine, RecoveryReport, UnitTicket
from .claims import CLAIMS, claim_units, release_units
from .halves import HALF_FIELDS, find_halves, remove_halves
from .launchpad import PatientLaunchPad, make_ready, open_launchpad, require_server
from .logs import read_logs
from .lost_jobs import forget_deaths
from .marks import ENGINE_NAME, STAGE_KEY, of_campaign
from .parking import join, let_go, open_units, park, unpark
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
from .standstill import ready_kinds, sentence_without_pilot
from .states import parents_by_job, read_units
from .submit import add_workflows, unit_workflow
from .withdraw import idle_pilots, withdraw_pilots

_log = logging.getLogger(__name__)


class FireworksEngine(QueueEngine):
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
        self.address = require_server(documents.uri if isinstance(documents, MongoServerStore) else None)
        self.work_folder = self.profile.work_folder_here()
        self.launchpad: PatientLaunchPad = open_launchpad(self.address, settings.launchpad)
        make_ready(self.launchpad)
        self.claims = self.launchpad.db[CLAIMS]

    @property
    @override
    def checkpoint_root(self) -> str:
        return str(self.work_folder / "trajectories")

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        return find_cluster(self.settings.cluster).stem

    @property
    @override
    def is_remote(self) -> bool:
        return False

    @override
    def standstill(self, campaign_id: str, *, coordinator_lives: bool = False) -> str | None:
        # Pilots are the coordinator's to hand in, which tells of a queue that refuses them.
        if coordinator_lives:
            return None
        ready = ready_kinds(self.launchpad, campaign_id, self.cluster)
        names = prefixes(self.launchpad, str(self.work_folder), self.cluster)
        try:
            return sentence_without_pilot(campaign_id, ready, self._pilots, names, self.profile)
        except StoreError:
            # Who cannot ask the queue does not know.
            return None

    @override
    def submit(self, units: Iterable[tuple[UnitTicket, Flow]]) -> list[str]:
        wanted = {ticket.stage_key: (ticket, flow) for ticket, flow in units}
        known = {
            workflow["metadata"]["superion"]["stage_key"]
            for workflow in self.launchpad.workflows.find({STAGE_KEY: {"$in": list(wanted)}}, {"_id": 0, STAGE_KEY: 1})
        }
        if known:
            for campaign_id in {wanted[key][0].campaign_id for key in known}:
                join(self.launchpad, campaign_id, [key for key in known if wanted[key][0].campaign_id == campaign_id])
        mine = claim_units(self.claims, list(wanted), known)
        try:
            workflows = [unit_workflow(*wanted[key], self.collections.jobs, self.cluster) for key in mine]
            add_workflows(self.launchpad, workflows)
        except BaseException:
            # Where the server is away, the next search for lost jobs does it.
            with contextlib.suppress(PyMongoError):
                self._remove_halves_of(mine)
                release_units(self.claims, mine)
            raise
        return mine

    @override
    def units(self, campaign_id: str) -> Mapping[str, QueuedUnit]:
        return read_units(self.launchpad, campaign_id)

    @override
    def feed(self, campaign_id: str) -> FeedReport:
        counts = count_jobs(self.launchpad, self.cluster)
        names = prefixes(self.launchpad, str(self.work_folder), self.cluster)
        try:
            there = count_pilots(self._pilots(), names)
        except StoreError as error:
            return FeedReport(problem=str(error))
        n_new, problem = 0, None
        environment: dict[str, str] | None = None
        for kind in resource_kinds():
            packing = self.profile.packing_of(kind)
            n_wanted = n_pilots_wanted(
                counts[kind]["READY"], counts[kind]["RUNNING"], there[kind], packing.jobs_at_a_time, packing.allocations
            )
            for _ in range(n_wanted):
                try:
                    environment = environment or worker_environment(self.profile, self.work_folder, self.address)
                    self._submit_pilot(kind, names[kind], environment)
                except (StoreError, OSError) as error:
                    problem = str(error)
                    break
                n_new += 1
        return FeedReport(n_new=n_new, n_queued=n_new + sum(there.values()), problem=problem)

    @override
    def recover(self, campaign_id: str) -> RecoveryReport:
        pilots: list[QueuedPilot] | None
        try:
            pilots = self._pilots()
        except StoreError:
            pilots = None
        return recover_jobs(self.launchpad, campaign_id, pilots, self.profile.heartbeat_s)

    @override
    def retry(self, campaign_id: str, stage_keys: Collection[str]) -> int:
        keys = list(stage_keys)
        n_units = unpark(self.launchpad, campaign_id, ["cancelled"], keys)
        units = {**of_campaign(campaign_id), STAGE_KEY: {"$in": keys}}
        found = self.launchpad.workflows.find(units, {"_id": 0, "fw_states": 1, "links": 1})
        workflows = [workflow for workflow in found if {"FIZZLED", "DEFUSED"} & set(workflow["fw_states"].values())]
        forget_deaths(self.launchpad, [int(fw_id) for workflow in workflows for fw_id in workflow["fw_states"]])
        for workflow in workflows:
            n_units += 1
            states = {int(fw_id): state for fw_id, state in workflow["fw_states"].items()}
            for fw_id in (fw_id for fw_id, state in states.items() if state == "DEFUSED"):
                self.launchpad.reignite_fw(fw_id)
            fizzled = [fw_id for fw_id, state in states.items() if state == "FIZZLED"]
            # What comes after them runs again with them: begun now, it would run before them.
            for fw_id in first_failures(fizzled, parents_by_job(workflow["links"])):
                self.launchpad.rerun_fw(fw_id)
        return n_units

    @override
    def cancel(self, campaign_id: str, stage_keys: Collection[str] | None = None) -> int:
        n_units = let_go(self.launchpad, campaign_id, stage_keys)
        n_units += park(self.launchpad, campaign_id, "cancelled", stage_keys)
        running = [
            int(fw_id)
            for workflow in self.launchpad.workflows.find(
                open_units(campaign_id, stage_keys), {"_id": 0, "fw_states": 1}
            )
            for fw_id, state in workflow["fw_states"].items()
            if state == "RUNNING"
        ]
        launches = self.launchpad.launches.find(
            {"fw_id": {"$in": running}, "state": "RUNNING"}, {"_id": 0, "launch_dir": 1}
        )
        n_unseen = 0
        for launch in launches:
            try:
                stop_file(Path(launch["launch_dir"])).touch()
            except OSError:
                n_unseen += 1
        if n_unseen:
            _log.warning(
                "Running jobs whose folders cannot be seen from this host were not told to stop, %d of them: they go "
                "on to their end, unless you cancel again on a host that sees them.",
                n_unseen,
            )
        self._withdraw_pilots()
        return n_units

    @override
    def pause(self, campaign_id: str) -> int:
        return park(self.launchpad, campaign_id, "paused")

    @override
    def resume(self, campaign_id: str) -> int:
        return unpark(self.launchpad, campaign_id, ["paused"])

    @override
    def logs(self, campaign_id: str, stage_key: str) -> Sequence[JobLog]:
        return read_logs(self.launchpad, campaign_id, stage_key)

    @override
    def progress(self, uuids: Collection[str]) -> Mapping[str, Heartbeat]:
        found: dict[str, Heartbeat] = {}
        for uuid in uuids:
            try:
                found[uuid] = read_heartbeat(self.work_folder / "progress" / f"{uuid}.json")
            except (OSError, ValueError):
                # Nothing told yet, or in the middle of being told.
                continue
        return found

    @override
    def check(self) -> Sequence[Finding]:
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

    @override
    def close(self) -> None:
        self.launchpad.connection.close()

    def _remove_halves_of(self, stage_keys: Sequence[str]) -> None:
        """Remove what came of a failed hand-over and lacks jobs; what is whole stays, and counts as handed over."""
        written = list(self.launchpad.workflows.find({STAGE_KEY: {"$in": list(stage_keys)}}, HALF_FIELDS))
        remove_halves(self.launchpad, find_halves(self.launchpad, written), settling_s=0.0)

    def _submit_pilot(self, kind: str, prefix: str, environment: dict[str, str]) -> None:
        launchpad_file = self.settings.launchpad
        submit_pilot(self.launchpad, self.profile, self.cluster, kind, prefix, environment, launchpad_file)

    def _withdraw_pilots(self) -> None:
        """Take pilots out of the queue for which no job is left."""
        try:
            there = self._pilots()
        except StoreError:
            # They end by themselves when they find nothing to do.
            return
        names = prefixes(self.launchpad, str(self.work_folder), self.cluster)
        vain = idle_pilots(there, names, count_jobs(self.launchpad, self.cluster))
        withdraw_pilots(self.profile.scheduler, vain)

    def _pilots(self) -> list[QueuedPilot]:
        """List the pilots of this launchpad."""
        names = tuple(prefixes(self.launchpad, str(self.work_folder), self.cluster).values())
        found = list_pilots(self.profile.scheduler, "superion-", pilots_folder(self.work_folder))
        return [pilot for pilot in found if pilot.name.startswith(names)]
