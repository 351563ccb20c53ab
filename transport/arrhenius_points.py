"""From the diffusion results of several temperatures to the points of an Arrhenius fit."""

from __future__ import annotations

from collections.abc import Sequence

from .arrhenius import ArrheniusInput, ArrheniusQuantity
from .results import DiffusionResult, DiffusivityEstimate


def arrhenius_inputs(results: Sequence[DiffusionResult], quantity: ArrheniusQuantity) -> list[ArrheniusInput]:
    """Collect one quantity from the results of several temperatures.

    Parameters
    ----------
    results : sequence of DiffusionResult
        One result for each temperature.
    quantity : {"diffusivity_cm2_s", "nernst_einstein_ms_cm", "collective_ms_cm"}
        Tracer diffusivity, or the conductivity from the tracer or from the charge diffusivity.

    Returns
    -------
    list of ArrheniusInput
        The unusable temperatures too, with their reasons and upper bounds.
    """
    return [_point(result, quantity) for result in results]


def _point(result: DiffusionResult, quantity: ArrheniusQuantity) -> ArrheniusInput:
    estimate, value, upper_bound = _estimate(result, quantity)
    reason = None
    if value is None:
        reason = estimate.withheld_reason or result.exclusion_reason or "the value is withheld"
    elif not result.usable:
        reason = result.exclusion_reason or "the temperature is marked as unusable"
    relative_error = estimate.relative_error
    return ArrheniusInput(
        temperature_k=result.temperature_k,
        value=value,
        standard_error=None if value is None or relative_error is None else value * relative_error,
        degrees_of_freedom=estimate.degrees_of_freedom,
        exclusion_reason=reason,
        upper_bound_95=upper_bound,
        counting_share=_counting_share(estimate),
    )


def _counting_share(estimate: DiffusivityEstimate) -> float:
    """Return the share of the variance that the rarity of hops adds."""
    law = estimate.law
    if law is None or not law.estimate_cm2_s > 0:
        return 0.0
    counting = law.counting_quantum_cm2_s / law.estimate_cm2_s
    total = counting + law.gaussian_relative_variance
    return counting / total if total > 0 else 0.0


def _estimate(
    result: DiffusionResult, quantity: ArrheniusQuantity
) -> tuple[DiffusivityEstimate, float | None, float | None]:
    """Return the diffusivity behind a quantity, the quantity's value and its upper bound."""
    if quantity == "diffusivity_cm2_s":
        return result.tracer, result.tracer.value_cm2_s, result.tracer.upper_bound_95_cm2_s
    if quantity == "nernst_einstein_ms_cm":
        conductivity = result.nernst_einstein
        return result.tracer, conductivity.value_ms_cm, conductivity.upper_bound_95_ms_cm
    return result.charge, result.collective.value_ms_cm, result.collective.upper_bound_95_ms_cm
