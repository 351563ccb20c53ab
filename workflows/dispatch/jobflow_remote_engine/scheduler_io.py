"""qtoolkit's schedulers, which put an empty output file into a run folder before they submit.

A job that dies before its first line then looks like any killed job; see `run_job`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtoolkit.core.data_objects import QResources
from qtoolkit.io import PBSIO, BaseSchedulerIO, ShellIO, SlurmIO

from .run_job import OUT_FILE


class _Prepared:
    """What a scheduler's class does besides, when it stands before it."""

    def get_submit_cmd(self, script_file: str | Path | None = "submit.script") -> str:
        """Give the command that submits a script from its folder.

        Parameters
        ----------
        script_file : str or Path or None
            The script.

        Returns
        -------
        str
            A shell line.
        """
        command: str = super().get_submit_cmd(script_file)  # type: ignore[misc]
        return f"touch {OUT_FILE}; {command}"


class PreparedSlurmIO(_Prepared, SlurmIO):
    """Slurm."""


class PreparedPbsIO(_Prepared, PBSIO):
    """PBS."""


class PreparedShellIO(_Prepared, ShellIO):
    """Processes of a host, without a queue."""


SCHEDULERS: dict[str, type[BaseSchedulerIO]] = {
    "slurm": PreparedSlurmIO,
    "pbs": PreparedPbsIO,
    "shell": PreparedShellIO,
}


def header_of(scheduler: str, resources: QResources) -> dict[str, Any]:
    """Translate resources into the words of a scheduler's template, which batch workers need.

    Parameters
    ----------
    scheduler : str
        slurm, pbs or shell.
    resources : QResources
        What is asked for.

    Returns
    -------
    dict
        Words of the template of submission scripts, for the section `resources` of a worker.
    """
    return SCHEDULERS[scheduler]().check_convert_qresources(resources) if scheduler != "shell" else {}
