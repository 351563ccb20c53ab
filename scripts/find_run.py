"""Runs by what a user types: a name, a folder, or nothing for the newest."""

from __future__ import annotations

from pathlib import Path

from ..errors import SettingsError, StoreError


def all_runs() -> list[Path]:
    """Find the runs of the project.

    Returns
    -------
    list of Path
        Their folders, the newest first.
    """
    from ..database.project import find_project
    from .run_request import FILE_NAME

    try:
        runs = find_project().runs
    except StoreError:
        return []
    requests = sorted(runs.glob(f"*/{FILE_NAME}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in requests]


def find_run(name: str) -> Path | None:
    """Find the folder of a run.

    Parameters
    ----------
    name : str
        Name of a run, or its folder.

    Returns
    -------
    Path or None
        The folder; None where there is no such run.
    """
    from .run_request import FILE_NAME

    if (Path(name) / FILE_NAME).exists():
        return Path(name).resolve()
    return next((folder for folder in all_runs() if folder.name == name), None)


def require_run(name: str | None) -> Path:
    """Find the folder of a run, or say that there is none.

    Parameters
    ----------
    name : str or None
        Name of a run, or its folder; None for the newest run of the project.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SettingsError
        If there is no such run.
    """
    folder = find_run(name) if name is not None else next(iter(all_runs()), None)
    if folder is None:
        wanted = "no run" if name is None else f"no run '{name}'"
        raise SettingsError(f"There is {wanted} in this project; `superion list --runs` shows those there are.")
    return folder
