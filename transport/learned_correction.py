"""What simulated mechanisms teach about a fit: how far its median is off, and how wide its error must be.

The models of the onset of diffusion have priors, and no prior suits a plain walk and a crowd of ions alike. What is
left was learned from walks whose truth is known: `benchmarks/mechanisms/learn.py` draws them, regresses on what the fit
knows of itself, and prints the numbers below. Families of mechanisms left out by turns, and mechanisms that never took
part, such as chains and rings, show how far it holds for the unseen (docs/calibration.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .diffusivity import DiffusivityFit
from .results import SamplingLaw

SHIFT = (-0.205, 0.612)
"""Standard errors by which the median of a tracer diffusivity is too high: constant, and for a curve that is surely
straight."""

LOG_WIDTH = (-0.291, 0.121, -0.400, -0.128)
"""Logarithm of the factor on its standard error: constant; for a curve that is surely straight; where all variance
comes of not knowing the onset of diffusion; for each unit of the logarithm of the relative error."""

AXIS_WIDTH = 0.989
"""Factor along each axis in addition."""

CHARGE_SHIFT, CHARGE_WIDTH, CHARGE_AXIS_WIDTH = -0.095, 0.898, 0.917
"""The same for the charge diffusivity, whose single walker hides all but constants."""

_LEAST_WIDTH, _GREATEST_WIDTH = 0.6, 1.8


@dataclass(frozen=True)
class LearnedCorrection:
    """Correction of one diffusivity.

    Parameters
    ----------
    shift : float
        Standard errors by which half of the estimates lie above the truth.
    width : float
        Factor on the relative error.
    axis_width : float
        Factor on the relative error along each axis.
    """

    shift: float
    width: float
    axis_width: float

    def corrected(self, law: SamplingLaw, *, along_axis: bool = False) -> SamplingLaw:
        """Correct a sampling law.

        Parameters
        ----------
        law : SamplingLaw
            Law of the whole diffusivity, or of that along an axis.
        along_axis : bool
            Which of them.

        Returns
        -------
        SamplingLaw
            The law with its errors corrected; the estimate stays, because its mean is right where its median is not.
        """
        width = self.axis_width if along_axis else self.width
        # The same share of a value that scatters √3 times as much.
        shift = self.shift / math.sqrt(3.0) if along_axis else self.shift
        return law.model_copy(
            update={
                "gaussian_relative_variance": law.gaussian_relative_variance * width**2,
                "counting_quantum_cm2_s": law.counting_quantum_cm2_s * width**2,
                "median_shift": shift / width,
            }
        )


def learned_correction(kind: Literal["tracer", "charge"], fit: DiffusivityFit) -> LearnedCorrection:
    """Give the correction of a fit.

    Parameters
    ----------
    kind : {"tracer", "charge"}
        Which diffusivity it is.
    fit : DiffusivityFit
        A fit with a positive value.

    Returns
    -------
    LearnedCorrection
        The correction.
    """
    if kind == "charge":
        return LearnedCorrection(CHARGE_SHIFT, CHARGE_WIDTH, CHARGE_AXIS_WIDTH)
    error = math.sqrt(fit.variance + fit.counting_variance) / fit.value
    straight = fit.straight_probability
    features = (1.0, straight, fit.onset_variance_share, math.log(error))
    width = math.exp(sum(slope * feature for slope, feature in zip(LOG_WIDTH, features, strict=True)))
    width = min(max(width, _LEAST_WIDTH), _GREATEST_WIDTH)
    return LearnedCorrection(SHIFT[0] + SHIFT[1] * straight, width, width * AXIS_WIDTH)
