"""The one place where the name of a potential that was trained here becomes its model file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..database.project import ProjectFolder, find_project
from ..database.student_potentials import (
    StudentPotential,
    find_student_potential,
    list_student_potentials,
    model_file_content,
    model_file_in,
    student_specification,
)
from ..errors import PotentialError, StoreError
from ..potentials.registry import POTENTIALS
from ..potentials.specification import PotentialSpecification

if TYPE_CHECKING:
    from jobflow import JobStore


@dataclass(frozen=True)
class StudentNames:
    """Names of the potentials that a store holds.

    Commands and campaigns ask it before they build flows, for neither Makers nor jobs may open a store. It opens the
    store only for names that no package registers.

    Parameters
    ----------
    location : str or None
        The store as the user named it; None for the project's own.
    near : Path or None
        A folder inside the project; None for the current one.
    store : JobStore or None
        The store where it is open already.
    force : bool
        Whether a rejected potential may be used.

    Examples
    --------
    >>> StudentNames().resolve(PotentialSpecification(name="chgnet")).name
    'chgnet'
    """

    location: str | None = None
    near: Path | None = None
    store: JobStore | None = None
    force: bool = False

    def resolve(self, given: PotentialSpecification) -> PotentialSpecification:
        """Give the potential that a user means.

        Parameters
        ----------
        given : PotentialSpecification
            What the user asks for; its name may be that of a trained potential.

        Returns
        -------
        PotentialSpecification
            MACE with the model file, which is written into the project where it is not there yet; what was given where
            its name is that of a registered kind, or unknown.

        Raises
        ------
        PotentialError
            If the potential was rejected and is not forced, or a model is named beside it.
        StoreError
            If its model file can be found nowhere.
        """
        if given.name in POTENTIALS.points():
            return given
        with self._opened() as store:
            found = None if store is None else find_student_potential(store, given.name)
            if found is None or store is None:
                return given
            if given.model is not None:
                raise PotentialError(
                    f"The potential {found.document.name} was trained here and is its own model: leave "
                    f"':{given.model}' out."
                )
            force = self.force or bool(given.options.get("force"))
            specification = student_specification(found.document, self._file_of(store, found), force=force)
        options = {name: value for name, value in given.options.items() if name != "force"}
        return specification.model_copy(
            update={"device": given.device, "dtype": given.dtype, "options": options | specification.options}
        )

    def listed(self) -> list[StudentPotential]:
        """List the trained potentials.

        Returns
        -------
        list of StudentPotential
            Sorted by name; empty where there is no store.
        """
        with self._opened() as store:
            return [] if store is None else list_student_potentials(store)

    @contextmanager
    def _opened(self) -> Iterator[JobStore | None]:
        """Give the store; None where there is none yet."""
        if self.store is not None:
            yield self.store
            return
        from ..database.settings import store_from_environment

        project = None
        if self.location is None:
            with suppress(StoreError):
                project = find_project(self.near)
        is_named = self.location is not None or store_from_environment() is not None
        if project is None and not is_named:
            yield None
            return
        from ..database.job_store import open_job_store

        try:
            store = open_job_store(self.location, project=project, create=False)
        except StoreError:
            if is_named:
                raise
            yield None
            return
        try:
            yield store
        finally:
            store.close()

    def _file_of(self, store: JobStore, student: StudentPotential) -> Path:
        """Put the model file into the project, from the store."""
        folder = self._project().potentials
        sha256 = student.document.file.sha256
        path = model_file_in(folder, sha256, None) or model_file_in(folder, sha256, model_file_content(store, student))
        assert path is not None
        return path

    def _project(self) -> ProjectFolder:
        try:
            return find_project(self.near)
        except StoreError:
            return ProjectFolder((self.near or Path.cwd()).resolve())
