"""Where trajectories and relaxations are kept, so that the same request finds them again."""

from __future__ import annotations

from pathlib import Path

from ..database.project import find_project
from ..errors import StoreError

DEFAULT_FOLDER = "superion_trajectories"


def default_checkpoint_root() -> Path:
    """Give the folder for trajectories where the user named none.

    Returns
    -------
    Path
        The `trajectories` folder of the surrounding superion project, if there is one; else `superion_trajectories`
        in the current folder.
    """
    try:
        return find_project().trajectories
    except StoreError:
        return Path(DEFAULT_FOLDER).resolve()
