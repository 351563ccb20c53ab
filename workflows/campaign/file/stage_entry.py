"""One entry of the section `stages`: a stage's name, its settings and potential, and the rules for what it found."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, SerializeAsAny, model_serializer, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from ....dynamics.protocol import MdSettings
from ....errors import SettingsError, SuperionError, as_clause
from ...stages.registry import load_stage, stage_names
from ...stages.stage import StageSettings
from .campaign_potential import CampaignPotential
from .rule_entry import RuleEntry
from .section import Section

RESERVED = ("stage", "potential", "rules")
"""Keys of an entry that are not settings of its stage."""


class StageEntry(Section):
    """A stage as a campaign uses it.

    In the file, and in `model_dump`, the settings stand beside `stage`, `potential` and `rules`.

    Examples
    --------
    >>> entry = StageEntry.model_validate({"stage": "validate"})
    >>> entry.settings == load_stage("validate").settings_model()
    True
    """

    stage: str = Field(description="name of the stage")
    settings: SerializeAsAny[StageSettings] = Field(description="settings of the stage, checked by the stage")
    potential: CampaignPotential | None = Field(
        default=None,
        description="interatomic potential of this stage, given as the campaign's is; null: the campaign's",
    )
    rules: tuple[RuleEntry, ...] = Field(
        default=(), description="who goes on; all rules must be met; none keeps everyone"
    )

    @model_validator(mode="before")
    @classmethod
    def _take_settings(cls, data: Any) -> Any:
        """Let the stage itself check what stands beside `stage`, `potential` and `rules`."""
        if not isinstance(data, Mapping) or isinstance(data.get("settings"), StageSettings):
            return data
        name = data.get("stage")
        if not isinstance(name, str):
            given = f"not {name!r}" if name is not None else "and this one has none"
            raise _error("stage_name", f"each stage needs 'stage: NAME', {given}: there are {_known()}", "stage", name)
        try:
            stage = load_stage(name)
        except SettingsError as error:
            raise _error("stage_name", as_clause(str(error)), "stage", name) from None
        potential = data.get("potential")
        if potential is not None and not stage.uses_potential:
            sentence = f"the stage '{name}' computes without a potential: leave 'potential' out"
            raise _error("stage_name", sentence, "potential", potential)
        own = {key: value for key, value in data.items() if key not in RESERVED}
        try:
            settings = stage.settings_model.model_validate(own)
        except SuperionError as error:
            # What a stage finds wrong beyond its fields, such as a folder without files.
            raise _error("stage_name", as_clause(str(error)), "stage", name) from None
        return {"stage": name, "settings": settings, "potential": potential, "rules": data.get("rules") or ()}

    @model_serializer(mode="wrap")
    def _beside_each_other(self, handler: Any) -> dict[str, Any]:
        plain = handler(self)
        own = {} if self.potential is None else {"potential": plain["potential"]}
        return {"stage": plain["stage"], **own, **plain["settings"], "rules": plain["rules"]}


def with_inherited_md(entry: Any, md: Mapping[str, Any]) -> Any:
    """Give an entry of the file the campaign's MD settings where its stage runs MD and it gives none of its own.

    Parameters
    ----------
    entry : object
        One item of `stages` as the file has it.
    md : mapping of str to object
        The section `md` as the file has it.

    Returns
    -------
    object
        The entry, completed; unchanged where it is no mapping or its stage runs no MD.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("stage"), str):
        return entry
    try:
        model = load_stage(entry["stage"]).settings_model
    except SettingsError:
        return entry
    completed = dict(entry)
    for name in md_fields(model):
        own = entry.get(name, {})
        if isinstance(own, Mapping):
            completed[name] = {**md, **own}
    return completed


def md_fields(model: type[BaseModel]) -> list[str]:
    """Name the fields of a stage's settings that hold MD settings.

    Parameters
    ----------
    model : type of BaseModel
        Settings of a stage.

    Returns
    -------
    list of str
        Their names.
    """
    return [name for name, info in model.model_fields.items() if _is_md(info.annotation)]


def _is_md(hint: Any) -> bool:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return any(_is_md(option) for option in typing.get_args(hint))
    return isinstance(hint, type) and issubclass(hint, MdSettings)


def _known() -> str:
    return ", ".join(stage_names())


def _error(kind: str, sentence: str, key: str, value: Any) -> ValidationError:
    """Make an error at one key of the entry."""
    problem = PydanticCustomError(kind, "{sentence}", {"sentence": sentence})
    return ValidationError.from_exception_data("StageEntry", [InitErrorDetails(type=problem, loc=(key,), input=value)])
