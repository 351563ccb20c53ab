"""Oxidation states that make a composition neutral."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

from pymatgen.core import Composition, Element

_NEUTRAL_PER_ATOM = 0.02
_DOPING_PER_ATOM = 0.1
_COMMON = 0.02
_MOST_COMBINATIONS = 500_000


def guess_oxidation_states(composition: Composition) -> tuple[dict[str, float], bool]:
    """Assign one oxidation state to each element so that the composition is as neutral as can be.

    Among the neutral assignments the likeliest wins, by how often each state occurs in the ICSD (pymatgen's table).
    pymatgen's own guess wants whole numbers of atoms; this one takes the fractional compositions of disordered
    crystals.

    Parameters
    ----------
    composition : Composition
        Amounts may be fractional.

    Returns
    -------
    states : dict of str to float
        Oxidation state of each element; zero in an elemental solid.
    balanced : bool
        Whether the total charge is below 0.02 per atom. When no whole states balance and a transition metal can be
        of mixed valence, that element gets the fractional state that balances the rest.

    Examples
    --------
    >>> from pymatgen.core import Composition
    >>> states, balanced = guess_oxidation_states(Composition("Li6PS5Cl"))
    >>> states["P"], states["S"], balanced
    (5.0, -2.0, True)
    """
    amounts = composition.get_el_amt_dict()
    total = sum(amounts.values())
    states, balanced = _guess(tuple(sorted((symbol, round(amount / total, 8)) for symbol, amount in amounts.items())))
    return dict(states), balanced


def common_oxidation_states(symbol: str) -> list[float]:
    """List the oxidation states that make up at least 2 % of an element's occurrences in the ICSD.

    Parameters
    ----------
    symbol : str
        Chemical symbol.

    Returns
    -------
    list of float
        Most frequent first.

    Examples
    --------
    >>> common_oxidation_states("O")
    [-2.0]
    """
    return [state for state, _ in _states_with_log_probability(symbol, _COMMON)]


@lru_cache(maxsize=256)
def _guess(fractions: tuple[tuple[str, float], ...]) -> tuple[tuple[tuple[str, float], ...], bool]:
    symbols = [symbol for symbol, _ in fractions]
    amounts = [amount for _, amount in fractions]
    if len(symbols) == 1:
        return ((symbols[0], 0.0),), True
    common = [_states_with_log_probability(symbol, _COMMON) for symbol in symbols]
    states, charge = _most_neutral(common, amounts)
    if charge <= _NEUTRAL_PER_ATOM:
        return tuple(zip(symbols, states, strict=True)), True
    mixed = _mixed_valence(symbols, amounts, [choice[0][0] for choice in common])
    if mixed is not None:
        return mixed, True
    if charge > _DOPING_PER_ATOM:
        # far from neutral: not an uncompensated dopant but an element in a rare state, as in a peroxide
        rare, rare_charge = _most_neutral([_states_with_log_probability(symbol, 0.0) for symbol in symbols], amounts)
        if rare_charge <= _NEUTRAL_PER_ATOM:
            return tuple(zip(symbols, rare, strict=True)), True
        # hopeless: a damaged composition must not drag elements into odd states
        states = tuple(choice[0][0] for choice in common)
    return tuple(zip(symbols, states, strict=True)), False


def _most_neutral(choices: list[list[tuple[float, float]]], amounts: list[float]) -> tuple[tuple[float, ...], float]:
    """Find the states of least total charge per atom, and among equally neutral ones the likeliest."""
    best: tuple[float, float, tuple[float, ...]] = (math.inf, 0.0, ())
    for combination in itertools.islice(itertools.product(*choices), _MOST_COMBINATIONS):
        states = tuple(state for state, _ in combination)
        charge = abs(sum(state * amount for state, amount in zip(states, amounts, strict=True)))
        unlikely = -sum(weight * amount for (_, weight), amount in zip(combination, amounts, strict=True))
        # charges within the tolerance count as equally neutral, so that rounding in a file does not decide
        best = min(best, (0.0 if charge <= _NEUTRAL_PER_ATOM else charge, unlikely, states))
    return best[2], best[0]


def _mixed_valence(
    symbols: list[str], amounts: list[float], states: list[float]
) -> tuple[tuple[str, float], ...] | None:
    """Let one transition metal balance the commonest states of all others, when it can."""
    charge = sum(state * amount for state, amount in zip(states, amounts, strict=True))
    for index, symbol in enumerate(symbols):
        possible = [state for state, _ in _states_with_log_probability(symbol, _COMMON)]
        shifted = states[index] - charge / amounts[index]
        if Element(symbol).is_transition_metal and min(possible) <= shifted <= max(possible):
            mixed = [*states[:index], round(shifted, 6), *states[index + 1 :]]
            return tuple(zip(symbols, mixed, strict=True))
    return None


@lru_cache(maxsize=1)
def _occurrence() -> dict[str, dict[float, float]]:
    """How often each oxidation state of each element occurs in the ICSD."""
    Composition("LiF").oxi_state_guesses()  # pymatgen loads its table at the first guess
    counts: dict[str, dict[float, float]] = {}
    for species, count in (Composition.oxi_prob or {}).items():
        counts.setdefault(species.symbol, {})[float(species.oxi_state or 0)] = float(count)
    return counts


def _states_with_log_probability(symbol: str, least: float) -> list[tuple[float, float]]:
    """States of an element that make up at least this part of its occurrences, likeliest first."""
    counts = {state: count for state, count in _occurrence().get(symbol, {}).items() if state}
    if not counts:
        counts = {float(state): 1.0 for state in Element(symbol).common_oxidation_states} or {0.0: 1.0}
    total = sum(counts.values())
    ranked = sorted(((state, count / total) for state, count in counts.items()), key=lambda item: (-item[1], item[0]))
    return [(state, math.log(part)) for state, part in ranked if part >= least] or [(ranked[0][0], 0.0)]
