"""How far D may be overstated where back-hops last longer than a run can see."""

from __future__ import annotations

import numpy as np

_MEASURED: tuple[tuple[float, float], ...] = (
    (1.2, 2.73),
    (1.55, 2.38),
    (2.65, 1.72),
    (5.0, 1.18),
    (6.65, 1.07),
    (10.0, 1.02),
)
"""Longest fitted lag in ps, and the mean of D over the truth for back-hops that take 1 ps."""

NEGLIGIBLE = 1.05
"""Factor below which the error of any run is larger."""


def hidden_back_hop_factor(longest_lag_ps: float) -> float:
    """Give the factor by which D is overstated where three hops in five are taken back after a picosecond.

    No analysis of the run itself can see them: they look like diffusion at lags below a few picoseconds. The factor
    was measured with 24 ions and 60 to 120 synthetic walks for each length, `tests/transport/test_hidden_back_hops.py`
    measures it again.

    Parameters
    ----------
    longest_lag_ps : float
        Longest lag of the fit in ps, a third of the run.

    Returns
    -------
    float
        Mean of the estimate over the truth; 1 where such back-hops show.

    Examples
    --------
    >>> hidden_back_hop_factor(1.55), hidden_back_hop_factor(20.0)
    (2.38, 1.0)
    """
    lags, factors = zip(*_MEASURED, strict=True)
    if longest_lag_ps >= lags[-1]:
        return 1.0
    # Runs shorter than those measured are no better than the shortest of them.
    return float(np.exp(np.interp(longest_lag_ps, lags, np.log(factors))))
