"""A potential as campaign files name it, for the whole campaign or for one stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from ....errors import PotentialError, StoreAwayError, SuperionError, as_clause
from ....potentials.specification import PotentialSpecification

STUDENTS = "students"
"""Entry of the validation context with the names of potentials that were trained here, as `StudentNames`."""


def _by_name(value: Any) -> Any:
    """Take NAME and NAME:MODEL for what they are short for."""
    if not isinstance(value, str):
        return value
    name, _, model = value.partition(":")
    return {"name": name, "model": model or None}


def _with_model_file(value: PotentialSpecification, info: ValidationInfo) -> PotentialSpecification:
    """Put the model file in place of the name of a potential that was trained here."""
    names = (info.context or {}).get(STUDENTS)
    try:
        return value if names is None else names.resolve(value)
    except StoreAwayError:
        # No mistake of the file.
        raise
    except SuperionError as error:
        raise _error("name", str(error), value.name) from None


def _is_registered(value: PotentialSpecification) -> PotentialSpecification:
    """Refuse a name that no package registers."""
    from ....potentials.registry import potential_class

    try:
        potential_class(value.name)
    except PotentialError as error:
        raise _error("name", str(error), value.name) from None
    return value


def _error(key: str, sentence: str, value: Any) -> ValidationError:
    problem = PydanticCustomError("campaign", "{sentence}", {"sentence": as_clause(sentence)})
    details = InitErrorDetails(type=problem, loc=(key,), input=value)
    return ValidationError.from_exception_data("PotentialSpecification", [details])


NamedPotential = Annotated[
    PotentialSpecification, BeforeValidator(_by_name), AfterValidator(_with_model_file), AfterValidator(_is_registered)
]
"""NAME, NAME:MODEL or the fields of a specification, of a potential that is registered or was trained here."""


@dataclass(frozen=True)
class UsedPotential:
    """A potential that stages of a campaign compute with.

    Parameters
    ----------
    place : tuple of str or int
        Where the file names it, as keys and list positions.
    subject : str
        Which one it is, as sentences call it.
    specification : PotentialSpecification
        The potential.
    """

    place: tuple[str | int, ...]
    subject: str
    specification: PotentialSpecification
