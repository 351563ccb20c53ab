"""The stop rule and the health check that bring `dynamics`, `transport` and `structures` together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.core import Structure

from ..dynamics.results import StopVerdict
from ..dynamics.trajectory import Trajectory
from ..errors import AnalysisError
from ..structures.framework import framework_centres, framework_has_melted
from ..transport.analysis import DiffusionSettings, analyze_diffusion
from ..transport.convergence import ConvergenceVerdict, confirmed, convergence_verdict, is_look_due
from ..transport.results import DiffusionResult
from ..transport.ruled_out import greatest_sigma_300k_ms_cm, is_ruled_out, sequential_sigma_upper_ms_cm
from .displacement import displacement_run
from .stop_criteria import StopCriteria


@dataclass(frozen=True)
class AdaptiveLength:
    """Ends a trajectory as `ruled_out` or `converged`, looking at geometrically growing lengths.

    Which look this is follows from the trajectory's history, so it does not change when the run is interrupted.

    Parameters
    ----------
    structure : Structure
        The crystal that the trajectory started from.
    mobile_ion : str
        Element symbol of the mobile ion.
    ion_charge : float
        Its formal charge in elementary charges.
    criteria : StopCriteria
        What the user asks for.
    settings : DiffusionSettings
        How the trajectory is analysed.
    """

    structure: Structure
    mobile_ion: str
    ion_charge: float
    criteria: StopCriteria
    settings: DiffusionSettings

    @property
    def __name__(self) -> str:
        """Name of the rule in the history."""
        return "adaptive_length"

    def __call__(self, trajectory: Trajectory) -> StopVerdict:
        """Look at the trajectory, if a look is due.

        Parameters
        ----------
        trajectory : Trajectory
            The trajectory so far.

        Returns
        -------
        StopVerdict
            With a reason to stop, or none.
        """
        earlier = [
            estimate
            for entry in trajectory.history
            if (estimate := entry.get("estimate", {})).get("look") and estimate["n_frames"] < trajectory.n_frames
        ]
        if not is_look_due(trajectory.n_frames, earlier[-1]["n_frames"] if earlier else 0):
            return StopVerdict()
        look = len(earlier) + 1
        try:
            result = analyze_diffusion(
                [displacement_run(trajectory, self.structure, self.mobile_ion)],
                mobile_ion=self.mobile_ion,
                ion_charge=self.ion_charge,
                settings=self.settings,
            )
        except AnalysisError as error:
            return StopVerdict(message=str(error))
        return self._judge(result, look, trajectory.n_frames, earlier[-1] if earlier else None)

    def _judge(self, result: DiffusionResult, look: int, n_frames: int, previous: dict[str, Any] | None) -> StopVerdict:
        """Compare what was found with what is asked for."""
        estimate = {
            "look": look,
            "n_frames": n_frames,
            "diffusivity_cm2_s": result.tracer.value_cm2_s,
            "relative_error": result.tracer.relative_error,
            "diffusivity_upper_bound_95_cm2_s": result.tracer.upper_bound_95_cm2_s,
            "effective_hops": result.effective_hops,
        }
        target = self.criteria.target_sigma_300k_ms_cm
        if target is not None:
            barrier = self.criteria.minimum_barrier_ev
            upper = sequential_sigma_upper_ms_cm(result, look)
            greatest = greatest_sigma_300k_ms_cm(upper, result.temperature_k, barrier)
            estimate["greatest_sigma_300k_ms_cm"] = greatest
            if is_ruled_out(upper, result.temperature_k, target, barrier):
                message = (
                    f"ruled out: with a barrier of at least {barrier:g} eV, σ(300 K) is below {greatest:.2g} mS/cm, "
                    f"and {target:g} mS/cm is asked for."
                )
                return StopVerdict(reason="ruled_out", message=message, estimate=estimate)
        asked = self.criteria.target_relative_error
        if asked is None:
            return StopVerdict(estimate=estimate)
        verdict = convergence_verdict(result, asked)
        # Kept without the target: a run that goes on with another one judges its earlier looks anew.
        estimate["error_could_converge"] = verdict.length_factor is not None
        verdict = confirmed(verdict, None if previous is None else _verdict_then(previous, asked))
        return StopVerdict(
            reason="converged" if verdict.converged else None, message=verdict.message, estimate=estimate
        )


def _verdict_then(estimate: dict[str, Any], target_relative_error: float) -> ConvergenceVerdict:
    """Judge an earlier look by the target of now."""
    error = estimate.get("relative_error")
    met = bool(estimate.get("error_could_converge")) and error is not None and error <= target_relative_error
    return ConvergenceVerdict(met, error, target_relative_error, None, "")


def melting_check(
    structure: Structure, mobile_ion: str, sound_positions: np.ndarray | None = None
) -> Callable[[Trajectory], StopVerdict]:
    """Make the health check that ends a run whose framework has melted.

    Parameters
    ----------
    structure : Structure
        The crystal that the trajectory started from.
    mobile_ion : str
        Element symbol of the mobile ion.
    sound_positions : ndarray, shape (n_atoms, 3), or None
        Unwrapped positions of the sound crystal in Å; None takes those at the start of the trajectory.

    Returns
    -------
    callable
        Health check for the engine.
    """
    centres = framework_centres(structure, mobile_ion)
    everyone = np.arange(len(centres))
    sound = None if sound_positions is None else np.asarray(sound_positions)[centres]

    def framework_is_solid(trajectory: Trajectory) -> StopVerdict:
        positions = trajectory.positions(atoms=centres)
        melted, message = framework_has_melted(
            positions[0] if sound is None else sound, positions, everyone, trajectory.mean_cell_angstrom
        )
        return StopVerdict(reason="melted", message=f"{message}.") if melted else StopVerdict()

    return framework_is_solid
