"""Finding cluster profiles: those that ship, and the user's own."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ...configs.shipped import shipped_files
from ...errors import SettingsError
from ..campaign.file.problems import CampaignFileError, Problem
from ..campaign.file.yaml_document import read_yaml
from .in_words import mistakes
from .profile import ClusterProfile

FOLDER_VARIABLE = "SUPERION_CLUSTERS"
"""Environment variable that names the folder of the user's own profiles."""

_SUFFIXES = (".yaml", ".yml")


class ClusterFileError(SettingsError):
    """A profile that cannot be used; its message tells every mistake with its line.

    Parameters
    ----------
    name : str
        Name of the file.
    problems : sequence of Problem
        All mistakes.
    """

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        told = [f"line {problem.line}: {problem.sentence}" for problem in self.problems]
        super().__init__(f"The cluster's profile {name} cannot be used: {'; '.join(told)}{_stop(told[-1])}")


def _stop(sentence: str) -> str:
    return "" if sentence.endswith("?") else "."


@dataclass(frozen=True)
class ClusterInfo:
    """One line of the list of profiles.

    Parameters
    ----------
    name : str
        Name that campaign files use.
    path : Path
        Its file.
    origin : str
        shipped, or yours.
    description : str
        What it is.
    scheduler : str
        Its queue.
    problem : str or None
        Why it cannot be used.
    """

    name: str
    path: Path
    origin: Literal["shipped", "yours"]
    description: str
    scheduler: str
    problem: str | None = None


def clusters_folder() -> Path:
    """Locate the user's own profiles.

    Returns
    -------
    Path
        `$SUPERION_CLUSTERS`, or `~/.config/superion/clusters`; it need not exist.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".config" / "superion" / "clusters"


def load_cluster(name_or_path: str | Path) -> ClusterProfile:
    """Read a profile.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a profile, the user's own before those that ship, or a YAML file.

    Returns
    -------
    ClusterProfile
        Checked.

    Raises
    ------
    SettingsError
        If there is none, or it cannot be used.

    Examples
    --------
    >>> load_cluster("slurm_gpu").resources_of("md").gpus
    1
    """
    return read_cluster(find_cluster(name_or_path))


def find_cluster(name_or_path: str | Path) -> Path:
    """Find the file of a profile.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a profile, or a YAML file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingsError
        If there is none.
    """
    text = str(name_or_path)
    path = Path(text).expanduser()
    if path.suffix in _SUFFIXES or "/" in text:
        if not path.is_file():
            raise SettingsError(f"There is no cluster profile {path}: check its path.")
        return path
    files = _files()
    if text not in files:
        near = difflib.get_close_matches(text, files, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(sorted(files))}."
        raise SettingsError(f"There is no cluster profile '{text}' here or in {clusters_folder()}: {hint}")
    return files[text]


def read_cluster(path: Path) -> ClusterProfile:
    """Read the file of a profile.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ClusterProfile
        Checked.

    Raises
    ------
    SettingsError
        If it cannot be read or used.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"The cluster's profile {path} cannot be read ({error.strerror}): mend that.") from error
    try:
        document = read_yaml(content, str(path)) if content.strip() else None
    except CampaignFileError as error:
        raise ClusterFileError(str(path), error.problems) from None
    if document is None or not isinstance(document.data, dict):
        sentence = "it is no list of settings: write 'scheduler: …', 'work_folder: …' and so on, one to a line"
        raise ClusterFileError(str(path), [Problem(1, "", sentence)])
    try:
        return ClusterProfile.model_validate(document.data)
    except ValidationError as error:
        raise ClusterFileError(str(path), mistakes(error, document, ClusterProfile)) from None


def list_clusters() -> list[ClusterInfo]:
    """List the profiles that have names.

    Returns
    -------
    list of ClusterInfo
        Sorted by name; the user's own hide shipped ones of the same name.

    Examples
    --------
    >>> {"local", "pbs", "slurm_cpu", "slurm_gpu"} <= {info.name for info in list_clusters()}
    True
    """
    found = []
    own = _own_files()
    for name, path in sorted(_files().items()):
        origin: Literal["shipped", "yours"] = "yours" if name in own else "shipped"
        try:
            profile = read_cluster(path)
        except SettingsError as error:
            found.append(ClusterInfo(name, path, origin, "", "", str(error)))
        else:
            found.append(ClusterInfo(name, path, origin, profile.description, profile.scheduler))
    return found


def _files() -> dict[str, Path]:
    """Give the files of all profiles by name; the user's own come last and win."""
    return shipped_files("clusters") | _own_files()


def _own_files() -> dict[str, Path]:
    folder = clusters_folder()
    return {path.stem: path for suffix in _SUFFIXES for path in folder.glob(f"*{suffix}")} if folder.is_dir() else {}
