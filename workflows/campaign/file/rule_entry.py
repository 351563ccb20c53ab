"""One rule of a stage, checked by the model of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from ....errors import SettingsError, as_clause
from ...selection.registry import rule_of
from ...selection.rule import SelectionRule


def _checked(data: Any) -> Any:
    if not isinstance(data, Mapping):
        return data
    try:
        return rule_of(data)
    except SettingsError as error:
        problem = PydanticCustomError("campaign", "{sentence}", {"sentence": as_clause(str(error))})
        details = InitErrorDetails(type=problem, loc=("rule",), input=data.get("rule"))
        raise ValidationError.from_exception_data("SelectionRule", [details]) from None


RuleEntry = Annotated[SerializeAsAny[SelectionRule], BeforeValidator(_checked)]
"""A rule in the campaign file."""
