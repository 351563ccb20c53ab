"""What a run was asked for, kept in its folder beside the flow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..errors import SettingsError

FILE_NAME = "request.json"


class RunRequest(BaseModel):
    """The command behind a run and the documents that answer it."""

    model_config = ConfigDict(extra="ignore")

    command: str = Field(description="command line that began the run")
    flow: str = Field(description="name of the flow")
    inputs: list[str] = Field(description="inputs of the flow as the user named them")
    label: str = Field(description="name of the material")
    store: str | None = Field(default=None, description="store as the user named it; None for the project's own")
    workers: int | None = Field(default=None, description="number of processes; None chooses")
    output_uuids: list[str] = Field(description="jobs whose documents are the answer")

    @model_validator(mode="before")
    @classmethod
    def _name_inputs(cls, data: Any) -> Any:
        """Read a request of the time when a flow had one structure."""
        if isinstance(data, dict) and "inputs" not in data and "structure" in data:
            return {**data, "inputs": [data["structure"]]}
        return data

    def write(self, run_folder: Path) -> None:
        """Write the request into the folder of its run.

        Parameters
        ----------
        run_folder : pathlib.Path
            The folder.
        """
        from ..files import write_text_atomically

        run_folder.mkdir(parents=True, exist_ok=True)
        write_text_atomically(run_folder / FILE_NAME, self.model_dump_json(indent=2))


def read_request(run_folder: Path) -> RunRequest:
    """Read what a run was asked for.

    Parameters
    ----------
    run_folder : pathlib.Path
        Folder of the run.

    Returns
    -------
    RunRequest
        The request.

    Raises
    ------
    SettingsError
        If the folder holds no run.
    """
    try:
        return RunRequest.model_validate_json((run_folder / FILE_NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no run in {run_folder}; `superion list --runs` shows those there are.") from None
    except (ValueError, OSError) as error:
        raise SettingsError(
            f"The request of the run in {run_folder} cannot be read ({error}); start it anew."
        ) from error


def read_status(run_folder: Path) -> dict[str, Any]:
    """Read the last known state of a run.

    Parameters
    ----------
    run_folder : pathlib.Path
        Folder of the run.

    Returns
    -------
    dict
        `state` and `jobs`; a run whose driver is gone without a word is `interrupted`.
    """
    from ..workflows.dispatch.run_folder import RunFolder, is_locked

    try:
        status: dict[str, Any] = json.loads((run_folder / "status.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        status = {"state": "not started", "jobs": []}
    if status["state"] in ("running", "stopping") and not is_locked(RunFolder(run_folder)):
        status["state"] = "interrupted"
    return status
