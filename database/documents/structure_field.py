"""The field type under which documents keep crystal structures."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator


def structure_as_dict(value: Any) -> Any:
    """Turn a structure object into its dictionary; leave everything else as it is.

    jobflow decodes the `@class` entries nested in an output before it rebuilds the document
    around them, so a document must take a pymatgen Structure where it declares a dictionary.

    Parameters
    ----------
    value : pymatgen.core.Structure or dict
        What was given for the field.

    Returns
    -------
    dict
        `Structure.as_dict()` of a structure, otherwise `value` itself.

    Examples
    --------
    >>> structure_as_dict({"sites": []})
    {'sites': []}
    """
    as_dict = getattr(value, "as_dict", None)
    return as_dict() if callable(as_dict) else value


StructureDict = Annotated[dict[str, Any], BeforeValidator(structure_as_dict)]
"""A pymatgen Structure as a plain dictionary; a Structure object is accepted, too."""
