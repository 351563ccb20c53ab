"""One temperature, all replicas: from positions to diffusivities, conductivities and their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..errors import AnalysisError
from .conductivity import conductivity_from_diffusivity
from .curves import RunCurves
from .displacement_run import DisplacementRun
from .estimate import estimate_diffusivity, no_charge_diffusivity
from .flags import evenness_flags, framework_flags, motion_flags, non_diffusive_reason
from .haven import haven_ratio
from .hops import effective_hops, he_mo_relative_error, hop_distance_guess_angstrom
from .motion_features import motion_features
from .results import DiffusionResult
from .scatter import motion_scatter

_MINIMUM_FRAMES = 20


class DiffusionSettings(BaseModel):
    """How runs are turned into a diffusivity.

    Examples
    --------
    >>> DiffusionSettings(equilibration_ps=2.0).minimum_hops
    8.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    equilibration_ps: float = Field(default=1.0, ge=0, description="time cut from the start of each run, in ps")
    hop_distance_angstrom: float | None = Field(
        default=None, gt=0, description="hop distance in Å; None guesses it from neighbouring mobile sites"
    )
    shortest_lag_ps: float = Field(
        default=0.4, gt=0, description="lag in ps below which displacements are vibrations and not fitted"
    )
    minimum_hops: float = Field(
        default=8.0, gt=0, description="diffusive hops below which only an upper bound is given"
    )
    greatest_relative_error: float = Field(
        default=0.7, gt=0, description="relative error above which only an upper bound is given"
    )
    melting_msd_angstrom2: float = Field(
        default=4.0, gt=0, description="framework MSD in Å² above which, still growing, it counts as diffusing"
    )


