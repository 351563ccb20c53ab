"""What simulated mechanisms teach about a fit: by how much it tends to be off, and how wide its error must be.

The models of the onset of diffusion have priors, and no prior suits a plain walk and a crowd of ions alike. What is
left was learned from walks whose truth is known: `benchmarks/mechanisms/samples.py` draws them, `learn.py` beside it
regresses on what the fit knows of itself, and prints the numbers below. Families of mechanisms left out by turns, and
mechanisms that never took part, such as chains and rings, show how far it holds for the unseen (docs/calibration.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from .motion_features import MotionFeatures
from .results import SamplingLaw

RANGES: Mapping[str, tuple[float, float]] = {
    "straight": (0.0, 0.89),
    "tail": (0.0, 0.63),
    "onset": (0.01, 0.57),
    "log_walkers": (0.52, 2.63),
    "log_hops": (2.34, 8.0),
    "log_hops_per_ion": (-0.54, 4.71),
    "log_error": (-3.77, -0.77),
    "rarity": (0.0, 0.95),
    "memory": (0.0, 0.96),
}
"""Ranges of the features in the simulations; beyond an end, nothing was learned, and the end counts."""

SHIFT: Mapping[str, Mapping[str, float]] = {
    "tracer": {
        "constant": -0.109,
        "straight": -0.048,
        "tail": -0.576,
        "log_walkers": 0.239,
        "log_hops_per_ion": -0.057,
        "memory": -0.314,
    },
    "charge": {
        "constant": 0.11,
        "straight": -0.206,
        "tail": -0.862,
        "log_walkers": 0.045,
        "log_hops_per_ion": -0.028,
        "memory": 0.059,
    },
}
"""Standard errors by which a value is too high, for each unit of a feature."""

LOG_WIDTH: Mapping[str, Mapping[str, float]] = {
    "tracer": {
        "constant": -0.482,
        "straight": -0.032,
        "onset": 0.393,
        "log_error": -0.062,
        "rarity": 0.375,
        "log_hops": 0.013,
    },
    "charge": {
        "constant": -0.068,
        "straight": 0.158,
        "onset": -0.493,
        "log_error": 0.002,
        "rarity": -0.121,
        "log_hops": 0.01,
    },
}
"""Logarithm of the factor on the standard error, for each unit of a feature."""

AXIS_WIDTH: Mapping[str, float] = {"tracer": 0.967, "charge": 1.01}
"""Factor along each axis in addition."""

_LEAST_WIDTH, _GREATEST_WIDTH = 0.5, 2.2
_GREATEST_BIAS = 0.35


@dataclass(frozen=True)
class LearnedCorrection:
    """Correction of one diffusivity.

    Parameters
    ----------
    factor : float
        Factor on the value.
    width : float
        Factor on the relative error.
    axis_width : float
        Factor on the relative error along each axis.
    """

    factor: float
    width: float
    axis_width: float

    def scaled(self, law: SamplingLaw) -> SamplingLaw:
        """Correct the value of a sampling law and leave its relative errors.

        Parameters
        ----------
        law : SamplingLaw
            Law of the whole diffusivity, or of that along an axis.

        Returns
        -------
        SamplingLaw
            The law with its value corrected.
        """
        return law.model_copy(
            update={
                "estimate_cm2_s": law.estimate_cm2_s * self.factor,
                "counting_quantum_cm2_s": law.counting_quantum_cm2_s * self.factor,
            }
        )

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
            The law with its value and its errors corrected.
        """
        width = self.axis_width if along_axis else self.width
        law = self.scaled(law)
        return law.model_copy(
            update={
                "gaussian_relative_variance": law.gaussian_relative_variance * width**2,
                "counting_quantum_cm2_s": law.counting_quantum_cm2_s * width**2,
            }
        )


NO_CORRECTION = LearnedCorrection(1.0, 1.0, 1.0)


def learned_correction(
    kind: Literal["tracer", "charge"], features: MotionFeatures, relative_error: float
) -> LearnedCorrection:
    """Give the correction of a fit.

    Parameters
    ----------
    kind : {"tracer", "charge"}
        Which diffusivity it is.
    features : MotionFeatures
        What is known of the mechanism.
    relative_error : float
        Relative error of the fit.

    Returns
    -------
    LearnedCorrection
        The correction.
    """
    known = {"constant": 1.0}
    for name, value in asdict(features).items():
        low, high = RANGES[name]
        known[name] = min(max(value, low), high)
    bias = _linear(SHIFT[kind], known) * relative_error
    bias = min(max(bias, -_GREATEST_BIAS), _GREATEST_BIAS)
    width = min(max(math.exp(_linear(LOG_WIDTH[kind], known)), _LEAST_WIDTH), _GREATEST_WIDTH)
    return LearnedCorrection(math.exp(-bias), width, width * AXIS_WIDTH[kind])


def _linear(slopes: Mapping[str, float], known: Mapping[str, float]) -> float:
    return sum(slope * known[name] for name, slope in slopes.items())
