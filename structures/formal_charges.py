"""The formal charge of each element of a crystal: given, written in its sites, or guessed."""

from __future__ import annotations

from collections.abc import Mapping

from pymatgen.core import Structure

from ..errors import StructureError
from .occupancy import site_occupants
from .oxidation import guess_oxidation_states

_NEUTRAL_PER_SITE = 0.02


def formal_charges(
    structure: Structure, given: Mapping[str, float] | None = None
) -> tuple[dict[str, float], list[str]]:
    """Find one formal charge for each element.

    Parameters
    ----------
    structure : Structure
        A crystal, with partial occupancies or without.
    given : mapping of str to float, optional
        Charge of each element. When None, those written in the structure's sites, where every element has one and
        they add up to nothing; else a guess from the composition.

    Returns
    -------
    charges : dict of str to float
        By symbol.
    notes : list of str
        What was guessed.

    Raises
    ------
    StructureError
        When charges are given for some elements and not for all.
    """
    elements = {symbol for site in structure for symbol in site_occupants(site)}
    if given is not None:
        missing = sorted(elements - set(given))
        if missing:
            raise StructureError(f"No oxidation state was given for {', '.join(missing)}: give one for every element.")
        return {symbol: float(given[symbol]) for symbol in elements}, []
    written: dict[str, list[tuple[float, float]]] = {}
    for site in structure:
        for species, amount in site.species.items():
            state = getattr(species, "oxi_state", None)
            if state is not None:
                written.setdefault(species.symbol, []).append((float(state), float(amount)))
    if set(written) == elements:
        # an element of two valences enters with their mean: the sites it sits on are not told apart
        mean = {
            symbol: sum(state * amount for state, amount in pairs) / sum(amount for _, amount in pairs)
            for symbol, pairs in written.items()
        }
        if abs(sum(mean[symbol] * amount for site in structure for symbol, amount in site_occupants(site).items())) < (
            _NEUTRAL_PER_SITE * len(structure)
        ):
            return mean, []
    guess, balanced = guess_oxidation_states(structure.composition)
    text = ", ".join(f"{symbol} {guess[symbol]:+g}" for symbol in sorted(guess))
    notes = [f"Oxidation states guessed for ordering: {text}."]
    if not balanced:
        notes.append(
            f"The composition {structure.composition.reduced_formula} is not neutral with any common oxidation states: "
            "it is ordered as it is, in a uniform background charge."
        )
    return guess, notes
