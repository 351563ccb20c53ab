"""What the tracer's curve and its scatter say of the mechanism, in a few numbers that a correction may depend on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .diffusivity import DiffusivityFit
from .scatter import MotionScatter


@dataclass(frozen=True)
class MotionFeatures:
    """Numbers that tell plain walks, crowds, long waits and groups from each other.

    Parameters
    ----------
    straight : float
        Probability that the MSD is straight from the start of the fit on.
    tail : float
        Mean share by which relaxations with a long tail, as a crowd has, raise the slope at lag zero.
    onset : float
        Share of the variance that comes of not knowing where and how diffusion sets in.
    log_walkers : float
        Half the logarithm of the number of independent coordinates.
    log_hops : float
        Logarithm of the number of independent hops that diffuse.
    log_hops_per_ion : float
        Logarithm of the number of them in one run for each ion.
    log_error : float
        Logarithm of the relative error of the tracer diffusivity.
    rarity : float
        Share of the variance that the rarity of hops and the memory of activity add.
    memory : float
        Share of that memory in what both add.
    """

    straight: float
    tail: float
    onset: float
    log_walkers: float
    log_hops: float
    log_hops_per_ion: float
    log_error: float
    rarity: float
    memory: float


def motion_features(
    fit: DiffusivityFit, scatter: MotionScatter, run_ps: float, hop_distance_angstrom: float
) -> MotionFeatures:
    """Collect the features of the motion.

    Parameters
    ----------
    fit : DiffusivityFit
        Fit to the tracer's curve, with a positive value.
    scatter : MotionScatter
        Scatter of the motion.
    run_ps : float
        Mean length of a run in ps.
    hop_distance_angstrom : float
        Hop distance in Å.

    Returns
    -------
    MotionFeatures
        The features.
    """
    variance = fit.variance + fit.counting_variance
    uneven = scatter.memory + scatter.counting
    return MotionFeatures(
        straight=fit.straight_probability,
        tail=fit.tail_rise,
        onset=fit.onset_variance_share,
        log_walkers=-0.5 * math.log(scatter.independent_share),
        log_hops=math.log(max(fit.value / scatter.quantum, 1.0)),
        log_hops_per_ion=math.log(6.0 * fit.value * run_ps / hop_distance_angstrom**2),
        log_error=0.5 * math.log(max(variance, 1e-300) / fit.value**2),
        rarity=fit.counting_variance / variance if variance > 0 else 0.0,
        memory=scatter.memory / uneven if uneven > 0 else 0.0,
    )
