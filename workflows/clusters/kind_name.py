"""The name of a resource kind as a key of settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ...errors import SettingsError
from ...runtime.resource_kind import load_resource_kind, resource_kinds


def _is_registered(name: str) -> str:
    try:
        load_resource_kind(name)
    except SettingsError as error:
        raise ValueError(str(error)) from None
    return name


def _list_names(schema: dict[str, Any]) -> None:
    schema["enum"] = [*resource_kinds()]


KindName = Annotated[str, AfterValidator(_is_registered), Field(json_schema_extra=_list_names)]
"""Name of a kind that is registered; editors complete it."""
