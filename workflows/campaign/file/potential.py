"""A potential as campaign files name it, for the whole campaign or for one stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from ....errors import PotentialError, as_clause
from ....potentials.specification import PotentialSpecification


def _by_name(value: Any) -> Any:
    """Take NAME and NAME:MODEL for what they are short for."""
    if not isinstance(value, str):
        return value
    name, _, model = value.partition(":")
    return {"name": name, "model": model or None}


def _is_registered(value: PotentialSpecification) -> PotentialSpecification:
    """Refuse a name that no package registers."""
    from ....potentials.registry import potential_class

    try:
        potential_class(value.name)
    except PotentialError as error:
        problem = PydanticCustomError("campaign", "{sentence}", {"sentence": as_clause(str(error))})
        details = InitErrorDetails(type=problem, loc=("name",), input=value.name)
        raise ValidationError.from_exception_data("PotentialSpecification", [details]) from None
    return value


NamedPotential = Annotated[PotentialSpecification, BeforeValidator(_by_name), AfterValidator(_is_registered)]
"""NAME, NAME:MODEL or the fields of a specification, of a potential that is registered."""


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
