"""The project folder: where a user's results lie when nothing else is configured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreError

FOLDER_NAME = ".superion"
"""Name of the folder that makes its parent a project."""


@dataclass(frozen=True)
class ProjectFolder:
    """A folder with a `.superion` folder in it.

    Attributes
    ----------
    root : Path
        The user's folder, absolute.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """The `.superion` folder."""
        return self.root / FOLDER_NAME

    @property
    def database_path(self) -> Path:
        """File of the embedded store."""
        return self.folder / "superion.db"

    @property
    def blobs(self) -> Path:
        """Folder of bulk data that documents refer to."""
        return self.folder / "blobs"

    @property
    def trajectories(self) -> Path:
        """Folder of the trajectories, one folder each, named by key."""
        return self.folder / "trajectories"

    @property
    def potentials(self) -> Path:
        """Folder of the model files of potentials that were trained here, named by sha256; made when one is used."""
        return self.folder / "potentials"

    @property
    def runs(self) -> Path:
        """Folder of the runs, to resume them."""
        return self.folder / "runs"

    @property
    def reports(self) -> Path:
        """Folder of the reports."""
        return self.folder / "reports"

    def create(self) -> ProjectFolder:
        """Make the folders that are missing.

        Returns
        -------
        ProjectFolder
            This project.

        Raises
        ------
        StoreError
            If they cannot be made.
        """
        try:
            for folder in (self.blobs, self.trajectories, self.runs, self.reports):
                folder.mkdir(parents=True, exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                # Results are no source code: version control leaves the folder alone.
                ignore.write_text("*\n")
        except OSError as error:
            raise StoreError(
                f"The project folder {self.folder} cannot be made ({error.strerror}): "
                "start superion in a folder that you may write to."
            ) from error
        return self


def find_project(start: str | Path | None = None, *, create: bool = False) -> ProjectFolder:
    """Find the project that a folder belongs to: the nearest folder upwards that holds `.superion`.

    Parameters
    ----------
    start : str or Path, optional
        Folder to start from; the current one if None.
    create : bool
        Whether to make a project in `start` where there is none.

    Returns
    -------
    ProjectFolder
        The project.

    Raises
    ------
    StoreError
        If there is none and none is to be made, or it cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     find_project(folder, create=True).database_path.name
    'superion.db'
    """
    origin = Path(start).expanduser() if start is not None else Path.cwd()
    origin = origin.resolve()
    for candidate in (origin, *origin.parents):
        if (candidate / FOLDER_NAME).is_dir():
            return ProjectFolder(candidate).create() if create else ProjectFolder(candidate)
    if not create:
        raise StoreError(
            f"There is no superion project in {origin} or above it: go to the folder where you ran superion, "
            "or run something here first."
        )
    return ProjectFolder(origin).create()
