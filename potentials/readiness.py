"""Whether a potential can work here, as far as a look tells that loads no weights."""

from __future__ import annotations

from collections.abc import Iterable

from .registry import load_potential
from .specification import PotentialSpecification


def check_readiness(specification: PotentialSpecification, symbols: Iterable[str] = ()) -> list[str]:
    """Refuse a potential that cannot compute a structure here, without loading its weights.

    The package must be installed, the model file there, the device there, the precision one that the potential
    computes in, and the elements known, where the potential names them without its weights.

    Parameters
    ----------
    specification : PotentialSpecification
        The potential.
    symbols : iterable of str
        Chemical symbols of the structure.

    Returns
    -------
    list of str
        What could not be checked, a clause each.

    Raises
    ------
    PotentialError
        What is wrong, in the words in which loading the potential says it.

    Examples
    --------
    >>> check_readiness(PotentialSpecification(name="chgnet", device="cpu"), ["Li", "Cl"])
    []
    """
    potential = load_potential(specification)
    if potential.check_elements_without_weights(symbols):
        return []
    listed = ", ".join(sorted(set(symbols)))
    knows = f" or that it knows {listed}" if listed else ""
    return [
        f"not checked: that the weights of the potential '{potential.name}' can be read{knows}, which takes loading "
        "them; `superion potential check` does"
    ]
