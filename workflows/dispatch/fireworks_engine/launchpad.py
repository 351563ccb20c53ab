"""FireWorks' database: opened without loss, and patient when its server is away for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fireworks import FWAction, LaunchPad
from pymongo.errors import PyMongoError

from ....database.file_privacy import holds_password, refuse_unless_private
from ....database.mongo_server import SERVER_TIMEOUT_MS, database_in_uri, redact_uri
from ....database.server_patience import patiently, write_patience_s
from ....errors import SettingsError, StoreError
from .kinds import sort_generated_jobs
from .lost_jobs import is_no_fault
from .marks import CAMPAIGN_IDS, STAGE_KEY

Result = TypeVar("Result")

_SERVERS = ("mongodb://", "mongodb+srv://")

_log = logging.getLogger(__name__)


class PatientLaunchPad(LaunchPad):
    """A launchpad whose workers keep their results in hand until the server is back.

    Parameters
    ----------
    *arguments, **options
        As for FireWorks' own.
    """

    def checkout_fw(self, *arguments: Any, **options: Any) -> Any:
        """Take a job, patiently."""
        return self.patiently(lambda: super(PatientLaunchPad, self).checkout_fw(*arguments, **options))

    def complete_launch(self, launch_id: int, action: FWAction | None = None, state: str = "COMPLETED") -> Any:
        """Hand in what became of a job, patiently; one that ended through no fault of its own stays in hand.

        Its worker puts that back: handed in as failed, it would let the jobs after it start in between.
        """
        if action is not None:
            sort_generated_jobs(action)
        stored = {} if action is None else action.stored_data
        if state == "FIZZLED" and is_no_fault((stored.get("_exception") or {}).get("_stacktrace") or ""):
            return None
        return self.patiently(lambda: super(PatientLaunchPad, self).complete_launch(launch_id, action, state))

    def rerun_fw(self, *arguments: Any, **options: Any) -> Any:
        """Put a job back, patiently."""
        return self.patiently(lambda: super(PatientLaunchPad, self).rerun_fw(*arguments, **options))

    def get_launch_by_id(self, *arguments: Any, **options: Any) -> Any:
        """Read a launch, patiently."""
        return self.patiently(lambda: super(PatientLaunchPad, self).get_launch_by_id(*arguments, **options))

    def ping_launch(self, *arguments: Any, **options: Any) -> Any:
        """Say that a job lives; a ping that does not get through is none."""
        try:
            return super().ping_launch(*arguments, **options)
        except PyMongoError as error:
            _log.debug("a ping did not reach the launchpad (%s)", type(error).__name__)
            return None

    def patiently(self, action: Callable[[], Result]) -> Result:
        """Repeat a request while the server is away.

        Parameters
        ----------
        action : callable
            The request; doing it twice must be the same as once.

        Returns
        -------
        object
            What the action returns.

        Raises
        ------
        StoreAwayError
            If the server stays away.
        """
        return patiently(action, redact_uri(self.host), write_patience_s())


def open_launchpad(store_address: str, launchpad_file: str | Path | None = None) -> PatientLaunchPad:
    """Open FireWorks' database.

    Parameters
    ----------
    store_address : str
        Address of the result store on a MongoDB server; FireWorks' collections lie beside superion's.
    launchpad_file : str, Path or None
        A file `my_launchpad.yaml` of the user's own, for a launchpad that is elsewhere.

    Returns
    -------
    PatientLaunchPad
        Ready; not yet known to answer.

    Raises
    ------
    SettingsError
        If the file cannot be read.
    StoreError
        If the store is no MongoDB server's and no file is given, or others may read a file with a password.
    """
    if launchpad_file is not None:
        path = Path(launchpad_file).expanduser()
        try:
            found = LaunchPad.from_file(str(path)).to_dict()
        except Exception as error:
            # What a broken YAML file raises may quote a password.
            raise SettingsError(
                f"The launchpad file {path} cannot be used ({type(error).__name__}): write one with `superion cluster "
                "init --engine fireworks`, or `lpad init`."
            ) from None
        if holds_password(found):
            refuse_unless_private(path, path.stat(), f"The launchpad file {path}")
        options = {"serverSelectionTimeoutMS": SERVER_TIMEOUT_MS, **(found.get("mongoclient_kwargs") or {})}
        return PatientLaunchPad(**{**found, "mongoclient_kwargs": options, "strm_lvl": "ERROR"})
    require_server(store_address)
    return PatientLaunchPad(
        host=store_address,
        name=database_in_uri(store_address),
        uri_mode=True,
        strm_lvl="ERROR",
        mongoclient_kwargs={"serverSelectionTimeoutMS": SERVER_TIMEOUT_MS},
    )


def require_server(store_address: str | None) -> str:
    """See that a store is one that FireWorks' workers reach.

    Parameters
    ----------
    store_address : str or None
        Address of the result store; None for one that has none.

    Returns
    -------
    str
        The same address.

    Raises
    ------
    StoreError
        If it is no MongoDB server's.

    Examples
    --------
    >>> require_server("mongodb://host/superion")
    'mongodb://host/superion'
    """
    if store_address is None or not store_address.startswith(_SERVERS):
        found = "this store" if store_address is None else f"the store {redact_uri(store_address)}"
        raise StoreError(
            f"FireWorks keeps jobs and results on a MongoDB server, and {found} is none: name one as --store "
            "mongodb://host/database or in SUPERION_STORE, and take campaigns along with `superion campaign export` "
            "and `import`."
        )
    return store_address


def make_ready(launchpad: LaunchPad) -> None:
    """Make what a new launchpad needs, and change nothing of one that is in use.

    Parameters
    ----------
    launchpad : LaunchPad
        The launchpad.

    Raises
    ------
    StoreError
        If its server does not answer.
    """
    try:
        if launchpad.fw_id_assigner.find_one({}) is None:
            launchpad.fw_id_assigner.update_one(
                {"_id": -1}, {"$setOnInsert": {"next_fw_id": 1, "next_launch_id": 1}}, upsert=True
            )
            launchpad.tuneup(bkground=False)
        for path in (CAMPAIGN_IDS, STAGE_KEY):
            launchpad.workflows.create_index(path)
    except PyMongoError as error:
        raise StoreError(
            f"The launchpad's database cannot be used ({type(error).__name__}): see that its server runs, that this "
            "host reaches it, and that address and credentials are right."
        ) from None
