"""All arrangements of counted atoms on the sites of a small cell, each once however symmetry turns it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import numpy as np

from .ewald_arrangement import out_of_time
from .occupancy import Sublattice

_STEPS_PER_ARRANGEMENT = 20
"""Steps of the search that one arrangement may cost; ions that keep each other away lead into dead ends."""

_HOPELESS = 1e7
"""Arrangements without regard to distances beyond which the search is not begun."""

_STEPS_PER_GLANCE = 10_000


def enumerate_arrangements(
    sublattices: Sequence[Sublattice],
    excluded: np.ndarray,
    permutations: np.ndarray,
    most_arrangements: int,
    deadline: float | None = None,
) -> list[tuple[str, ...]] | None:
    """List the arrangements that no symmetry operation turns into each other.

    Parameters
    ----------
    sublattices : sequence of Sublattice
        Sites by kind, with the whole number of atoms of each element.
    excluded : ndarray of bool, shape (n_sites, n_sites)
        Pairs of sites that are never occupied together.
    permutations : ndarray of int, shape (n_operations, n_sites)
        Symmetry operations, as from `site_permutations`.
    most_arrangements : int
        Give up beyond this many, symmetry-related ones counted.
    deadline : float, optional
        Value of `time.thread_time` after which the search is given up with a rejection.

    Returns
    -------
    list of tuple of str, or None
        The element of each site, empty for a vacancy, in a fixed order; an empty list when the exclusions leave none;
        None when there are too many.

    Raises
    ------
    StructureRejection
        When the deadline has passed.

    Notes
    -----
    Exclusions are kept while the arrangement is built, not by sorting out complete ones: 24 Li on the 48 split sites
    of an argyrodite have 3·10¹³ arrangements without them. That is why no library for derivative structures serves.

    Examples
    --------
    >>> square = [Sublattice(sites=(0, 1, 2, 3), occupancy=(("Li", 0.5),), counts=(2,))]
    >>> turns = np.array([[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]])
    >>> enumerate_arrangements(square, np.zeros((4, 4), dtype=bool), turns, 100)
    [('Li', 'Li', '', ''), ('Li', '', 'Li', '')]
    """
    if count_without_exclusions(sublattices) > _HOPELESS:
        return None
    symbols = sorted({symbol for part in sublattices for symbol, _ in part.occupancy})
    fixed = [part for part in sublattices if _n_ways(part) == 1]
    open_parts = [part for part in sublattices if _n_ways(part) > 1]
    open_sites = np.array([site for part in open_parts for site in part.sites], dtype=int)
    occupants = np.zeros(permutations.shape[1], dtype=np.uint8)
    for part in fixed:
        for (symbol, _), number in zip(part.occupancy, part.counts, strict=True):
            if number:
                occupants[list(part.sites)] = 1 + symbols.index(symbol)
    if bool(excluded[np.ix_(occupants > 0, occupants > 0)].any()):
        return []
    seen: set[bytes] = set()
    distinct = []
    complete = _complete(occupants, open_parts, symbols, excluded, most_arrangements, deadline)
    for n_found, arrangement in enumerate(complete, start=1):
        if arrangement is None or n_found > most_arrangements:
            return None
        if arrangement[open_sites].tobytes() not in seen:
            seen.update(row.tobytes() for row in arrangement[permutations[:, open_sites]])
            distinct.append(arrangement.copy())
    names = ("", *symbols)
    return [tuple(names[occupant] for occupant in arrangement) for arrangement in distinct]


def count_without_exclusions(sublattices: Sequence[Sublattice]) -> float:
    """Count the arrangements without regard to symmetry and distances; a float, for it may be huge.

    Parameters
    ----------
    sublattices : sequence of Sublattice
        Sites by kind, with counts.

    Returns
    -------
    float
        Product of the multinomial coefficients.
    """
    return math.prod(float(_n_ways(part)) for part in sublattices)


def _n_ways(part: Sublattice) -> int:
    left, ways = len(part.sites), 1
    for number in part.counts:
        ways *= math.comb(left, number)
        left -= number
    return ways


def _complete(
    occupants: np.ndarray,
    parts: Sequence[Sublattice],
    symbols: list[str],
    excluded: np.ndarray,
    most_arrangements: int,
    deadline: float | None,
) -> Iterator[np.ndarray | None]:
    """Fill site after site; gives None when the search takes too many steps. The array given is used again."""
    order = [(site, number) for number, part in enumerate(parts) for site in part.sites]
    # vacancies are a kind of occupant with the number that is left over
    left = [
        {
            0: len(part.sites) - sum(part.counts),
            **{1 + symbols.index(symbol): n for (symbol, _), n in zip(part.occupancy, part.counts, strict=True)},
        }
        for part in parts
    ]
    # atoms before vacancies, so that the first arrangement fills the first sites
    choices = [sorted(kinds, key=lambda kind: (kind == 0, kind)) for kinds in left]
    neighbours = [np.flatnonzero(row).tolist() for row in excluded]
    budget = _STEPS_PER_ARRANGEMENT * most_arrangements
    steps = 0
    taken: list[Iterator[int]] = [iter(choices[order[0][1]])] if order else []
    if not order:
        yield occupants
        return
    placed: list[int] = []
    while taken:
        steps += 1
        if steps > budget:
            yield None
            return
        if deadline is not None and steps % _STEPS_PER_GLANCE == 0 and time.thread_time() > deadline:
            raise out_of_time()
        depth = len(taken) - 1
        site, part = order[depth]
        if len(placed) > depth:
            left[part][placed.pop()] += 1
            occupants[site] = 0
        for kind in taken[-1]:
            if left[part][kind] and not (kind and any(occupants[other] for other in neighbours[site])):
                left[part][kind] -= 1
                occupants[site] = kind
                placed.append(kind)
                break
        else:
            taken.pop()
            continue
        if len(placed) == len(order):
            yield occupants
        else:
            taken.append(iter(choices[order[len(taken)][1]]))
