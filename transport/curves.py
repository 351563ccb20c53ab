"""The MSD curves of several runs on one set of lags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .diffusivity import DiffusivityFit, fit_msd
from .displacement_run import DisplacementRun
from .drift import drift_angstrom
from .lags import fit_lags, grid_step
from .msd import tracer_and_collective
from .msd_model import MsdModel
from .results import DiffusivityEstimate, MsdCurve

_CURVE_POINTS = 80
_CURVE_SHARE = 0.7


class RunCurves:
    """The MSD curves of all runs on one set of lags, pooled over all time origins.

    Parameters
    ----------
    runs : sequence of DisplacementRun
        Runs of the same cell with the same frame interval.
    shortest_lag_ps : float
        First lag of the fits, in ps.

    Attributes
    ----------
    lags : ndarray of int, shape (n_lags,)
        All lags of the curves, in frames.
    fit_lags : ndarray of int, shape (n_fit_lags,)
        Lags of the fits, in steps of `stride` frames or `step_ps`; they are the rows `fit_rows` of the curves.
    run_steps : tuple of int
        Length of each run in steps, counting both ends.
    has_framework : bool
        Whether every run has atoms besides the mobile ions.
    tracer, collective, framework : ndarray, shape (n_lags, 3)
        Pooled curves in Å²; `framework` is None where there are not two framework atoms.
    """

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
        self.has_framework = all(run.has_framework for run in runs)
        self.drifts = [drift_angstrom(run) for run in runs]
        self.per_run_tracer, self.per_run_collective = [], []
        for run, drift in zip(runs, self.drifts, strict=True):
            tracer, position = self._one(run, drift, run.mobile_indices)
            self.per_run_tracer.append(tracer)
            self.per_run_collective.append(self._padded(position[:, None, :], None, None)[0])
        self.origins = np.array([np.maximum(run.n_frames - self.lags, 0) for run in runs], dtype=float)
        self.tracer = self._pooled(self.per_run_tracer)
        self.collective = self._pooled(self.per_run_collective)
        self.framework: NDArray[np.float64] | None = None
        if all(run.framework_indices.size > 1 for run in runs):
            self.framework = self._pooled(
                [self._one(run, drift, run.framework_indices)[0] for run, drift in zip(runs, self.drifts, strict=True)]
            )

    def _one(
        self, run: DisplacementRun, drift: NDArray[np.float64], indices: NDArray[np.integer]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._padded(run.positions_angstrom, indices, drift)

    def _padded(
        self,
        positions: NDArray[np.floating],
        indices: NDArray[np.integer] | None,
        drift: NDArray[np.float64] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        fits = self.lags < positions.shape[0]
        msd = np.zeros((len(self.lags), 3))
        msd[fits], position = tracer_and_collective(positions, self.lags[fits], indices=indices, drift_angstrom=drift)
        return msd, position

    def _pooled(self, per_run: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.einsum("rl,rlx->lx", self.origins, np.array(per_run)) / self.origins.sum(axis=0)[:, None]

    def fit(
        self,
        msd: NDArray[np.float64],
        independent_share: float,
        *,
        tracer: DiffusivityFit | None = None,
        model: MsdModel | None = None,
        counting: float = 0.0,
        hop_ps: float | None = None,
    ) -> DiffusivityFit:
        """Fit D to a curve at `fit_lags`; the arguments are those of `fit_msd`."""
        return fit_msd(
            msd,
            self.fit_lags,
            self.run_steps,
            self.step_ps,
            independent_share,
            tracer=tracer,
            model=model,
            counting=counting,
            hop_ps=hop_ps,
        )

    def refined(self, fit: DiffusivityFit) -> MsdModel:
        """Return the smooth model with the slope of the fit, where that is positive."""
        return replace(fit.model, slope=6.0 * fit.value * self.step_ps) if fit.value > 0 else fit.model

    def fit_window(self, fit: DiffusivityFit) -> tuple[float, float]:
        """Return the first and last lag of a fit in ps."""
        return (
            float(self.fit_lags[fit.start_index] * self.step_ps),
            float(self.fit_lags[-1] * self.step_ps),
        )

    def curve(self, fit: DiffusivityFit, tracer: DiffusivityEstimate) -> MsdCurve:
        """Return the curves with their errors, for figures."""
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
            collective_angstrom2=tuple(self.collective.sum(axis=1).tolist()) if self.has_framework else None,
            framework_angstrom2=None if self.framework is None else tuple(self.framework.sum(axis=1).tolist()),
        )
