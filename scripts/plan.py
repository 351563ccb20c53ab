"""From what the user typed to a checked flow and its plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError, StoreError
from .console import plain_data
from .flow_words import ResolvedInput, overrides_of, resolve_inputs

if TYPE_CHECKING:
    from jobflow import Flow, Maker
    from rich.console import Console

    from ..flows.declaration import FlowDescription
    from ..flows.plan import FlowPlan


@dataclass(frozen=True)
class RunPlan:
    """A flow that was checked, ready to be made.

    Parameters
    ----------
    flow_name : str
        Registered name of the flow.
    preset_name : str or None
        Preset that it began with.
    inputs : tuple of ResolvedInput
        What the flow runs on.
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
    inputs: tuple[ResolvedInput, ...]
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
        return self.maker.make(*(one.value for one in self.inputs), label=self.label)

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
            "inputs": [one.text for one in self.inputs],
            # Before flows had several inputs, this was the only one.
            "structure": self.inputs[0].text if self.inputs else None,
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
        rows = [("flow", f"{self.flow_name}{f' (preset {self.preset_name})' if self.preset_name else ''}")]
        if self.inputs and not self.details.formula:
            rows.append(("inputs", ", ".join(one.text for one in self.inputs)))
        rows += self.details.rows(self.label)
        for name, text in rows:
            console.print(f"{name:<13} {text}", markup=False, soft_wrap=not console.is_terminal)
        for note in self.details.notes:
            console.print(f"{'note':<13} {note}", markup=False, soft_wrap=not console.is_terminal)
        for clause in self.unchecked:
            console.print(f"{'note':<13} {clause}", markup=False, soft_wrap=not console.is_terminal)


def make_plan(
    flow: str | FlowDescription,
    *inputs: str,
    preset: str | None = None,
    options: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
    label: str | None = None,
    store: str | None = None,
    force: bool = False,
) -> RunPlan:
    """Check what the user asked for, without computing anything.

    Parameters
    ----------
    flow : str or FlowDescription
        Registered name of a flow, or its description.
    *inputs : str
        Files, shipped examples or ids of documents; the preset's where none is given.
    preset : str, optional
        Name or file of a preset; the shipped preset of the flow's own name where not given.
    options : mapping, optional
        Values of the options that are short forms of settings, by name; None values are left out.
    settings : sequence of str
        Assignments such as ``md.time_step_fs=1``; they win over the options.
    label : str, optional
        Name of the material.
    store : str, optional
        Store in which ids of documents and names of trained potentials are looked up; the project's own by default.
    force : bool
        Whether a potential trained here may be used though it was rejected.

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
    from ..flows.potential_fields import map_potentials
    from ..flows.presets import list_presets, load_preset
    from ..flows.registry import describe_flow
    from ..flows.settings import apply_settings, parse_assignment
    from ..workflows.student_names import StudentNames

    described = describe_flow(flow) if isinstance(flow, str) else flow
    name = described.name
    if preset is None and name in {shipped.name for shipped in list_presets()}:
        preset = name
    overrides = overrides_of(described, options or {})
    overrides |= dict(parse_assignment(text) for text in settings)
    words: Sequence[str] = inputs
    if preset is None:
        maker = apply_settings(described.maker(), overrides)
    else:
        loaded = load_preset(preset)
        if loaded.flow != name:
            raise SettingsError(
                f"The preset '{preset}' is for the flow '{loaded.flow}', not for '{name}'; choose another preset."
            )
        maker = loaded.maker(overrides)
        words = inputs or loaded.inputs
    maker = map_potentials(maker, StudentNames(location=store, force=force).resolve)
    resolved = resolve_inputs(words, described, store)
    details = plan(maker, *(one.value for one in resolved))
    if getattr(maker, "checkpoint_root", None) is None and details.checkpoint_root:
        details = details.model_copy(update={"checkpoint_root": str(_project_trajectories())})
    return RunPlan(
        flow_name=name,
        preset_name=preset,
        inputs=resolved,
        label=label or details.label or details.formula or name,
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

    named = [getattr(maker, field, None) for field in ("potential", "teacher")]
    elements = Composition(details.formula).elements if details.formula else []
    symbols = [element.symbol for element in elements]
    clauses = [clause for one in named if one is not None for clause in check_readiness(one, symbols)]
    return tuple(dict.fromkeys(clauses))
