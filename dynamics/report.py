"""Sum a trajectory up as the result of a run."""

from __future__ import annotations

import numpy as np

from .ensembles import langevin_flag
from .manifest import Manifest
from .plan import StepPlan
from .protocol import RunLimits
from .results import MdResult
from .trajectory import Trajectory


def energy_drift_mev_per_atom_ps(trajectory: Trajectory) -> float | None:
    """Slope of the conserved energy by least squares, in meV/atom/ps.

    Parameters
    ----------
    trajectory : Trajectory
        The trajectory.

    Returns
    -------
    float or None
        None without a conserved energy, or with fewer than three frames.
    """
    energies = trajectory.conserved_energies()
    if energies is None or len(energies) < 3:
        return None
    times = trajectory.times_ps()
    times = times - times.mean()
    return float(1000.0 * (times @ (energies - energies.mean())) / (times @ times) / trajectory.n_atoms)


def build_result(
    trajectory: Trajectory,
    manifest: Manifest,
    plan: StepPlan,
    limits: RunLimits,
    *,
    resumed_from_step: int,
    wall_time_s: float,
) -> MdResult:
    """Sum a trajectory up.

    Parameters
    ----------
    trajectory : Trajectory
        The trajectory as it lies on the disk.
    manifest : Manifest
        Its segments, history, flags and outcome.
    plan : StepPlan
        The run in steps.
    limits : RunLimits
        The lengths asked for.
    resumed_from_step : int
        MD step at which this process took over.
    wall_time_s : float
        Wall time of this process in s.

    Returns
    -------
    MdResult
        The result.
    """
    outcome = manifest.outcome
    if outcome is None:
        raise ValueError("a run without an outcome has no result")
    temperatures = trajectory.temperatures()
    cell = trajectory.mean_cell_angstrom
    return MdResult(
        key=manifest.key,
        folder=str(trajectory.folder),
        state=outcome.state,
        stop_reason=outcome.stop_reason,
        message=outcome.message,
        requested_ps=limits.duration_ps,
        completed_ps=trajectory.duration_ps,
        time_step_fs=plan.time_step_fs,
        frame_interval_ps=trajectory.frame_interval_ps,
        n_frames=trajectory.n_frames,
        n_atoms=trajectory.n_atoms,
        segments=trajectory.segments,
        mean_temperature_k=float(temperatures.mean()) if len(temperatures) else None,
        mean_volume_angstrom3=trajectory.mean_volume_angstrom3,
        mean_cell_angstrom=tuple(tuple(float(value) for value in row) for row in cell),
        energy_drift_mev_per_atom_ps=energy_drift_mev_per_atom_ps(trajectory),
        history=manifest.history,
        flags=_flags(trajectory, manifest),
        engine=trajectory.description.engine,
        resumed_from_step=resumed_from_step,
        wall_time_s=wall_time_s,
    )


def _flags(trajectory: Trajectory, manifest: Manifest) -> tuple[str, ...]:
    flags = list(manifest.flags)
    slowed = langevin_flag(trajectory.protocol)
    if slowed is not None:
        flags.append(slowed)
    stored_fs = 1000.0 * trajectory.frame_interval_ps
    asked_fs = trajectory.protocol.frame_interval_fs
    if not np.isclose(stored_fs, asked_fs, rtol=1e-9):
        flags.append(f"Frames are {stored_fs:g} fs apart, the whole number of time steps nearest to {asked_fs:g} fs.")
    if not trajectory.description.translation_invariant:
        flags.append(
            "The potential holds the atoms in an external field, so the total momentum is not conserved and all "
            "3N degrees of freedom carry the temperature."
        )
    return tuple(flags)
