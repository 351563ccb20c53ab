"""How long an ion that moves goes on moving: the memory of activity that waiting times and traps leave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LONGEST_MEMORY_SHARE = 0.25
"""Longest memory that is summed, as a share of the run; what lasts longer belongs to the ions."""


@dataclass(frozen=True)
class Activity:
    """Correlation of the squared displacements of single ions between blocks of time.

    Parameters
    ----------
    relative_variance : float
        What it adds to the relative variance of the mean square of independent ions.
    lasting : float
        Correlation, relative to the squared mean, between blocks more than a quarter of the run apart: the relative
        variance of the ions' own mobilities.
    lasting_error : float
        Standard error of `lasting` were there none.
    """

    relative_variance: float
    lasting: float
    lasting_error: float


def activity(blocks: Sequence[NDArray[np.float64]], concert: float = 1.0) -> Activity:
    """Measure how unevenly motion is spread over ions and time.

    With z the squared displacement of one ion in one block, relative to the mean over all and less one, the relative
    variance of the mean of |Δ|² has the terms 2 Σₖ (1 − k/B) ⟨z(b) z(b + k)⟩ / (n B) beside that of independent
    blocks. They are summed in bins of k that double in width, until one is no more than its standard error.

    Parameters
    ----------
    blocks : sequence of ndarray, shape (n_blocks, n_ions, 3)
        Displacements over equal stretches of time, one array for each run, in Å.
    concert : float
        Ions that move as one: there are so many times fewer independent ones.

    Returns
    -------
    Activity
        Memory and lasting differences.
    """
    squares = [np.einsum("bia,bia->bi", part, part) for part in blocks]
    n_all = sum(part.size for part in squares)
    mean = sum(float(part.sum()) for part in squares) / n_all
    longest = max(len(part) for part in squares)
    if mean <= 0 or longest < 8:
        return Activity(0.0, 0.0, math.inf)
    products, pairs = np.zeros(longest), np.zeros(longest)
    for part in squares:
        z = part / mean - 1.0
        transform = np.fft.rfft(z, 2 * len(z), axis=0)
        products[: len(z)] += np.fft.irfft(np.abs(transform) ** 2, axis=0)[: len(z)].sum(axis=1)
        pairs[: len(z)] += z.shape[1] * np.arange(len(z), 0, -1)
    spread = products[0] / pairs[0] * math.sqrt(concert)
    # Each lag occurs pairs/n_all as often as a block does, before and after.
    share = pairs / n_all
    quarter = max(1, int(_LONGEST_MEMORY_SHARE * longest))
    late = slice(quarter + 1, None)
    lasting = float(products[late].sum() / pairs[late].sum())
    lasting_error = spread / math.sqrt(pairs[late].sum())
    total, first, next_block = 0.0, 1, 0.0
    while first <= quarter:
        part = slice(first, min(2 * first, quarter + 1))
        correlation = float(products[part].sum() / pairs[part].sum())
        if correlation < spread / math.sqrt(pairs[part].sum()):
            break
        if first == 1:
            next_block = correlation
        elif first == 2:
            # A hop that is taken back in the next block correlates these two alone, and is no memory.
            total += min(next_block, 2.0 * correlation) * share[1]
        if first > 1:
            total += correlation * float(share[part].sum())
        first = part.stop
    else:
        if lasting > lasting_error:
            total += lasting * float(share[late].sum())
    return Activity(2.0 * total / n_all, lasting, lasting_error)
