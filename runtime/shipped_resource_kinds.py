"""The kinds of jobs of superion's own flows."""

from __future__ import annotations

from typing import ClassVar

from .resource_kind import ResourceKind


class MolecularDynamicsKind(ResourceKind):
    """Trajectories: they run for as long as they may."""

    description: ClassVar[str] = "molecular dynamics"
    shares_allocations: ClassVar[bool] = False


class RelaxationKind(ResourceKind):
    """Relaxations: minutes each."""

    description: ClassVar[str] = "relaxations"
    priority: ClassVar[int] = 1


class AnalysisKind(ResourceKind):
    """Everything else: seconds to minutes on one core."""

    description: ClassVar[str] = "everything else: short work on one core"
    priority: ClassVar[int] = 2
    runs_anywhere: ClassVar[bool] = True
    uses_potential: ClassVar[bool] = False


class TrainingKind(ResourceKind):
    """Trainings of potentials: minutes to hours, on a GPU where there is one."""

    description: ClassVar[str] = "training of potentials"
    shares_allocations: ClassVar[bool] = False
