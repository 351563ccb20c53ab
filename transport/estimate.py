"""From a fitted slope to a diffusivity with intervals, or to the bound that is all one may claim."""

from __future__ import annotations

import math
from typing import Literal

from ..constants import CM2_PER_S_FROM_ANGSTROM2_PER_PS
from .axes import axis_intervals, axis_laws
from .curves import RunCurves
from .diffusivity import DiffusivityFit
from .intervals import confidence_bound, interval, standard_error_cm2_s, upper_bound_where_withheld
from .learned_correction import NO_CORRECTION, learned_correction
from .motion_features import MotionFeatures
from .replicas import replica_inflation
from .results import DiffusivityEstimate, SamplingLaw
from .scatter import MotionScatter


def estimate_diffusivity(
    kind: Literal["tracer", "charge"],
    fit: DiffusivityFit,
    data: RunCurves,
    scatter: MotionScatter,
    features: MotionFeatures | None,
    *,
    quantum: float,
    minimum_hops: float,
    greatest_relative_error: float,
) -> DiffusivityEstimate:
    """Turn a fit into a diffusivity with intervals, or into an upper bound where there is too little to see.

    Parameters
    ----------
    kind : {"tracer", "charge"}
        Which diffusivity it is.
    fit : DiffusivityFit
        The fit.
    data : RunCurves
        The curves that it fits.
    scatter : MotionScatter
        Scatter of the motion.
    features : MotionFeatures or None
        What is known of the mechanism; without it, the fit is not corrected.
    quantum : float
        Diffusivity in Å²/ps that one hop adds, or one group of ions that hops as one.
    minimum_hops : float
        Diffusive hops (D over `quantum`) below which the value is withheld.
    greatest_relative_error : float
        Relative error above which the value is withheld.

    Returns
    -------
    DiffusivityEstimate
        The estimate in cm²/s.
    """
    unit = CM2_PER_S_FROM_ANGSTROM2_PER_PS
    value = fit.value
    gaussian = fit.variance / value**2 if value > 0 else 0.0
    per_run = data.per_run_tracer if kind == "tracer" else data.per_run_collective
    inflation = 1.0
    lasting = [index for index, steps in enumerate(data.run_steps) if steps > data.fit_lags[-1]]
    if len(lasting) > 1 and value > 0:
        estimates = [float(fit.weights @ per_run[i][data.fit_rows].sum(axis=1)) for i in lasting]
        total_steps = sum(data.run_steps)
        shares = [data.run_steps[i] / total_steps for i in lasting]
        variances = [(fit.variance + fit.counting_variance) / share for share in shares]
        inflation = replica_inflation(estimates, variances)
    # Hops counted out of the fitted noise; where there is nothing to count, the hop distance decides.
    counted = fit.counting_variance / value if value > minimum_hops * quantum else quantum
    law = SamplingLaw(
        estimate_cm2_s=value * unit,
        gaussian_relative_variance=gaussian * inflation**2,
        counting_quantum_cm2_s=counted * unit * inflation**2,
    )
    error = standard_error_cm2_s(law)
    window = data.fit_window(fit)
    reason = None
    seen = max(0.0, value / quantum)
    if seen < minimum_hops:
        reason = f"only about {seen:.1f} diffusive hops were seen, {minimum_hops:g} are needed"
        if scatter.hop_assumed is not None:
            reason += f"; the bound assumes that ions hop one at a time, by {scatter.hop_assumed:.1f} Å or less"
    elif error > greatest_relative_error * law.estimate_cm2_s:
        reason = f"its relative error of {error / law.estimate_cm2_s:.0%} is too large to report a value"
    flags: list[str] = []
    if not fit.start_found:
        flags.append("no diffusive regime found")
    if inflation > 1:
        flags.append("replicas scatter more than their errors")
    if reason is not None:
        law = law.model_copy(
            update={
                "background_error_cm2_s": math.sqrt(max(fit.variance, 0.0)) * unit,
                "diffusive_relative_variance": fit.diffusive_relative_variance * inflation**2,
            }
        )
        return DiffusivityEstimate(
            kind=kind,
            value_cm2_s=None,
            standard_error_cm2_s=None,
            relative_error=None,
            interval_68_cm2_s=None,
            interval_95_cm2_s=None,
            upper_bound_95_cm2_s=upper_bound_where_withheld(law, 0.95),
            withheld_reason=reason,
            fit_window_ps=window,
            law=law,
            replica_inflation=inflation,
            flags=tuple(flags),
        )
    correction = learned_correction(kind, features, error / law.estimate_cm2_s) if features else NO_CORRECTION
    law = correction.corrected(law)
    error = standard_error_cm2_s(law)
    curve = data.tracer if kind == "tracer" else data.collective
    laws = axis_laws(
        fit,
        curve[data.fit_rows],
        scatter,
        quantum=quantum,
        minimum_hops=minimum_hops,
        inflation=inflation,
        correction=correction,
    )
    relative_error = error / law.estimate_cm2_s
    return DiffusivityEstimate(
        kind=kind,
        value_cm2_s=law.estimate_cm2_s,
        standard_error_cm2_s=error,
        relative_error=relative_error,
        degrees_of_freedom=2.0 / relative_error**2 if relative_error > 0 else None,
        interval_68_cm2_s=interval(law, 0.68),
        interval_95_cm2_s=interval(law, 0.95),
        upper_bound_95_cm2_s=confidence_bound(law, 0.95),
        per_axis_cm2_s=(laws[0].estimate_cm2_s, laws[1].estimate_cm2_s, laws[2].estimate_cm2_s),
        per_axis_interval_68_cm2_s=axis_intervals(laws, 0.68),
        per_axis_interval_95_cm2_s=axis_intervals(laws, 0.95),
        fit_window_ps=window,
        law=law,
        per_axis_law=laws,
        straight_probability=fit.straight_probability,
        onset_variance_share=fit.onset_variance_share,
        correction_factor=correction.factor,
        replica_inflation=inflation,
        flags=tuple(flags),
    )


def no_charge_diffusivity() -> DiffusivityEstimate:
    """Withhold the charge diffusivity of ions whose framework is not there, and any bound on it.

    The ions' common motion is their current; without the rest of the crystal it may as well be a drift of the cell.

    Returns
    -------
    DiffusivityEstimate
        With the reason, and no numbers.
    """
    return DiffusivityEstimate(
        kind="charge",
        value_cm2_s=None,
        standard_error_cm2_s=None,
        relative_error=None,
        interval_68_cm2_s=None,
        interval_95_cm2_s=None,
        upper_bound_95_cm2_s=None,
        withheld_reason="there is no framework in the trajectory, so the current of the ions cannot be told from a "
        "drift of the whole cell",
    )
