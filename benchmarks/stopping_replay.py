"""Find where a run would have ended, from a stored trajectory of full length: for `sequential_stopping.py`.

At the end of every stored segment the engine's own question is put to the stop rule and the health check of a job, with
the trajectory cut there and what they said before as its history. Where one of them ends the run, or at the length
of the stage, a folder is made of links to the segments so far: the folder that the shorter run would have left. The
jobs of a stage then find it by its key. Their engine asks the same rules once more, and has no step to take.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from pymatgen.core import Structure
from superion.dynamics.description import DESCRIPTION_FILE
from superion.dynamics.identity import trajectory_key
from superion.dynamics.manifest import Manifest, load_manifest, save_manifest
from superion.dynamics.plan import plan_steps
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.trajectory import Trajectory
from superion.dynamics.verdicts import ask_rules
from superion.errors import TrajectoryError
from superion.potentials.potential import Potential
from superion.runtime.atoms import ase_atoms
from superion.runtime.stop_criteria import StopCriteria
from superion.runtime.stop_rules import AdaptiveLength, melting_check
from superion.transport.analysis import DiffusionSettings


class StoredTrajectory(Trajectory):
    """A trajectory of full length that can show itself as it was after any of its segments.

    The files are read once; what rules ask for comes from memory, as the same numbers.

    Parameters
    ----------
    folder : Path
        The trajectory folder.

    Raises
    ------
    TrajectoryError
        If there is no trajectory in the folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._stored: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def _read(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self._stored is None:
            self._stored = super().positions(dtype=np.float32), super().cells(), super().volumes()
        return self._stored

    def after(self, n_segments: int, history: tuple[dict[str, Any], ...]) -> Trajectory:
        """Show the trajectory as it was after so many segments.

        Parameters
        ----------
        n_segments : int
            Segments closed by then.
        history : tuple of dict
            What rules had said by then.

        Returns
        -------
        Trajectory
            The first part.
        """
        part = StoredTrajectory(self.folder)
        part._stored = self._read()
        part.manifest = self.manifest.cut(n_segments).model_copy(update={"history": history})
        return part

    def positions(
        self,
        frames: slice | None = None,
        atoms: Any = None,
        dtype: DTypeLike = np.float64,
    ) -> np.ndarray:
        """Read unwrapped positions in Å, as `Trajectory` does."""
        chosen = self._read()[0][: self.n_frames][frames or slice(None)]
        return (chosen if atoms is None else chosen[:, np.asarray(atoms, dtype=int)]).astype(dtype)

    def cells(self) -> np.ndarray:
        """Cell vectors in Å, as `Trajectory` does."""
        return self._read()[1][: self.n_frames]

    def volumes(self) -> np.ndarray:
        """Volumes in Å³, as `Trajectory` does."""
        return self._read()[2][: self.n_frames]


@dataclass(frozen=True)
class StoredRun:
    """One trajectory as a job would run it.

    Parameters
    ----------
    cell : Structure
        The simulated cell.
    mobile_ion : str
        Element symbol.
    ion_charge : float
        Its charge in elementary charges.
    potential : Potential
        The potential that made it; it computes nothing here.
    protocol : MdProtocol
        Temperature, seed, ensemble.
    """

    cell: Structure
    mobile_ion: str
    ion_charge: float
    potential: Potential
    protocol: MdProtocol

    @cached_property
    def key(self) -> str:
        """Identity of the trajectory, the name of its folder."""
        return trajectory_key(ase_atoms(self.cell), self.potential.provenance, self.protocol)


@dataclass(frozen=True)
class ReplayedEnd:
    """Where a replayed run ends.

    Parameters
    ----------
    reason : str
        converged, ruled_out, melted or max_length.
    n_steps : int
        MD steps from the start of the trajectory.
    completed_ps : float
        The same in ps.
    """

    reason: str
    n_steps: int
    completed_ps: float


def open_full_length(folder: Path, duration_ps: float) -> StoredTrajectory:
    """Open a stored trajectory and refuse one that is too short to be replayed.

    Parameters
    ----------
    folder : Path
        Its folder.
    duration_ps : float
        Length of the fixed-length protocol.

    Returns
    -------
    StoredTrajectory
        The trajectory.

    Raises
    ------
    TrajectoryError
        If it is missing or shorter: a run that a rule has ended cannot show what a later look would have seen.
    """
    trajectory = StoredTrajectory(folder)
    if trajectory.duration_ps < duration_ps - 1e-9:
        raise TrajectoryError(
            f"The trajectory in {folder} has {trajectory.duration_ps:g} of the {duration_ps:g} ps of the fixed-length "
            "protocol: run it on without stop rules before it is replayed."
        )
    return trajectory


def replay(
    run: StoredRun,
    limits: RunLimits,
    stop: StopCriteria,
    analysis: DiffusionSettings,
    library: Path,
    root: Path,
) -> ReplayedEnd:
    """Find where a stage would have ended a run, and leave the folder of the run that ended there.

    A folder that an earlier replay left in `root` goes on from its end, as a later stage continues a trajectory. With
    criteria that end nothing, nobody looks at the run before its full length.

    Parameters
    ----------
    run : StoredRun
        The run.
    limits : RunLimits
        Lengths of the stage.
    stop : StopCriteria
        Criteria of the stage.
    analysis : DiffusionSettings
        How the stage analyses.
    library : Path
        Folder of the stored full-length trajectories; only read.
    root : Path
        Folder of the replayed ones.

    Returns
    -------
    ReplayedEnd
        How the run ends.

    Raises
    ------
    TrajectoryError
        If the stored trajectory is shorter than `limits.duration_ps`, or none of its segments ends there.
    """
    stored = open_full_length(library / run.key, limits.duration_ps)
    plan = plan_steps(ase_atoms(run.cell), run.protocol, limits)
    is_fixed = stop.target_relative_error is None and stop.target_sigma_300k_ms_cm is None
    rules = [] if is_fixed else [AdaptiveLength(run.cell, run.mobile_ion, run.ion_charge, stop, analysis)]
    health_checks = [melting_check(run.cell, run.mobile_ion)]
    target = root / run.key
    manifest = load_manifest(target, run.key) if target.exists() else Manifest(key=run.key)
    n_there = len(manifest.segments)
    for number, segment in enumerate(stored.segments, start=1):
        step = segment.last_step
        if number < n_there or (is_fixed and step < plan.total_steps):
            continue
        if not (plan.is_boundary(step) or step == plan.total_steps):
            continue
        trajectory = stored.after(number, manifest.history)
        # As the engine judges: both are asked and written down, the health check has the first word.
        health, health_entries = ask_rules(health_checks, trajectory)
        verdict, rule_entries = ask_rules(rules, trajectory)
        manifest = manifest.with_verdicts(step, health_entries + rule_entries)
        reason = None
        if health is not None:
            reason = health.reason
        elif verdict is not None and step >= plan.minimum_steps:
            reason = verdict.reason
        elif step >= plan.total_steps:
            reason = "max_length"
        if reason is not None:
            segments = stored.segments[:number]
            _link(stored, target, n_there, manifest.model_copy(update={"segments": segments, "outcome": None}))
            return ReplayedEnd(reason, step, plan.picoseconds(step))
    raise TrajectoryError(
        f"No segment of the trajectory in {stored.folder} ends at {limits.duration_ps:g} ps: replay it with a length "
        "that one of its segments ends at."
    )


def _link(stored: StoredTrajectory, target: Path, n_there: int, manifest: Manifest) -> None:
    """Make the folder of the shorter run."""
    if not target.exists():
        target.mkdir(parents=True)
        shutil.copy(stored.folder / DESCRIPTION_FILE, target)
    for segment in manifest.segments[n_there:]:
        try:
            os.link(stored.folder / segment.file, target / segment.file)
        except OSError:  # another disk, or one that knows no links
            shutil.copy(stored.folder / segment.file, target)
    save_manifest(target, manifest)
