"""Opening a jobflow-remote project, with sentences where it does not open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import yaml
from jobflow_remote import JobController
from jobflow_remote.config.base import Project
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from ....errors import SettingsError, StoreError, SuperionError
from .project_file import projects_folder


class Queue(JobController):
    """The queue of a project: what jobflow-remote's JobController is, with the project for sure."""

    project: Project


def find_project_file(name: str) -> Path:
    """Find the file of a project.

    Parameters
    ----------
    name : str
        Name of the project.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingsError
        If there is none.
    """
    folder = projects_folder()
    for suffix in ("yaml", "json", "toml"):
        path = folder / f"{name}.{suffix}"
        if path.exists():
            return path
    raise SettingsError(
        f"There is no jobflow-remote project {name} in {folder}: write one with `superion cluster init`, or name "
        "another in dispatch.project."
    )


def load_project(name: str) -> Project:
    """Read a project.

    Parameters
    ----------
    name : str
        Name of the project.

    Returns
    -------
    Project
        jobflow-remote's own object.

    Raises
    ------
    SettingsError
        If there is none, or jobflow-remote does not take it.
    """
    path = find_project_file(name)
    try:
        return Project.model_validate(_content(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        # jobflow-remote puts a whole traceback into its messages; the last line says what is wrong.
        words = str(first["msg"]).strip().splitlines()[-1]
        raise SettingsError(f"The jobflow-remote project {path} cannot be used, at {place}: {words}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"The jobflow-remote project {path} cannot be read ({type(error).__name__}).") from None


def open_controller(project: Project) -> Queue:
    """Connect to the queue of a project, and make its collections where they are missing.

    Parameters
    ----------
    project : Project
        The project.

    Returns
    -------
    Queue
        Connected; to be closed.

    Raises
    ------
    StoreError
        If its database cannot be used.
    """
    try:
        controller = cast(Queue, Queue.from_project(project))
        if controller.auxiliary.find_one({"next_id": {"$exists": True}}) is None:
            _initialise(controller)
        return controller
    except SuperionError:
        raise
    except (PyMongoError, ValueError) as error:
        raise StoreError(
            f"The database of the jobflow-remote project {project.name} cannot be used ({type(error).__name__}): see "
            "that its server runs, that this host reaches it, and that the project file holds the right address."
        ) from None


def _initialise(controller: Queue) -> None:
    """Do what `jf admin reset` does to an empty database; nothing where flows lie in it."""
    if controller.flows.find_one() is not None or not controller.reset(max_limit=1):
        raise StoreError(
            f"The database of the jobflow-remote project {controller.project.name} has flows but no counter: look at "
            "it with `jf flow list`, and mend or reset it with `jf admin`."
        )


def _content(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    if path.suffix == ".toml":
        import tomllib

        return tomllib.loads(text)
    return yaml.safe_load(text)
