"""From what the user typed to a checked flow and its plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError, StoreError
from .console import plain_data

if TYPE_CHECKING:
    from jobflow import Flow, Maker
    from rich.console import Console

    from ..flows.plan import FlowPlan

_SETTING_OF_OPTION = {
    "temperatures": "temperatures_k",
    "replicas": "n_replicas",
    "duration_ps": "md.duration_ps",
    "mobile_ion": "mobile_ion",
    "ion_charge": "ion_charge",
    "potential": "potential",
    "device": "potential.device",
    "dtype": "potential.dtype",
}
"""The setting behind each option that is a short form of one."""


@dataclass(frozen=True)
class RunPlan:
    """A flow that was checked, ready to be made.

    Parameters
    ----------
    flow_name : str
        Registered name of the flow.
    preset_name : str or None
        Preset that it began with.
    structure_name : str
        Structure as the user named it.
    label : str
        Name of the material.
    maker : Maker
        The flow with all settings applied.
    details : FlowPlan
        What it would do.
    unchecked : tuple of str
        What was not checked.
    """

    flow_name: str
    preset_name: str | None
    structure_name: str
    label: str
    maker: Maker
    details: FlowPlan
    unchecked: tuple[str, ...] = ()

    def make_flow(self) -> Flow:
        """Make the flow.

        Returns
        -------
        Flow
            Ready to run.
        """
        return self.maker.make(self.structure_name, label=self.label)

    def as_data(self) -> dict[str, Any]:
        """Give the plan as plain data, with every setting.

        Returns
        -------
        dict
            For JSON.
        """
        from ..flows.settings import list_settings

        return {
            "flow": self.flow_name,
            "preset": self.preset_name,
            "structure": self.structure_name,
            "plan": plain_data(self.details),
            "settings": {info.name: plain_data(info.value) for info in list_settings(self.maker)},
            "warnings": list(self.unchecked),
        }

    def print(self, console: Console) -> None:
        """Print the plan for a reader.

        Parameters
        ----------
        console : Console
            Where to.
        """
        details = self.details
        rows = [("flow", f"{self.flow_name}{f' (preset {self.preset_name})' if self.preset_name else ''}")]
        if details.formula:
            cell = f"{details.n_atoms} atoms, smallest edge {details.minimum_edge_angstrom or 0.0:.1f} Å"
            if details.n_atoms != details.n_atoms_input:
                cell += f" (from {details.n_atoms_input} atoms)"
            rows += [("material", f"{self.label} ({details.formula})"), ("cell", cell)]
        if details.mobile_ion:
            rows.append(("mobile ion", details.mobile_ion))
        if details.potential:
            rows.append(("potential", details.potential))
        if details.temperatures_k:
            kelvin = ", ".join(f"{value:g}" for value in details.temperatures_k)
            replicas = f", {details.n_replicas} replicas each" if details.n_replicas > 1 else ""
            rows.append(("temperatures", f"{kelvin} K{replicas}"))
        if details.trajectories:
            longest = max(details.trajectories, key=lambda run: run.duration_ps)
            size = sum(run.size_mb for run in details.trajectories)
            runs = "1 run" if len(details.trajectories) == 1 else f"{len(details.trajectories)} runs"
            disk = f"at most {size:.0f} MB" if size >= 1 else "less than 1 MB"
            text = f"{runs} of at most {longest.duration_ps:g} ps in steps of {longest.time_step_fs:g} fs"
            rows.append(("dynamics", f"{text}: {details.n_steps} steps, {disk}"))
        rows.append(("jobs", f"{len(details.jobs)}"))
        if details.checkpoint_root:
            rows.append(("trajectories", details.checkpoint_root))
        for name, text in rows:
            console.print(f"{name:<13} {text}", markup=False, soft_wrap=not console.is_terminal)
        for note in details.notes:
            console.print(f"{'note':<13} {note}", markup=False, soft_wrap=not console.is_terminal)
        for clause in self.unchecked:
            console.print(f"{'note':<13} {clause}", markup=False, soft_wrap=not console.is_terminal)


def make_plan(
    flow: str,
    structure: str | None,
    *,
    preset: str | None = None,
    options: dict[str, Any] | None = None,
    settings: Sequence[str] = (),
    label: str | None = None,
) -> RunPlan:
    """Check what the user asked for, without computing anything.

    Parameters
    ----------
    flow : str
        Registered name of a flow.
    structure : str or None
        Structure file or shipped example; None takes the preset's.
    preset : str, optional
        Name or file of a preset; the shipped preset of the flow's own name where not given.
    options : dict, optional
        Values of the options that are short forms of settings; None values are left out.
    settings : sequence of str
        Assignments such as ``md.time_step_fs=1``; they win over the options.
    label : str, optional
        Name of the material.

    Returns
    -------
    RunPlan
        The checked flow.

    Raises
    ------
    SuperionError
        If something in it does not exist or does not fit.
    """
    from ..flows.plan import plan
    from ..flows.presets import list_presets, load_preset
    from ..flows.registry import flow_maker
    from ..flows.settings import apply_settings, parse_assignment

    flow_maker(flow)
    if preset is None and flow in {shipped.name for shipped in list_presets()}:
        preset = flow
    overrides = {_SETTING_OF_OPTION[name]: value for name, value in (options or {}).items() if value is not None}
    overrides |= dict(parse_assignment(text) for text in settings)
    if preset is None:
        maker = apply_settings(flow_maker(flow)(), overrides)
    else:
        loaded = load_preset(preset)
        if loaded.flow != flow:
            raise SettingsError(
                f"The preset '{preset}' is for the flow '{loaded.flow}', not for '{flow}'; choose another preset."
            )
        maker = loaded.maker(overrides)
        structure = structure or loaded.structure
    if structure is None:
        raise SettingsError(
            "There is no structure; give a structure file, or the name of a shipped example such as Li6PS5Cl."
        )
    details = plan(maker, structure)
    if getattr(maker, "checkpoint_root", None) is None and details.checkpoint_root:
        details = details.model_copy(update={"checkpoint_root": str(_project_trajectories())})
    return RunPlan(
        flow_name=flow,
        preset_name=preset,
        structure_name=structure,
        label=label or details.label or details.formula or flow,
        maker=maker,
        details=details,
        unchecked=_check_potential(maker, details),
    )


def _project_trajectories() -> Path:
    """Folder of the trajectories of this project, or of the one that the run will make here."""
    from ..database.project import ProjectFolder, find_project

    try:
        return find_project().trajectories
    except StoreError:
        return ProjectFolder(Path.cwd()).trajectories


def _check_potential(maker: Maker, details: FlowPlan) -> tuple[str, ...]:
    """Refuse a potential that cannot compute the structure here; say what was not checked."""
    from pymatgen.core import Composition

    from ..potentials.readiness import check_readiness

    specification = getattr(maker, "potential", None)
    if specification is None:
        return ()
    elements = Composition(details.formula).elements if details.formula else []
    return tuple(check_readiness(specification, [element.symbol for element in elements]))
