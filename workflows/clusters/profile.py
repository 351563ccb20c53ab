"""The profile of a cluster: its queue, where its workers work, and what each kind of job asks for."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel, ValidationError, field_validator, model_validator

from ...errors import SettingsError
from ...runtime.resource_kind import load_resource_kind, resource_kinds
from ..campaign.file.section import Section
from .kind_name import KindName
from .shell_text import ExpandableText, ShellLine, WorkerPath, expanded_here
from .time_limit import TimeLimit, parse_time_limit

Scheduler = Literal["slurm", "pbs", "shell"]
"""Queues that jobs can be handed to; shell is none at all: processes on the worker's host."""

_SECRET_VARIABLES = ("SUPERION_STORE", "MONGO_URI")
_OPTION = re.compile(r"^[A-Za-z][\w-]*(?: [A-Za-z][\w-]*)?$")
"""Name of an option; PBS has some in two words, such as ``l filesystems``."""

_NOT_KNOWN_TO: dict[str, tuple[str, ...]] = {
    "slurm": (),
    "pbs": ("qos",),
    "shell": ("partition", "account", "qos", "options"),
}
"""Resources that a scheduler cannot give."""

_USUAL_ENVIRONMENT = {"OMP_NUM_THREADS": "1"}
"""Small cells gain nothing from threads, and cores that several processes share lose much by them."""

_Word = Annotated[str, Field(min_length=1, pattern=r"^[^\s'\"`$\\]+$")]


