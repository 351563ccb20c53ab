"""Named sets of settings: YAML files that ship with the package, or the user's own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..configs.shipped import find_file, shipped_files
from ..errors import SettingsError
from .registry import flow_maker

if TYPE_CHECKING:
    from jobflow import Maker

_FOLDER = "flows"


class FlowPreset(BaseModel):
    """A flow with its settings, as a YAML file describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name of the preset: that of its file")
    description: str = Field(description="what it is for, in one or two sentences")
    flow: str = Field(description="registered name of the flow")
    inputs: tuple[str, ...] = Field(
        default=(), description="what it runs on unless other inputs are given; `structure` names a single one"
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="settings that differ from the flow's own")

    def maker(self, overrides: Mapping[str, Any] | None = None) -> Maker:
        """Build the flow's Maker.

        Parameters
        ----------
        overrides : mapping of str to Any, optional
            Settings by dotted name that win over the preset's.

        Returns
        -------
        Maker
            Ready for `make`.

        Raises
        ------
        SettingsError
            If a setting does not exist or does not fit.
        """
        from .settings import apply_settings

        maker = apply_settings(flow_maker(self.flow)(), self.settings)
        return apply_settings(maker, overrides or {})


def list_presets() -> list[FlowPreset]:
    """List the presets that ship with the package.

    Returns
    -------
    list of FlowPreset
        Sorted by name.

    Examples
    --------
    >>> [preset.name for preset in list_presets() if preset.name == "quickstart"]
    ['quickstart']
    """
    return [_read(path) for path in shipped_files(_FOLDER).values()]


def load_preset(name_or_path: str | Path) -> FlowPreset:
    """Read a preset, shipped or the user's own.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped preset, or a YAML file.

    Returns
    -------
    FlowPreset
        Checked, but for its settings, which the flow checks.

    Raises
    ------
    SettingsError
        If there is no such preset or file, or it is not a preset.

    Examples
    --------
    >>> load_preset("conductivity").flow
    'conductivity'
    """
    return _read(find_file(name_or_path, _FOLDER, "preset"))


def _read(path: Path) -> FlowPreset:
    """Read one preset file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"The preset {path} is not valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(content, dict):
        raise SettingsError(f"The preset {path} must be a mapping with description, flow and settings.")
    if "structure" in content and "inputs" not in content:
        content["inputs"] = [content.pop("structure")]
    unknown = sorted(set(content) - set(FlowPreset.model_fields) | (set(content) & {"name"}))
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), [*FlowPreset.model_fields], n=1, cutoff=0.0)
        raise SettingsError(f"The preset {path} has an unknown key '{unknown[0]}': did you mean '{near[0]}'?")
    try:
        return FlowPreset(name=path.stem, **content)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            f"The preset {path} is wrong at '{'.'.join(map(str, first['loc']))}': {first['msg']}."
        ) from None
