"""Old names of modules that have moved: queued jobs, stored documents and plug-ins still import by them.

A serialised job or document names the module of each class in it. What is written today carries the new names.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED_MODULES = {
    "superion.makers.atomic_file": "superion.files",
    "superion.makers.atoms": "superion.runtime.atoms",
    "superion.makers.checkpoint_root": "superion.runtime.checkpoint_root",
    "superion.makers.committee_watch": "superion.runtime.committee_watch",
    "superion.makers.competing_phases": "superion.runtime.competing_phases",
    "superion.makers.continuation": "superion.runtime.continuation",
    "superion.makers.displacement": "superion.runtime.displacement",
    "superion.makers.frame_files": "superion.runtime.frame_files",
    "superion.makers.heartbeat": "superion.runtime.heartbeat",
    "superion.makers.job_end": "superion.runtime.walltime",
    "superion.makers.job_heartbeats": "superion.runtime.job_heartbeats",
    "superion.makers.maker": "superion.runtime.maker",
    "superion.makers.plain_name": "superion.runtime.job_names",
    "superion.makers.provenance": "superion.runtime.provenance",
    "superion.makers.resource_kind": "superion.runtime.resource_kind",
    "superion.makers.resumable_fire": "superion.runtime.resumable_fire",
    "superion.makers.sampling_settings": "superion.runtime.sampling_settings",
    "superion.makers.shared_result": "superion.workflows.stages.shared_result",
    "superion.makers.shipped_resource_kinds": "superion.runtime.shipped_resource_kinds",
    "superion.makers.stage_conductivity": "superion.workflows.stages.conductivity",
    "superion.makers.stage_document": "superion.workflows.stages.stage_document",
    "superion.makers.stage_percolation": "superion.workflows.stages.percolation",
    "superion.makers.stage_probe": "superion.workflows.stages.probe",
    "superion.makers.stage_relaxation": "superion.workflows.stages.relax",
    "superion.makers.stage_stability": "superion.workflows.stages.stability_job",
    "superion.makers.stage_validation": "superion.workflows.stages.validate",
    "superion.makers.stop_criteria": "superion.runtime.stop_criteria",
    "superion.makers.stop_request": "superion.runtime.stop_request",
    "superion.makers.stop_rules": "superion.runtime.stop_rules",
    "superion.makers.student_potential": "superion.runtime.student_potential",
    "superion.makers.systematic_errors": "superion.runtime.systematic_errors",
    "superion.makers.timed_job": "superion.runtime.timed_job",
    "superion.makers.trajectory_job": "superion.runtime.trajectory_job",
    "superion.makers.validation_runs": "superion.runtime.validation_runs",
    "superion.makers.verdict": "superion.runtime.verdict",
}
"""New name of a module by its old one."""


class _MovedModuleLoader(Loader):
    """Puts the module itself, not a copy of it, under its old name."""

    def exec_module(self, module: ModuleType) -> None:
        """Replace the empty module by the moved one."""
        # The import system takes what stands in sys.modules after this call, so that both names give the same classes.
        sys.modules[module.__name__] = import_module(MOVED_MODULES[module.__name__])


class _MovedModuleFinder(MetaPathFinder):
    """Finds modules by their old names; one instance stands at the end of ``sys.meta_path``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Say how a moved module is loaded; None for every other name."""
        return ModuleSpec(fullname, _MovedModuleLoader()) if fullname in MOVED_MODULES else None


def serve_old_names() -> None:
    """Let modules that have moved be imported by their old names as well.

    Examples
    --------
    >>> from superion.makers.stop_criteria import StopCriteria
    >>> StopCriteria.__module__
    'superion.runtime.stop_criteria'
    """
    if not any(isinstance(finder, _MovedModuleFinder) for finder in sys.meta_path):
        sys.meta_path.append(_MovedModuleFinder())
