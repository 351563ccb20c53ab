"""The launchpad as workers open it: from their environment."""

from __future__ import annotations

from ....database.settings import STORE_VARIABLE, store_from_environment
from ....errors import SettingsError
from .launchpad import PatientLaunchPad, open_launchpad


def worker_launchpad(launchpad_file: str | None) -> PatientLaunchPad:
    """Open the launchpad.

    Parameters
    ----------
    launchpad_file : str or None
        Its file; None for the result store's server.

    Returns
    -------
    PatientLaunchPad
        The launchpad.

    Raises
    ------
    SettingsError
        If the environment names no store.
    """
    address = store_from_environment()
    if address is None:
        raise SettingsError(
            f"The worker does not know the result store: set {STORE_VARIABLE}, or {STORE_VARIABLE}_FILE to a file "
            "that holds its address, in the cluster's profile or the user's environment."
        )
    return open_launchpad(address, launchpad_file)
