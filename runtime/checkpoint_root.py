"""Where trajectories and relaxations are kept, so that the same request finds them again."""

from __future__ import annotations

from pathlib import Path

from ..database.project import FOLDER_NAME, find_project
from ..errors import StoreError

DEFAULT_FOLDER = "superion_trajectories"
"""Folder of trajectories where there is no superion project."""


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


def checkpoint_root_of(entry: str, checkpoint_root: str | Path | None = None) -> Path:
    """Give the folder in which a trajectory or a relaxation lies already, or belongs.

    Trajectories made before their folder became a project lie in `superion_trajectories` beside its `.superion`: they
    are found there, and continued there.

    Parameters
    ----------
    entry : str
        Key of a trajectory, or path of a relaxation below the folder.
    checkpoint_root : str, Path or None
        Folder that the user or the flow named; None for the project's, or one in the current folder.

    Returns
    -------
    Path
        That folder, or `superion_trajectories` beside the project where only that holds the entry.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "superion_trajectories" / "a1b2").mkdir(parents=True)
    >>> checkpoint_root_of("a1b2", folder / ".superion" / "trajectories").name
    'superion_trajectories'
    >>> checkpoint_root_of("c3d4", folder / ".superion" / "trajectories").name
    'trajectories'
    """
    root = Path(checkpoint_root) if checkpoint_root else default_checkpoint_root()
    if root.parent.name == FOLDER_NAME and not (root / entry).exists():
        before_the_project = root.parent.parent / DEFAULT_FOLDER
        if (before_the_project / entry).exists():
            return before_the_project
    return root
