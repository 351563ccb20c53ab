"""One temperature, all replicas: from positions to diffusivities, conductivities and their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ..constants import CM2_PER_S_FROM_ANGSTROM2_PER_PS
from ..errors import AnalysisError
from .conductivity import conductivity_from_diffusivity
from .diffusivity import DiffusivityFit, fit_diffusivity
from .displacement_run import DisplacementRun
from .drift import drift_angstrom
from .haven import haven_ratio
from .hops import concert_factor, effective_hops, he_mo_relative_error, hop_distance_guess_angstrom, settled_excess
from .intervals import confidence_bound, interval, standard_error_cm2_s, upper_bound_where_withheld
from .lags import fit_lags, grid_step
from .msd import collective_position, tracer_msd
from .msd_model import MsdModel
from .replicas import replica_inflation
from .results import DiffusionResult, DiffusivityEstimate, MsdCurve, SamplingLaw

_MINIMUM_FRAMES = 20
_CURVE_POINTS = 80
_CURVE_SHARE = 0.7
_NOTABLE_DRIFT_ANGSTROM = 3.0


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
        default=8.0, gt=0, description="effective hops below which only an upper bound is given"
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
    data = _Curves(parts, settings.shortest_lag_ps)
    hop_distance = settings.hop_distance_angstrom or float(np.mean([hop_distance_guess_angstrom(run) for run in parts]))
    first_fit = fit_diffusivity(data.tracer[data.fit_rows], data.fit_lags, data.run_steps, data.step_ps, data.n_ions)
    shares = _axis_shares(data.tracer[data.fit_rows], first_fit)
    counting = _counting_variance(parts, data, first_fit, hop_distance, settings)
    tracer_fit = fit_diffusivity(
        data.tracer[data.fit_rows],
        data.fit_lags,
        data.run_steps,
        data.step_ps,
        data.n_ions,
        axis_shares=shares,
        model=data.refined(first_fit),
        counting=counting,
    )
    charge_fit = fit_diffusivity(
        data.collective[data.fit_rows],
        data.fit_lags,
        data.run_steps,
        data.step_ps,
        1,
        axis_shares=shares,
        kindred=tracer_fit,
        # The same hops carry both: their rarity adds the same relative error.
        counting=counting,
    )
    quantum = hop_distance**2 / (6.0 * data.n_ions * data.duration_ps)
    tracer = _estimate("tracer", tracer_fit, quantum, data, settings)
    charge = _estimate("charge", charge_fit, quantum, data, settings)
    framework_flags, framework_reason = _framework_flags(data, settings)
    flags = [*framework_flags, *_motion_flags(data, tracer, settings)]
    reason = framework_reason or tracer.withheld_reason
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


class _Curves:
    """The MSD curves of all runs on one set of lags, pooled over all time origins."""

    def __init__(self, runs: Sequence[DisplacementRun], shortest_lag_ps: float) -> None:
        longest = max(run.n_frames for run in runs)
        stride = grid_step(longest)
        self.stride = stride
        self.n_ions = runs[0].n_ions
        self.frame_interval_ps = runs[0].frame_interval_ps
        self.step_ps = stride * self.frame_interval_ps
        self.run_steps = tuple((run.n_frames - 1) // stride + 1 for run in runs)
        self.duration_ps = float(sum(run.duration_ps for run in runs))
        self.fit_lags = fit_lags(max(self.run_steps) - 1, shortest_lag_ps / self.step_ps)
        curve = np.unique(np.round(np.geomspace(1, max(2.0, _CURVE_SHARE * (longest - 1)), _CURVE_POINTS)).astype(int))
        self.lags = np.union1d(curve, self.fit_lags * stride)
        self.fit_rows = np.searchsorted(self.lags, self.fit_lags * stride)
        self.drifts = [drift_angstrom(run) for run in runs]
        self.per_run_tracer = [
            self._one(run, drift, run.mobile_indices) for run, drift in zip(runs, self.drifts, strict=True)
        ]
        self.per_run_collective = []
        for run, drift in zip(runs, self.drifts, strict=True):
            position = collective_position(run.positions_angstrom, indices=run.mobile_indices, drift_angstrom=drift)
            self.per_run_collective.append(self._padded(position[:, None, :], None, None))
        self.origins = np.array([np.maximum(run.n_frames - self.lags, 0) for run in runs], dtype=float)
        self.tracer = self._pooled(self.per_run_tracer)
        self.collective = self._pooled(self.per_run_collective)
        self.framework: NDArray[np.float64] | None = None
        if all(run.framework_indices.size > 1 for run in runs):
            self.framework = self._pooled(
                [self._one(run, drift, run.framework_indices) for run, drift in zip(runs, self.drifts, strict=True)]
            )

    def _one(
        self, run: DisplacementRun, drift: NDArray[np.float64], indices: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        return self._padded(run.positions_angstrom, indices, drift)

    def _padded(
        self,
        positions: NDArray[np.floating],
        indices: NDArray[np.integer] | None,
        drift: NDArray[np.float64] | None,
    ) -> NDArray[np.float64]:
        fits = self.lags < positions.shape[0]
        msd = np.zeros((len(self.lags), 3))
        msd[fits] = tracer_msd(positions, self.lags[fits], indices=indices, drift_angstrom=drift)
        return msd

    def _pooled(self, per_run: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.einsum("rl,rlx->lx", self.origins, np.array(per_run)) / self.origins.sum(axis=0)[:, None]

    def refined(self, fit: DiffusivityFit) -> MsdModel:
        """Return the smooth model with the slope of the fit, where that is positive."""
        return replace(fit.model, slope=6.0 * fit.value * self.step_ps) if fit.value > 0 else fit.model

    def fit_window(self, fit: DiffusivityFit) -> tuple[float, float]:
        return (
            float(self.fit_lags[fit.start_index] * self.step_ps),
            float(self.fit_lags[-1] * self.step_ps),
        )

    def curve(self, fit: DiffusivityFit, tracer: DiffusivityEstimate) -> MsdCurve:
        total = self.tracer.sum(axis=1)
        fitted = total[self.fit_rows]
        gaussian = np.diag(fit.covariance) / np.maximum(fitted, 1e-300) ** 2
        relative = np.interp(np.log(self.lags), np.log(self.fit_lags * self.stride), gaussian)
        counting = 0.0
        if tracer.law is not None and tracer.law.estimate_cm2_s > 0:
            counting = tracer.law.counting_quantum_cm2_s / tracer.law.estimate_cm2_s
        # Rattling is not counted in hops, only the diffusive share of the curve is.
        diffusive = np.minimum(
            1.0, 6.0 * max(fit.value, 0.0) * self.lags * self.frame_interval_ps / np.maximum(total, 1e-300)
        )
        error = total * np.sqrt(relative + counting * diffusive**2)
        return MsdCurve(
            lag_ps=tuple((self.lags * self.frame_interval_ps).tolist()),
            tracer_angstrom2=tuple(total.tolist()),
            tracer_error_angstrom2=tuple(error.tolist()),
            tracer_per_axis_angstrom2=tuple((float(x), float(y), float(z)) for x, y, z in self.tracer),
            collective_angstrom2=tuple(self.collective.sum(axis=1).tolist()),
            framework_angstrom2=None if self.framework is None else tuple(self.framework.sum(axis=1).tolist()),
        )


def _axis_shares(msd: NDArray[np.float64], fit: DiffusivityFit) -> NDArray[np.float64]:
    shares = np.maximum(np.array(fit.per_axis), 0.0)
    if shares.sum() <= 0:
        shares = msd[fit.start_index]
    return shares / shares.sum() if shares.sum() > 0 else np.full(3, 1.0 / 3.0)


def _counting_variance(
    runs: Sequence[DisplacementRun],
    data: _Curves,
    fit: DiffusivityFit,
    hop_distance: float,
    settings: DiffusionSettings,
) -> float:
    """Relative variance of D that the rarity of hops adds, by the fourth moment of the displacements.

    Below the least number of hops there is too little to take a fourth moment of, and the hop distance decides.
    """
    quantum = hop_distance**2 / (6.0 * data.n_ions * data.duration_ps)
    if fit.value <= settings.minimum_hops * quantum:
        return quantum / fit.value if fit.value > 0 else 0.0
    start = int(data.fit_lags[fit.start_index]) * data.stride
    relaxed = max(fit.offset, 0.0) / (6.0 * fit.value * data.frame_interval_ps)
    shortest = min(run.n_frames for run in runs)
    length = int(min(max(2 * start, 2.0 * relaxed, 1), max(1, (shortest - 1) // 8)))
    blocks = []
    for run, drift in zip(runs, data.drifts, strict=True):
        sampled = np.asarray(run.positions_angstrom[::length][:, run.mobile_indices], dtype=float)
        sampled -= drift[::length, None, :]
        blocks.append(np.diff(sampled, axis=0))
    joined = np.concatenate(blocks)
    excess = settled_excess(joined, max(fit.offset, 0.0) / (6.0 * fit.value * length * data.frame_interval_ps))
    return excess * concert_factor(joined) / (6.0 * fit.value * length * data.frame_interval_ps) ** 2


def _estimate(
    kind: Literal["tracer", "charge"],
    fit: DiffusivityFit,
    quantum: float,
    data: _Curves,
    settings: DiffusionSettings,
) -> DiffusivityEstimate:
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
    counted = fit.counting_variance / value if value > settings.minimum_hops * quantum else quantum
    law = SamplingLaw(
        estimate_cm2_s=value * unit,
        gaussian_relative_variance=gaussian * inflation**2,
        counting_quantum_cm2_s=counted * unit * inflation**2,
    )
    error = standard_error_cm2_s(law)
    window = data.fit_window(fit)
    reason = None
    seen = max(0.0, value / quantum)
    if seen < settings.minimum_hops:
        reason = f"only about {seen:.1f} effective hops were seen, {settings.minimum_hops:g} are needed"
    elif error > settings.greatest_relative_error * law.estimate_cm2_s:
        reason = f"its relative error of {error / law.estimate_cm2_s:.0%} leaves no value to speak of"
    flags: list[str] = []
    if not fit.start_found:
        flags.append("no diffusive regime found")
    if inflation > 1:
        flags.append("replicas scatter more than their errors")
    if reason is not None:
        law = law.model_copy(update={"background_error_cm2_s": math.sqrt(max(fit.variance, 0.0)) * unit})
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
        per_axis_cm2_s=(fit.per_axis[0] * unit, fit.per_axis[1] * unit, fit.per_axis[2] * unit),
        fit_window_ps=window,
        law=law,
        replica_inflation=inflation,
        flags=tuple(flags),
    )


def _framework_flags(data: _Curves, settings: DiffusionSettings) -> tuple[list[str], str | None]:
    if data.framework is None:
        return [], None
    total = data.framework.sum(axis=1)
    late = int(np.searchsorted(data.lags, data.lags[-1] / 4))
    if total[-1] <= 0 or total[late] <= 0:
        return [], None
    exponent = math.log(total[-1] / total[late]) / math.log(data.lags[-1] / data.lags[late])
    if total[-1] > settings.melting_msd_angstrom2 and exponent > 0.6:
        return ["framework diffusing"], (
            f"the framework moves by {total[-1]:.1f} Å² and goes on: it melts, rotates or changes phase"
        )
    return [], None


def _motion_flags(data: _Curves, tracer: DiffusivityEstimate, settings: DiffusionSettings) -> list[str]:
    flags = list(tracer.flags)
    if tracer.value_cm2_s is None:
        flags.append("too few hops")
    if data.fit_lags[-1] * data.step_ps < 4.0 * settings.shortest_lag_ps:
        flags.append("too short to tell diffusion from vibration")
    if max(float(np.linalg.norm(drift[-1])) for drift in data.drifts) > _NOTABLE_DRIFT_ANGSTROM:
        flags.append("drifting")
    return flags
