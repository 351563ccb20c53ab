"""How many independent walkers the ions amount to, and how many of them hop at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LEAST_DIFFUSIVE_SHARE = 0.3
"""Share of diffusion in the squared displacements of blocks below which rattling hides how ions move together."""


def independent_share(
    blocks: Sequence[NDArray[np.float64]], axis_shares: NDArray[np.float64], rattling_share: float = 0.0
) -> float:
    """One over the number of independent coordinates that the ions' diffusion amounts to.

    With C the covariance of all 3 n displacements over a block, the relative variance of a Gaussian mean square is
    2 tr(C²)/(tr C)² for each block. For independent blocks a and b, (Δₐ · Δᵦ)² averages tr(C²) and |Δₐ|² |Δᵦ|²
    averages (tr C)²: the mean squared cosine between the displacements of all ions in different blocks is the
    ratio. It is 1/(3 n) for independent isotropic ions, g times that for groups of g that move as one, in whatever
    directions, and a little more for a crowd that conserves its centre.

    Parameters
    ----------
    blocks : sequence of ndarray, shape (n_blocks, n_ions, 3)
        Displacements in Å.
    axis_shares : ndarray, shape (3,)
        Share of each axis in the motion; the result is at least that of independent ions, Σ shares² / n.
    rattling_share : float
        Share of rattling, which is independent for each coordinate, in the mean square of a block.

    Returns
    -------
    float
        tr(C²)/(tr C)² of the diffusion alone.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.random.default_rng(1).standard_normal((400, 1, 3))
    >>> together = [np.repeat(one, 8, axis=1)]
    >>> round(1 / (3 * independent_share(together, np.full(3, 1 / 3))), 1)
    1.0
    """
    n_ions = blocks[0].shape[1]
    independent = float(np.sum(axis_shares**2)) / n_ions
    squares, products = 0.0, 0.0
    for part in blocks:
        flat = part.reshape(len(part), -1)
        gram = flat @ flat.T
        norm = np.diag(gram)
        # Next neighbours are left out: a hop taken back in the next block is no concert.
        squares += float(np.sum(gram**2) - np.sum(norm**2) - 2.0 * np.sum(np.diag(gram, 1) ** 2))
        products += float(np.sum(norm) ** 2 - np.sum(norm**2) - 2.0 * np.sum(norm[1:] * norm[:-1]))
    if products <= 0.0:
        return independent
    diffusive = max(1.0 - rattling_share, _LEAST_DIFFUSIVE_SHARE)
    rattling = 1.0 - diffusive
    share = (squares / products - (2.0 * rattling * diffusive + rattling**2) / (3.0 * n_ions)) / diffusive**2
    return max(independent, share)


def concert_factor(blocks: NDArray[np.float64]) -> float:
    """How many ions hop together, as far as the scatter of the hops counts it.

    Where ions hop in concert, the sum of their squared displacements scatters more from one stretch of time to the
    next than for independent ions, and there are fewer independent events than hops. One standard error of the
    factor itself is taken off, so that chance does not look like concert.

    Parameters
    ----------
    blocks : ndarray, shape (n_blocks, n_ions, 3)
        Displacements over equal, separate stretches of time, in Å.

    Returns
    -------
    float
        Variance of the summed squares over that of independent ions, at least 1.
    """
    n_blocks, n_ions, _ = blocks.shape
    if n_blocks < 4 or n_ions < 2:
        return 1.0
    square = np.einsum("bia,bia->bi", blocks, blocks)
    independent = float(square.var(axis=0, ddof=1).sum())
    if independent <= 0:
        return 1.0
    factor = float(square.sum(axis=1).var(ddof=1)) / independent
    return max(1.0, factor - math.sqrt(2.0 / (n_blocks - 1)))
