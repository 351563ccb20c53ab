"""FireWorks' database: opened without loss, and patient when its server is away for a while."""

from __future__ import annotations

import functools
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from fireworks import LaunchPad
from pymongo.errors import AutoReconnect, PyMongoError, ServerSelectionTimeoutError

from ....database.mongo_server import SERVER_TIMEOUT_MS, database_in_uri, redact_uri
from ....errors import SettingsError, StoreError
from .marks import CAMPAIGN_ID, STAGE_KEY

PATIENCE_S = 3600.0
"""How long a worker waits for a database that does not answer, in s."""

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


def patiently(call: Callable[Arguments, Result], *, patience_s: float = PATIENCE_S) -> Callable[Arguments, Result]:
    """Try a call again, ever more seldom, while the server of the database does not answer.

    Parameters
    ----------
    call : callable
        To be called; it must bear being repeated after it was cut off.
    patience_s : float
        How long to try, in s.

    Returns
    -------
    callable
        The same call, patient.
    """

    @functools.wraps(call)
    def patient(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        deadline, wait_s = time.monotonic() + patience_s, _FIRST_WAIT_S
        while True:
            try:
                return call(*arguments, **options)
            except (AutoReconnect, ServerSelectionTimeoutError) as error:
                if time.monotonic() + wait_s > deadline:
                    raise
                if wait_s == _FIRST_WAIT_S:
                    _log.warning("the database does not answer (%s): trying again", type(error).__name__)
                # Many workers lose one server at the same moment; they must not all come back at the same moment.
                time.sleep(wait_s * random.uniform(0.5, 1.5))
                wait_s = min(2.0 * wait_s, _LONGEST_WAIT_S)

    return patient


class PatientLaunchPad(LaunchPad):
    """A launchpad whose workers keep their results in hand until the server is back.

    Parameters
    ----------
    *arguments, **options
        As for FireWorks' own.
    """

    def checkout_fw(self, *arguments: Any, **options: Any) -> Any:
        """Take a job, patiently."""
        return patiently(super().checkout_fw)(*arguments, **options)

    def complete_launch(self, *arguments: Any, **options: Any) -> Any:
        """Hand in what became of a job, patiently."""
        return patiently(super().complete_launch)(*arguments, **options)

    def rerun_fw(self, *arguments: Any, **options: Any) -> Any:
        """Put a job back, patiently."""
        return patiently(super().rerun_fw)(*arguments, **options)

    def get_launch_by_id(self, *arguments: Any, **options: Any) -> Any:
        """Read a launch, patiently."""
        return patiently(super().get_launch_by_id)(*arguments, **options)

    def ping_launch(self, *arguments: Any, **options: Any) -> Any:
        """Say that a job lives; a ping that does not get through is none."""
        try:
            return super().ping_launch(*arguments, **options)
        except PyMongoError as error:
            _log.debug("a ping did not reach the launchpad (%s)", type(error).__name__)
            return None


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
        If the store is no MongoDB server's and no file is given.
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
        return PatientLaunchPad(**{**found, "strm_lvl": "ERROR"})
    if not store_address.startswith(("mongodb://", "mongodb+srv://")):
        raise StoreError(
            f"FireWorks keeps its jobs on a MongoDB server, and the store {redact_uri(store_address)} is none: name "
            "one as --store mongodb://host/database or in SUPERION_STORE."
        )
    return PatientLaunchPad(
        host=store_address,
        name=database_in_uri(store_address),
        uri_mode=True,
        strm_lvl="ERROR",
        mongoclient_kwargs={"serverSelectionTimeoutMS": SERVER_TIMEOUT_MS},
    )


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
        for path in (CAMPAIGN_ID, STAGE_KEY):
            launchpad.workflows.create_index(path)
    except PyMongoError as error:
        raise StoreError(
            f"The launchpad's database cannot be used ({type(error).__name__}): see that its server runs, that this "
            "host reaches it, and that address and credentials are right."
        ) from None
