"""Finding stages by name: ours and those of other packages."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import entry_points

from ...errors import SettingsError
from .stage import Stage

GROUP = "superion.stages"
"""Entry point group of stages."""


@cache
def stage_names() -> tuple[str, ...]:
    """List the names of all stages.

    Returns
    -------
    tuple of str
        Sorted names.
    """
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


@cache
def load_stage(name: str) -> Stage:
    """Load a stage by name.

    Parameters
    ----------
    name : str
        Its name in the campaign file.

    Returns
    -------
    Stage
        The stage.

    Raises
    ------
    SettingsError
        If there is none, the nearest known one being named, or its package does not load.
    """
    found = [point for point in entry_points(group=GROUP) if point.name == name]
    if not found:
        near = difflib.get_close_matches(name, stage_names(), n=1, cutoff=0.0)
        hint = f" did you mean '{near[0]}'?" if near else ""
        raise SettingsError(f"There is no stage '{name}';{hint}")
    try:
        stage_class = found[0].load()
    except Exception as error:
        raise SettingsError(
            f"The stage '{name}' of {found[0].value} does not load ({type(error).__name__}: {error}): "
            "mend or uninstall the package that registers it."
        ) from error
    return stage_class()
