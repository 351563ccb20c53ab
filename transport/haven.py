"""The Haven ratio: tracer over charge diffusivity, with an error that is honest about the charge part."""

from __future__ import annotations

import math

from scipy.special import ndtri

from .results import DiffusivityEstimate, HavenRatio

GREATEST_RELATIVE_ERROR = 0.5
"""Relative error of the ratio beyond which it says nothing and is withheld."""


def haven_ratio(tracer: DiffusivityEstimate, charge: DiffusivityEstimate) -> HavenRatio:
    """Ratio of tracer to charge diffusivity.

    The interval is lognormal. Only the Gaussian parts of the two errors enter in full: what the rarity of hops
    adds is the same hops in both, and cancels where ions hop one by one; the difference that is left counts.

    Parameters
    ----------
    tracer : DiffusivityEstimate
        Tracer diffusivity.
    charge : DiffusivityEstimate
        Charge diffusivity.

    Returns
    -------
    HavenRatio
        The ratio with its 68 % interval, or why it is withheld.
    """
    if tracer.value_cm2_s is None or tracer.law is None:
        return HavenRatio(value=None, withheld_reason="the tracer diffusivity is withheld")
    if charge.value_cm2_s is None or charge.law is None:
        return HavenRatio(value=None, withheld_reason="the charge diffusivity is withheld")
    counting_tracer = math.sqrt(tracer.law.counting_quantum_cm2_s / tracer.value_cm2_s)
    counting_charge = math.sqrt(charge.law.counting_quantum_cm2_s / charge.value_cm2_s)
    variance = (
        tracer.law.gaussian_relative_variance
        + charge.law.gaussian_relative_variance
        + (counting_tracer - counting_charge) ** 2
    )
    error = math.sqrt(variance)
    if error > GREATEST_RELATIVE_ERROR:
        return HavenRatio(
            value=None,
            withheld_reason=f"its relative error is {error:.0%}: the charge diffusivity needs longer runs",
        )
    value = tracer.value_cm2_s / charge.value_cm2_s
    reach = float(ndtri(0.84)) * error
    return HavenRatio(value=value, interval_68=(value * math.exp(-reach), value * math.exp(reach)))
