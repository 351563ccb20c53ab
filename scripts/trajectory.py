"""`superion trajectory`: trajectories as other programs read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import StoreError, TrajectoryError
from .console import say

app = typer.Typer(help="Export trajectories to the formats of other programs.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `export` a command of its own while it is the only one."""


@app.command("export")
def export_command(
    source: Annotated[
        str, typer.Argument(metavar="KEY|FOLDER", help="Folder of a trajectory, or the start of its key.")
    ],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    fmt: Annotated[
        str | None, typer.Option("--format", metavar="extxyz|xdatcar", help="Format; guessed from the name of OUT.")
    ] = None,
) -> None:
    """Write a trajectory as extended XYZ or as XDATCAR."""
    from ..dynamics.export import export_trajectory
    from ..dynamics.trajectory import Trajectory

    chosen = fmt or ("xdatcar" if "xdatcar" in out.name.lower() else "extxyz")
    trajectory = Trajectory(find_trajectory(source))
    export_trajectory(trajectory, out, chosen)
    say(f"wrote {trajectory.n_frames} frames to {out}")


def find_trajectory(source: str) -> Path:
    """Find the folder of a trajectory by path or by the start of its key.

    Parameters
    ----------
    source : str
        A folder, or the first characters of a key.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    TrajectoryError
        If there is none, or more than one.
    """
    if Path(source).is_dir():
        return Path(source)
    from ..database.project import find_project
    from ..runtime.checkpoint_root import DEFAULT_FOLDER

    try:
        root = find_project().trajectories
    except StoreError:
        root = None
    # Those made before the folder became a project lie beside it.
    folders = [] if root is None else [root, root.parent.parent / DEFAULT_FOLDER]
    matches = sorted(match for folder in folders for match in folder.glob(f"{source}*")) if source.isalnum() else []
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise TrajectoryError(f"{len(matches)} trajectories begin with '{source}'; give more characters of the key.")
    where = "there is no project here" if root is None else f"no trajectory in {root} begins so"
    raise TrajectoryError(
        f"'{source}' is not a trajectory folder, and {where}; `superion list --type trajectory` names them."
    )
