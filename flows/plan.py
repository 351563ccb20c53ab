"""What a flow would do, told before it does it."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from jobflow import Flow, Job
from pydantic import BaseModel, ConfigDict, Field

from ..runtime.maker import Maker


class PlannedTrajectory(BaseModel):
    """One trajectory that a flow would run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature_k: float = Field(description="temperature in K")
    replica: int = Field(description="index of the independent run")
    ensemble: str = Field(description="nvt, nve or npt")
    time_step_fs: float = Field(description="time step in fs")
    duration_ps: float = Field(description="maximum length in ps")
    n_steps: int = Field(description="maximum number of steps")
    n_frames: int = Field(description="maximum number of stored frames")
    size_mb: float = Field(description="estimated size on disk before compression, in MB")


class FlowPlan(BaseModel):
    """A flow before it runs: jobs, sizes and, where a timing is given, cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flow: str = Field(description="name of the flow")
    label: str = Field(default="", description="name of the material")
    formula: str = Field(default="", description="reduced formula")
    mobile_ion: str = Field(default="", description="mobile ion with its charge, such as Li+")
    n_atoms_input: int | None = Field(default=None, description="atoms in the ordered input cell")
    n_atoms: int | None = Field(default=None, description="atoms in the simulated cell")
    minimum_edge_angstrom: float | None = Field(default=None, description="smallest distance of opposite faces in Å")
    potential: str = Field(default="", description="potential and model")
    temperatures_k: tuple[float, ...] = Field(default=(), description="temperatures in K")
    n_replicas: int = Field(default=1, description="independent runs per temperature")
    jobs: tuple[str, ...] = Field(description="names of the jobs, in order")
    trajectories: tuple[PlannedTrajectory, ...] = Field(default=(), description="the molecular dynamics")
    checkpoint_root: str = Field(default="", description="folder of the trajectories")
    cost_core_hours: float | None = Field(
        default=None, description="molecular dynamics at most, in hours of one worker; None without a timing"
    )
    notes: tuple[str, ...] = Field(default=(), description="sentences for the user")

    @property
    def n_steps(self) -> int:
        """Steps of all trajectories together, at most."""
        return sum(trajectory.n_steps for trajectory in self.trajectories)

    def rows(self, label: str) -> list[tuple[str, str]]:
        """Say in words what the flow would do; a flow with more to tell returns a subclass with rows of its own.

        Parameters
        ----------
        label : str
            Name of the material.

        Returns
        -------
        list of tuple of str
            A word and a text each.
        """
        rows = []
        if self.formula:
            cell = f"{self.n_atoms} atoms, smallest edge {self.minimum_edge_angstrom or 0.0:.1f} Å"
            if self.n_atoms != self.n_atoms_input:
                cell += f" (from {self.n_atoms_input} atoms)"
            rows += [("material", f"{label} ({self.formula})"), ("cell", cell)]
        if self.mobile_ion:
            rows.append(("mobile ion", self.mobile_ion))
        if self.potential:
            rows.append(("potential", self.potential))
        if self.temperatures_k:
            kelvin = ", ".join(f"{value:g}" for value in self.temperatures_k)
            replicas = f", {self.n_replicas} replicas each" if self.n_replicas > 1 else ""
            rows.append(("temperatures", f"{kelvin} K{replicas}"))
        if self.trajectories:
            longest = max(self.trajectories, key=lambda run: run.duration_ps)
            size = sum(run.size_mb for run in self.trajectories)
            runs = "1 run" if len(self.trajectories) == 1 else f"{len(self.trajectories)} runs"
            disk = f"at most {size:.0f} MB" if size >= 1 else "less than 1 MB"
            text = f"{runs} of at most {longest.duration_ps:g} ps in steps of {longest.time_step_fs:g} fs"
            rows.append(("dynamics", f"{text}: {self.n_steps} steps, {disk}"))
        rows.append(("jobs", f"{len(self.jobs)}"))
        if self.checkpoint_root:
            rows.append(("trajectories", self.checkpoint_root))
        return rows


@runtime_checkable
class PlannableMaker(Protocol):
    """A flow Maker that can say more of itself than the names of its jobs."""

    def plan(self, *inputs: Any, seconds_per_step: float | None = None) -> FlowPlan:
        """Describe the flow for its inputs."""


def plan(maker: Maker, *inputs: Any, seconds_per_step: float | None = None) -> FlowPlan:
    """Describe what a flow would do with its inputs, without loading any potential.

    Parameters
    ----------
    maker : Maker
        The flow.
    *inputs : object
        What its `make` takes: one crystal for most flows.
    seconds_per_step : float or None
        Measured time of one MD step in s, for the cost.

    Returns
    -------
    FlowPlan
        Jobs, sizes and cost.

    Raises
    ------
    SuperionError
        If the inputs or the settings would be refused.

    Examples
    --------
    >>> from superion.flows.conductivity import ConductivityMaker
    >>> described = plan(ConductivityMaker(temperatures_k=(600.0, 900.0)), "Li6PS5Cl")
    >>> described.mobile_ion, len(described.trajectories)
    ('Li+', 2)
    """
    if isinstance(maker, PlannableMaker):
        return maker.plan(*inputs, seconds_per_step=seconds_per_step)
    made: Flow | Job = maker.make(*inputs)
    jobs = [made] if isinstance(made, Job) else [job for job, _ in made.iterflow()]
    return FlowPlan(flow=maker.name, jobs=tuple(job.name for job in jobs))
