"""How high an energy on a periodic grid must be filled until its low part crosses a crystal in one to three ways."""

from __future__ import annotations

import itertools
import math

import numpy as np

_TOLERANCE_EV = 1e-3
"""How closely a threshold is bracketed."""

_HALF_OF_NEIGHBOURS = tuple(step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0))


def percolation_thresholds(field: np.ndarray, greatest: float = 5.0) -> tuple[float, float, float]:
    """Find how high above its minimum a field must be filled until the filled part crosses the crystal.

    Filled points are connected to all 26 neighbours, over the cell's faces too. A connected part that comes back to
    itself along k independent lattice vectors percolates in k dimensions.

    Parameters
    ----------
    field : ndarray, shape (n1, n2, n3)
        Energy in eV on a grid that covers one cell, each point once.
    greatest : float
        Height in eV beyond which nothing is sought.

    Returns
    -------
    tuple of float
        Heights in eV for one, two and three dimensions, to within 1 meV from above; infinite beyond `greatest`.

    Examples
    --------
    A channel along the first axis at 0, in walls of 1, with a door of 0.3:

    >>> field = np.ones((4, 4, 4))
    >>> field[:, 2, 2] = [0.0, 0.0, 0.3, 0.0]
    >>> [round(height, 2) for height in percolation_thresholds(field)]
    [0.3, 1.0, 1.0]
    """
    height = np.asarray(field, dtype=float) - float(np.min(field))
    known: dict[float, int] = {}

    def dimension(threshold: float) -> int:
        if threshold not in known:
            known[threshold] = percolation_dimension(height <= threshold)
        return known[threshold]

    found = []
    for wanted in (1, 2, 3):
        low, high = 0.0, float(greatest)
        if dimension(high) < wanted:
            found.append(math.inf)
            continue
        while high - low > _TOLERANCE_EV:
            middle = 0.5 * (low + high)
            low, high = (low, middle) if dimension(middle) >= wanted else (middle, high)
        found.append(high)
    return found[0], found[1], found[2]


def percolation_dimension(filled: np.ndarray) -> int:
    """Count the independent directions in which the filled part of a periodic grid goes on for ever.

    Parameters
    ----------
    filled : ndarray of bool, shape (n1, n2, n3)
        One cell.

    Returns
    -------
    int
        0 to 3.

    Examples
    --------
    >>> filled = np.zeros((3, 3, 3), dtype=bool)
    >>> filled[1] = True
    >>> percolation_dimension(filled)
    2
    """
    from scipy.ndimage import label

    labels, n_parts = label(filled, structure=np.ones((3, 3, 3)))
    links: dict[int, set[tuple[int, tuple[int, int, int]]]] = {part: set() for part in range(1, n_parts + 1)}
    for first, second, offset in _links_over_faces(labels):
        links[first].add((second, offset))
        links[second].add((first, (-offset[0], -offset[1], -offset[2])))
    return max((_independent_loops(group) for group in _groups(links)), default=0)


def _links_over_faces(labels: np.ndarray) -> set[tuple[int, int, tuple[int, int, int]]]:
    """Find which parts touch which over the faces of the cell, and how many cells further."""
    links: set[tuple[int, int, tuple[int, int, int]]] = set()
    for step in _HALF_OF_NEIGHBOURS:
        for offset in itertools.product(*[(0,) if move == 0 else (0, move) for move in step]):
            if not any(offset):
                continue
            here, there = zip(*[_slices(move, beyond) for move, beyond in zip(step, offset, strict=True)], strict=True)
            first, second = labels[here].ravel(), labels[there].ravel()
            both = (first > 0) & (second > 0)
            pairs = np.unique(np.stack([first[both], second[both]], axis=1), axis=0)
            over = (offset[0], offset[1], offset[2])
            links |= {(int(one), int(other), over) for one, other in pairs}
    return links


def _slices(move: int, over: int) -> tuple[slice, slice]:
    """Give the points of one axis that have a neighbour `move` further, inside the cell or over its face."""
    if move == 0:
        return slice(None), slice(None)
    if move == 1:
        return (slice(-1, None), slice(0, 1)) if over else (slice(None, -1), slice(1, None))
    return (slice(0, 1), slice(-1, None)) if over else (slice(1, None), slice(None, -1))


def _groups(
    links: dict[int, set[tuple[int, tuple[int, int, int]]]],
) -> list[list[tuple[int, int, int]]]:
    """Walk through every connected group of parts, and collect the cells by which its loops miss their start."""
    place: dict[int, tuple[int, int, int]] = {}
    groups = []
    for start in links:
        if start in place:
            continue
        place[start] = (0, 0, 0)
        loops: set[tuple[int, int, int]] = set()
        waiting = [start]
        while waiting:
            part = waiting.pop()
            x, y, z = place[part]
            for neighbour, (i, j, k) in links[part]:
                reached = (x + i, y + j, z + k)
                if neighbour not in place:
                    place[neighbour] = reached
                    waiting.append(neighbour)
                elif reached != place[neighbour]:
                    a, b, c = place[neighbour]
                    loops.add((reached[0] - a, reached[1] - b, reached[2] - c))
        groups.append(sorted(loops))
    return groups


def _independent_loops(loops: list[tuple[int, int, int]]) -> int:
    """Count the linearly independent ones."""
    return int(np.linalg.matrix_rank(np.array(loops))) if loops else 0