def analyze_diffusion(
    runs: Sequence[DisplacementRun],
    *,
    mobile_ion: str,
    ion_charge: float,
    settings: DiffusionSettings | None = None,
) -> DiffusionResult:
    """Analyse all replicas of one material at one temperature.

    Parameters
    ----------
    runs : sequence of DisplacementRun
        Independent runs of the same cell at the same temperature.
    mobile_ion : str
        Element symbol of the mobile ion.
    ion_charge : float
        Its formal charge in elementary charges.
    settings : DiffusionSettings, optional
        How to analyse.

    Returns
    -------
    DiffusionResult
        Diffusivities, conductivities, Haven ratio, intervals, flags.

    Raises
    ------
    AnalysisError
        When there is no run, the runs do not belong together, or they are too short to say anything.

    Examples
    --------
    >>> import numpy as np
    >>> from superion.transport.synthetic import gaussian_walk
    >>> walk = gaussian_walk(np.random.default_rng(1), n_ions=20, n_frames=500, diffusivity_cm2_s=2e-5)
    >>> result = analyze_diffusion([walk.as_run()], mobile_ion="Li", ion_charge=1)
    >>> low, high = result.tracer.interval_95_cm2_s
    >>> low < 2e-5 < high
    True
    """
    settings = settings or DiffusionSettings()
    parts = [_without_equilibration(run, settings.equilibration_ps) for run in _checked(runs)]
    data = RunCurves(parts, settings.shortest_lag_ps)
    if not np.all(data.tracer[data.fit_rows].sum(axis=1) > 0):
        raise AnalysisError(
            f"The {mobile_ion} ions do not move at all between some of the frames: not even vibrations are there, so "
            "check that the trajectory holds different frames."
        )
    hop_distance = settings.hop_distance_angstrom or float(np.mean([hop_distance_guess_angstrom(run) for run in parts]))
    scatter, first_fit = motion_scatter(parts, data, hop_distance, settings.minimum_hops)
    uneven = scatter.counting + scatter.memory
    tracer_fit = data.fit(
        data.tracer[data.fit_rows],
        scatter.independent_share,
        model=data.refined(first_fit),
        counting=uneven,
        hop_ps=hop_distance**2 / (6.0 * first_fit.value) if first_fit.value > 0 else None,
    )
    # The same hops carry both: their rarity adds the same relative error.
    charge_fit = data.fit(
        data.collective[data.fit_rows], float(np.sum(scatter.axis_shares**2)), tracer=tracer_fit, counting=uneven
    )
    estimate = partial(
        estimate_diffusivity,
        data=data,
        scatter=scatter,
        features=motion_features(tracer_fit, scatter, data.duration_ps / len(parts), hop_distance)
        if tracer_fit.value > 0
        else None,
        quantum=scatter.quantum,
        minimum_hops=settings.minimum_hops,
        greatest_relative_error=settings.greatest_relative_error,
    )
    tracer = estimate("tracer", tracer_fit)
    charge = estimate("charge", charge_fit) if data.has_framework else no_charge_diffusivity()
    flags, framework_reason = framework_flags(data, settings.melting_msd_angstrom2)
    flags += motion_flags(data, tracer, settings.shortest_lag_ps)
    flags += evenness_flags(scatter, tracer)
    reason = framework_reason or tracer.withheld_reason
    if reason is None and not tracer_fit.start_found:
        reason = non_diffusive_reason(data)
    first = parts[0]
    volume = float(np.mean([run.volume_angstrom3 for run in parts]))
    to_conductivity = partial(
        conductivity_from_diffusivity,
        n_ions=data.n_ions,
        ion_charge=ion_charge,
        volume_angstrom3=volume,
        temperature_k=first.temperature_k,
    )
    greatest = float(np.max(data.tracer.sum(axis=1)))
    hops = effective_hops(greatest, data.n_ions * len(parts), hop_distance)
    return DiffusionResult(
        mobile_ion=mobile_ion,
        ion_charge=ion_charge,
        temperature_k=first.temperature_k,
        n_ions=data.n_ions,
        n_replicas=len(parts),
        duration_ps=float(sum(run.duration_ps for run in parts)),
        frame_interval_ps=first.frame_interval_ps,
        equilibration_ps=settings.equilibration_ps,
        volume_angstrom3=volume,
        tracer=tracer,
        charge=charge,
        haven_ratio=haven_ratio(tracer, charge),
        nernst_einstein=to_conductivity(tracer),
        collective=to_conductivity(charge),
        effective_hops=hops,
        hop_distance_angstrom=hop_distance,
        he_mo_relative_error=he_mo_relative_error(hops),
        diffusive_from_ps=data.fit_window(tracer_fit)[0] if tracer_fit.start_found else None,
        msd=data.curve(tracer_fit, tracer),
        flags=tuple(dict.fromkeys(flags)),
        usable=reason is None,
        exclusion_reason=reason,
    )


def _checked(runs: Sequence[DisplacementRun]) -> Sequence[DisplacementRun]:
    if not runs:
        raise AnalysisError("There is no run to analyse; give at least one trajectory.")
    first = runs[0]
    for number, run in enumerate(runs[1:], start=2):
        if run.n_ions != first.n_ions:
            raise AnalysisError(
                f"Run {number} has {run.n_ions} mobile ions and run 1 has {first.n_ions}; "
                "analyse different cells separately."
            )
        if not math.isclose(run.temperature_k, first.temperature_k, rel_tol=1e-3):
            raise AnalysisError(
                f"Run {number} is at {run.temperature_k:g} K and run 1 at {first.temperature_k:g} K; "
                "analyse each temperature separately."
            )
        if not math.isclose(run.frame_interval_ps, first.frame_interval_ps, rel_tol=1e-6):
            raise AnalysisError(
                f"Run {number} has a frame every {run.frame_interval_ps:g} ps and run 1 every "
                f"{first.frame_interval_ps:g} ps; write all replicas with one frame interval."
            )
    return runs


def _without_equilibration(run: DisplacementRun, equilibration_ps: float) -> DisplacementRun:
    cut = math.ceil(equilibration_ps / run.frame_interval_ps - 1e-9)
    if run.n_frames - cut < _MINIMUM_FRAMES:
        raise AnalysisError(
            f"A run of {run.n_frames} frames ({run.duration_ps:g} ps) leaves fewer than {_MINIMUM_FRAMES} frames after "
            f"cutting {equilibration_ps:g} ps of equilibration; run longer or set a smaller equilibration_ps."
        )
    return run.from_frame(cut)
