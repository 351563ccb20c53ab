"""The ways in which an MSD may bend before it becomes straight, and how likely each is before it is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_SINGLE_TIMES = 12
"""Relaxation times tried, from the first lag to a third of the longest."""

N_TAIL_TIMES = 6
"""Times at which a relaxation with a long tail may begin, from half the first lag to the time of a hop."""

EARLY_TAIL, LATE_TAIL = 8.0, 3.0
"""The latest of them lies between these parts of the longest lag: earlier and later ones could not be told apart."""

STRAIGHT_PRIOR = 0.4
"""Prior probability that nothing relaxes after the start of a fit."""

TAIL_PRIOR = 0.3
"""Prior probability of a relaxation with a long tail; single exponentials have the rest.

These three and the scales below were chosen on gases, plain walks, cages, back-hops and groups of 4 and 24 ions, with
other random numbers than those of the published table: the widest intervals of plain walks that hold in gases."""

SINGLE_SCALE = 1.0
"""Prior scale of a single relaxation: by how much, as a share, it raises the slope at its very start."""

TAIL_SCALE = 0.5
"""The same for a relaxation with a long tail."""

PERSISTENCE_PRIOR = 0.3
"""Prior probability that a single relaxation lowers the slope at first: ions that go on rather than back."""


@dataclass(frozen=True)
class RelaxationShapes:
    """Shapes of unit amplitude that fade with the lag, to be taken off a straight line.

    A single exponential is what hops leave that are taken back at one rate. The tail (1 + τ/t)^−½ is what a tracer in a
    crowd leaves: its velocity autocorrelation decays as τ^−5/2, because the vacancy that it left diffuses away.

    Parameters
    ----------
    values : ndarray, shape (n_lags, n_shapes)
        The shapes at the lags.
    starts : ndarray, shape (n_shapes,)
        Latest start of a fit, in steps, from which the shape can still be told from a straight line.
    units : ndarray, shape (n_shapes,)
        Amplitude, in units of the slope, that doubles the slope at lag zero.
    scales : ndarray, shape (n_shapes,)
        Prior scale of the amplitude in those units.
    log_priors : ndarray, shape (n_shapes,)
        Logarithm of the prior probability.
    persistence : ndarray, shape (n_shapes,)
        Prior probability of a negative amplitude.
    """

    values: NDArray[np.float64]
    starts: NDArray[np.float64]
    units: NDArray[np.float64]
    scales: NDArray[np.float64]
    log_priors: NDArray[np.float64]
    persistence: NDArray[np.float64]


def relaxation_shapes(lags: NDArray[np.integer], hop_steps: float | None = None) -> RelaxationShapes:
    """Return the shapes that are tried on MSD points at the given lags.

    The prior of a single relaxation goes as one over its time: hops are taken back soon or not at all.

    Parameters
    ----------
    lags : ndarray of int, shape (n_lags,)
        Lags in steps.
    hop_steps : float, optional
        Time in which an ion diffuses by one hop, in steps: a crowd remembers no hop before it happens, so tails begin
        up to then. A fifth of the longest lag when not given.

    Returns
    -------
    RelaxationShapes
        The shapes: single exponentials first.

    Examples
    --------
    >>> import numpy as np
    >>> shapes = relaxation_shapes(np.arange(1, 100))
    >>> shapes.values.shape
    (99, 18)
    >>> round(float(np.exp(shapes.log_priors).sum()), 3)
    0.6
    """
    lag = lags.astype(float)
    first, last = lag[0], lag[-1]
    times = np.geomspace(first, max(last / 3.0, first), N_SINGLE_TIMES)
    latest = last / 5.0 if hop_steps is None else float(np.clip(hop_steps, last / EARLY_TAIL, last / LATE_TAIL))
    tails = np.geomspace(first / 2.0, max(latest, first / 2.0), N_TAIL_TIMES)
    single = (1.0 - STRAIGHT_PRIOR - TAIL_PRIOR) / times / np.sum(1.0 / times)
    return RelaxationShapes(
        values=np.column_stack([np.exp(-lag[:, None] / times), 1.0 / np.sqrt(1.0 + lag[:, None] / tails)]),
        starts=np.concatenate([times, 8.0 * tails]),
        units=np.concatenate([times, 2.0 * tails]),
        scales=np.concatenate([np.full(N_SINGLE_TIMES, SINGLE_SCALE), np.full(N_TAIL_TIMES, TAIL_SCALE)]),
        log_priors=np.log(np.concatenate([single, np.full(N_TAIL_TIMES, TAIL_PRIOR / N_TAIL_TIMES)])),
        persistence=np.concatenate([np.full(N_SINGLE_TIMES, PERSISTENCE_PRIOR), np.zeros(N_TAIL_TIMES)]),
    )