class JobResources(Section):
    """What one allocation of a kind of job asks the queue for."""

    cores: int = Field(default=1, ge=1, description="processor cores on each node")
    gpus: int = Field(default=0, ge=0, description="GPUs on each node")
    memory_gb: float = Field(default=4.0, gt=0, description="memory on each node, in GB of 1024 MB")
    time_limit: TimeLimit = Field(
        default="01:00:00", description="longest time, as hours:minutes:seconds or days-hours:minutes:seconds"
    )
    partition: _Word | None = Field(
        default=None, description="partition or queue to submit to; null leaves the choice to the cluster"
    )
    account: _Word | None = Field(default=None, description="account that is charged; null takes your usual one")
    qos: _Word | None = Field(default=None, description="quality of service; null takes the usual one")
    nodes: int = Field(default=1, ge=1, description="nodes; superion's own jobs use one")
    options: dict[str, ExpandableText | None] = Field(
        default_factory=dict,
        description="further options of the queue by name, such as constraint: a100; null for one without a value",
    )

    @field_validator("options", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """Take numbers for what they are written as."""
        if not isinstance(value, Mapping):
            return value
        return {key: str(item) if isinstance(item, int | float) else item for key, item in value.items()}

    @field_validator("options")
    @classmethod
    def _named_as_options(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        for name in value:
            if not _OPTION.match(name):
                raise ValueError(f"'{name}' is no option's name: write it without dashes before it, as 'constraint'")
        return value

    @property
    def time_limit_s(self) -> int:
        """Longest time in s."""
        return parse_time_limit(self.time_limit)

    @property
    def memory_mb(self) -> int:
        """Memory on each node in MB."""
        return max(1, round(self.memory_gb * 1024))


class Packing(Section):
    """How many jobs share an allocation, and how many allocations there are."""

    jobs_at_a_time: int = Field(default=1, ge=1, description="jobs side by side in one allocation")
    allocations: int = Field(default=10, ge=1, description="most allocations in the queue at once, waiting ones too")
    takes_analyses: bool = Field(
        default=True,
        description="whether allocations for other kinds take short analyses too, which so wait for nothing",
    )
    idle_s: float = Field(default=60.0, ge=0, description="an allocation without work gives up after so many seconds")
    shared: bool | None = Field(
        default=None,
        description="whether an allocation of jobflow-remote takes one job after the other; null: always, but for "
        "molecular dynamics one job at a time. Allocations of FireWorks always do",
    )

    @model_validator(mode="after")
    def _agree(self) -> Packing:
        if self.shared is False and self.jobs_at_a_time > 1:
            raise ValueError("shared: false leaves one job to an allocation: drop it, or set jobs_at_a_time: 1")
        return self


class ResourcesByKind(RootModel[dict[KindName, JobResources]]):
    """Resources of each kind of job; a kind that is not named has the least."""

    model_config = ConfigDict(frozen=True)

    root: dict[KindName, JobResources] = Field(default_factory=dict, validate_default=True)

    @field_validator("root")
    @classmethod
    def _has_every_kind(cls, given: dict[str, JobResources]) -> dict[str, JobResources]:
        return {kind: given.get(kind, JobResources()) for kind in resource_kinds()}


class PackingByKind(RootModel[dict[KindName, Packing]]):
    """Packing of each kind of job; a kind that is not named has the usual one."""

    model_config = ConfigDict(frozen=True)

    root: dict[KindName, Packing] = Field(default_factory=dict, validate_default=True)

    @field_validator("root")
    @classmethod
    def _has_every_kind(cls, given: dict[str, Packing]) -> dict[str, Packing]:
        return {kind: given.get(kind, Packing()) for kind in resource_kinds()}


class ClusterHost(Section):
    """The host that reaches the queue, by ssh; passwords have no place here: use a key."""

    address: _Word = Field(description="name or address of the login node")
    user: _Word | None = Field(default=None, description="user there; null takes what ssh is set up for")
    port: int | None = Field(default=None, ge=1, le=65535, description="port; null takes what ssh is set up for")
    key_file: str | None = Field(default=None, description="private key on this machine; null takes the usual ones")
    gateway: _Word | None = Field(default=None, description="host to jump over; null for none")


class ClusterProfile(Section):
    """A cluster as campaigns see it.

    Examples
    --------
    >>> profile = ClusterProfile(scheduler="slurm", work_folder="/scratch/me/superion")
    >>> profile.with_resources({"md": {"gpus": 1, "time_limit": "24:00:00"}}).resources_of("md").time_limit_s
    86400
    """

    description: str = Field(default="", max_length=1000, description="what it is, in one line")
    scheduler: Scheduler = Field(description="slurm, pbs, or shell for processes without a queue")
    host: ClusterHost | None = Field(
        default=None, description="host that reaches the queue by ssh (jobflow-remote only); null: this one does"
    )
    work_folder: WorkerPath = Field(
        description="folder of all runs, on a disk that all nodes share; best written from the root"
    )
    python: WorkerPath | None = Field(
        default=None, description="interpreter that has superion on the workers; null takes the one in use"
    )
    setup: tuple[ShellLine, ...] = Field(
        default=(), description="lines of shell before every job, such as 'module load cuda'"
    )
    environment: dict[str, ExpandableText] = Field(
        default_factory=lambda: dict(_USUAL_ENVIRONMENT),
        description="variables of every job; OMP_NUM_THREADS is 1 unless given; credentials are refused here",
    )
    resources: ResourcesByKind = Field(default_factory=ResourcesByKind, description="what each kind of job asks for")
    packing: PackingByKind = Field(default_factory=PackingByKind, description="how jobs share allocations")
    stop_margin_s: float = Field(
        default=120.0,
        ge=0,
        description="jobs stop cleanly so many seconds before their allocation ends, at most a quarter of it",
    )
    heartbeat_s: float = Field(
        default=60.0, ge=1, description="seconds between two signs of life; silent for five of these is dead"
    )

    @field_validator("environment", mode="before")
    @classmethod
    def _values_as_text(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        # `OMP_NUM_THREADS: 1` is what one writes
        as_text = {True: "true", False: "false"}
        return {
            key: as_text[item] if isinstance(item, bool) else str(item) if isinstance(item, int | float) else item
            for key, item in value.items()
        }

    @field_validator("environment")
    @classmethod
    def _nothing_secret(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not name.isidentifier():
                raise ValueError(f"'{name}' is no name of a variable: use letters, digits and underscores")
            if name in _SECRET_VARIABLES or ("://" in text and "@" in text):
                raise ValueError(
                    f"the variable {name} would be written into scripts that others can read: put the store's address "
                    "into a file that only you can read, and give its path as SUPERION_STORE_FILE"
                )
        return _USUAL_ENVIRONMENT | value

    @model_validator(mode="after")
    def _fits_together(self) -> ClusterProfile:
        if self.host is not None and self.python is None:
            raise ValueError(f"give python, the interpreter that has superion on {self.host.address}")
        for kind, resources in self.resources.root.items():
            for setting in _NOT_KNOWN_TO[self.scheduler]:
                if getattr(resources, setting):
                    raise ValueError(f"resources.{kind}.{setting} means nothing to the scheduler {self.scheduler}")
            for name in resources.options:
                if " " in name and self.scheduler != "pbs":
                    raise ValueError(f"resources.{kind}.options: '{name}' is no option's name, it has a blank in it")
        return self

    def resources_of(self, kind: str) -> JobResources:
        """Give the resources of a kind of job.

        Parameters
        ----------
        kind : str
            Name of the kind.

        Returns
        -------
        JobResources
            What one allocation asks for.

        Raises
        ------
        SettingsError
            If there is no such kind.
        """
        load_resource_kind(kind)
        return self.resources.root[kind]

    def packing_of(self, kind: str) -> Packing:
        """Give the packing of a kind of job.

        Parameters
        ----------
        kind : str
            Name of the kind.

        Returns
        -------
        Packing
            How jobs share allocations.

        Raises
        ------
        SettingsError
            If there is no such kind.
        """
        load_resource_kind(kind)
        return self.packing.root[kind]

    def with_resources(self, overrides: Mapping[str, Mapping[str, Any] | JobResources]) -> ClusterProfile:
        """Change resources of some kinds of jobs.

        Parameters
        ----------
        overrides : mapping of str to mapping
            By kind, the settings that differ.

        Returns
        -------
        ClusterProfile
            A copy.

        Raises
        ------
        SettingsError
            If a kind or a setting does not exist, or does not fit.

        Examples
        --------
        >>> profile = ClusterProfile(scheduler="shell", work_folder="~/superion")
        >>> try:
        ...     profile.with_resources({"md": {"core": 4}})
        ... except SettingsError as error:
        ...     print(error)
        dispatch.resources: there is no setting 'core' in md, did you mean 'cores'?
        """
        from .in_words import first_mistake

        changed: dict[str, Any] = {kind: self.resources_of(kind).model_dump() for kind in resource_kinds()}
        for kind, settings in overrides.items():
            if isinstance(settings, JobResources):
                settings = settings.model_dump(exclude_unset=True)
            given = dict(settings) if isinstance(settings, Mapping) else settings
            changed[kind] = {**changed.get(kind, {}), **given} if isinstance(given, dict) else given
        try:
            resources = ResourcesByKind.model_validate(changed)
            # The whole is checked again: resources must fit the scheduler.
            return ClusterProfile.model_validate({**_fields(self), "resources": resources})
        except ValidationError as error:
            model = ResourcesByKind if error.title == ResourcesByKind.__name__ else ClusterProfile
            raise SettingsError(f"dispatch.resources: {first_mistake(error, changed, model)}") from None

    def work_folder_here(self) -> Path:
        """Expand the work folder as this machine would.

        Returns
        -------
        Path
            The folder.
        """
        return expanded_here(self.work_folder)

    def folder(self, name: str) -> str:
        """Name a folder in the work folder, for the workers.

        Parameters
        ----------
        name : str
            Its name: progress, trajectories, pilots.

        Returns
        -------
        str
            Its path; ~ and $VARIABLES are still to be expanded.
        """
        return str(PurePosixPath(self.work_folder) / name)

    def python_of_workers(self) -> str:
        """Give the interpreter of the workers.

        Returns
        -------
        str
            Its path; ~ and $VARIABLES are still to be expanded.
        """
        return self.python or sys.executable


def _fields(model: Section) -> dict[str, Any]:
    return {name: getattr(model, name) for name in type(model).model_fields}
