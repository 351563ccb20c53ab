"""Why a crystal structure cannot be a candidate, in a word that programs read and a sentence for people."""

from __future__ import annotations

from enum import StrEnum

from ..errors import StructureError


class RejectionCode(StrEnum):
    """Reasons for which a structure is turned away before any dynamics."""

    MISSING_HYDROGEN = "missing_hydrogen"
    """Hydrogen that the material holds has no sites in the structure."""
    MISSING_MOBILE_ION = "missing_mobile_ion"
    """The mobile ion has no sites, or far fewer atoms than the material holds."""
    MISSING_ELEMENT = "missing_element"
    """Another element that the material holds has no sites."""
    WRONG_COMPOSITION = "wrong_composition"
    """Amounts far from those that the material is known to hold."""
    IMPOSSIBLE_OCCUPANCY = "impossible_occupancy"
    """A site that holds more than one atom, or none."""
    TOO_CLOSE = "too_close"
    """Atoms that must be there together are closer than atoms can be."""
    NOT_NEUTRAL = "not_neutral"
    """No oxidation states that the elements are known to take balance the composition, by far."""
    TOO_LARGE = "too_large"
    """More atoms or sites than allowed."""
    TOO_SLOW = "too_slow"
    """Not ordered within the time allowed."""
    NOT_A_CRYSTAL = "not_a_crystal"
    """An empty or absurd cell, unknown elements, isolated atoms."""


class StructureRejection(StructureError):
    """A structure that is turned away for a reason that can be counted.

    Parameters
    ----------
    code : RejectionCode
        The kind of reason.
    message : str
        One sentence for the user.

    Attributes
    ----------
    code : RejectionCode
        The kind of reason.

    Examples
    --------
    >>> StructureRejection(RejectionCode.TOO_LARGE, "The cell has 900 atoms.").code.value
    'too_large'
    """

    def __init__(self, code: RejectionCode, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[StructureRejection], tuple[RejectionCode, str]]:
        # pools of processes hand exceptions over by calling the class again, which takes two arguments
        return StructureRejection, (self.code, str(self))
