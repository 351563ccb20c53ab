"""Cell and positions at the minimum of the potential."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from ase.filters import FrechetCellFilter
from jobflow import Response
from pydantic import BaseModel, Field, ValidationError
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from ..database.documents import CandidateDoc, RelaxDoc
from ..dynamics.stop_request import StopRequest
from ..errors import NonFiniteResultError
from ..files import write_text_atomically
from ..potentials.finite_results import finite_calculator
from ..potentials.potential import Potential
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification, potential_specification
from ..runtime.atoms import as_structure, ase_atoms
from ..runtime.checkpoint_root import checkpoint_root_of
from ..runtime.heartbeat import JobProgress, RelaxationProgress, heartbeat_writer
from ..runtime.maker import Maker
from ..runtime.provenance import job_provenance
from ..runtime.resumable_fire import FireState, ResumableFIRE
from ..runtime.stop_request import leave_if_stop_was_requested, remember_stop_request
from ..runtime.timed_job import job, note_device
from ..runtime.walltime import time_left_s
from ..structures.fingerprint import structure_fingerprint

_RECIPE_VERSION = 1
"""Changes when the same request would give another relaxed structure than before."""

STATE_INTERVAL_S = 30.0
"""Time between two states that a running relaxation keeps, in s: the most that a hard kill loses, and one step."""


class RelaxationStopped(Exception):
    """A signal, or the end of the allocation, stopped a relaxation, which kept its state."""


class Relaxation(BaseModel):
    """What a relaxation gives, as kept on disk."""

    structure: dict[str, Any]
    energy_ev: float = Field(allow_inf_nan=False)
    max_force_ev_per_angstrom: float = Field(allow_inf_nan=False)
    converged: bool
    n_steps: int


@dataclass
class RelaxMaker(Maker):
    """Relax cell and positions with ASE's FIRE and the chosen potential.

    A relaxation is kept beside the trajectories under a key of structure, potential and settings. The same request
    finds it again, so that the trajectories that start from it are found too.

    A job stopped by a signal or by the end of its allocation replaces itself with its continuation, which takes the
    steps that would have followed; one that is killed loses at most half a minute.

    Parameters
    ----------
    name : str
        Name of the job.
    potential : PotentialSpecification, str, dict or None
        The potential, also as "name", "name:model" or its fields; None for the flow's, or the default one outside a
        flow.
    force_tolerance_ev_per_angstrom : float
        Largest force allowed at the end in eV/Å.
    maximum_steps : int
        Most steps of the optimiser.
    relax_cell : bool
        Whether the cell relaxes too.
    checkpoint_root : str or None
        Folder in which relaxations are kept; None for the flow's.
    """

    resource_kind: ClassVar[str] = "relax"

    name: str = "relax"
    potential: PotentialSpecification | None = None
    force_tolerance_ev_per_angstrom: float = 0.03
    maximum_steps: int = 500
    relax_cell: bool = True
    checkpoint_root: str | None = None

    def __post_init__(self) -> None:
        """Take the potential by name, too."""
        if self.potential is not None:
            self.potential = potential_specification(self.potential)

    @job(output_schema=RelaxDoc)
    def make(self, candidate: CandidateDoc) -> RelaxDoc | Response:
        """Relax one structure.

        Parameters
        ----------
        candidate : CandidateDoc
            The material.

        Returns
        -------
        RelaxDoc or Response
            The relaxed structure; or the continuation that replaces this job where it was interrupted.
        """
        try:
            return self.document_of(candidate)
        except RelaxationStopped:
            return Response(output=None, replace=self.make(candidate))

    def document_of(self, candidate: CandidateDoc) -> RelaxDoc:
        """Relax one structure, or read what was kept of it.

        Parameters
        ----------
        candidate : CandidateDoc
            The material.

        Returns
        -------
        RelaxDoc
            The relaxed structure.

        Raises
        ------
        RelaxationStopped
            If a signal or the end of the allocation stopped it: the same call continues it in another process.
        NonFiniteResultError
            If the potential gives energies, forces or stresses that are not numbers, or moves the atoms to where there
            are none.
        LeaveProcess
            If this process was told to stop before, or its allocation leaves no time; a KeyboardInterrupt.
        """
        initial = as_structure(candidate.structure)
        potential = load_potential(self.potential or PotentialSpecification())
        potential.check_elements({site.specie.symbol for site in initial})
        path = self.kept_path(initial, potential)
        relaxation = kept_relaxation(path)
        if relaxation is None:
            leave_if_stop_was_requested()
            states = path.with_suffix(".state")
            relaxation = self._relax(initial, potential, states)
            write_text_atomically(path, relaxation.model_dump_json())
            states.unlink(missing_ok=True)
        relaxed = Structure.from_dict(relaxation.structure)
        notes = [] if relaxation.converged else [self._shortfall(relaxation)]
        notes += potential.cautions(ase_atoms(relaxed))
        return RelaxDoc(
            formula=candidate.formula,
            label=candidate.label,
            provenance=job_provenance(relaxed, potential.provenance),
            notes=notes,
            structure=relaxation.structure,
            energy_ev=relaxation.energy_ev,
            energy_ev_per_atom=relaxation.energy_ev / len(relaxed),
            max_force_ev_per_angstrom=relaxation.max_force_ev_per_angstrom,
            converged=relaxation.converged,
            n_steps=relaxation.n_steps,
            volume_change_percent=100.0 * (relaxed.volume / initial.volume - 1.0),
        )

    def kept_path(self, structure: Structure, potential: Potential) -> Path:
        """Name the file in which a relaxation is kept.

        Parameters
        ----------
        structure : Structure
            What it starts from.
        potential : Potential
            The potential.

        Returns
        -------
        Path
            The file, there or not.
        """
        identity = {
            "recipe": _RECIPE_VERSION,
            "structure": structure_fingerprint(structure),
            **potential.provenance.identity,
            "force_tolerance_ev_per_angstrom": self.force_tolerance_ev_per_angstrom,
            "maximum_steps": self.maximum_steps,
            "relax_cell": self.relax_cell,
        }
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        entry = f"relaxations/{key}.json"
        return checkpoint_root_of(entry, self.checkpoint_root) / entry

    def _relax(self, structure: Structure, potential: Potential, states: Path) -> Relaxation:
        """Run ASE's FIRE, from the state that an interrupted relaxation kept."""
        note_device(potential.provenance.device)
        calculator = finite_calculator(potential)
        with StopRequest(time_left_s()) as stop:
            watch = _Watch(states, stop, heartbeat_writer(), self._progress)
            atoms = ase_atoms(structure)
            atoms.calc = calculator
            optimizer = watch.optimizer(FrechetCellFilter(atoms) if self.relax_cell else atoms)
            converged = optimizer.run(fmax=self.force_tolerance_ev_per_angstrom, steps=self.maximum_steps)
            energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        relaxed = AseAtomsAdaptor.get_structure(atoms)
        if not (np.isfinite(relaxed.lattice.matrix).all() and np.isfinite(relaxed.cart_coords).all()):
            raise NonFiniteResultError(
                f"The relaxation with the potential {potential.name} came to positions or a cell that are not numbers "
                f"after {watch.n_steps} steps: choose another potential for this composition."
            )
        plain = Structure(relaxed.lattice, [site.specie.symbol for site in relaxed], relaxed.frac_coords)
        return Relaxation(
            structure=plain.as_dict(),
            energy_ev=float(energy),
            max_force_ev_per_angstrom=float(np.sqrt(np.max(np.sum(forces**2, axis=1)))),
            converged=converged,
            n_steps=watch.n_steps,
        )

    def _progress(self, step: int, atoms: Any) -> RelaxationProgress:
        """Say how far the optimiser is; `atoms` holds the cell's share of the forces where the cell relaxes."""
        return RelaxationProgress(
            step=step,
            maximum_steps=self.maximum_steps,
            max_force_ev_per_angstrom=float(np.sqrt(np.max(np.sum(atoms.get_forces() ** 2, axis=1)))),
            force_tolerance_ev_per_angstrom=self.force_tolerance_ev_per_angstrom,
        )

    def _shortfall(self, relaxation: Relaxation) -> str:
        """Say that the relaxation stopped before its tolerance."""
        return (
            f"the relaxation stopped after {relaxation.n_steps} steps with a largest force of "
            f"{relaxation.max_force_ev_per_angstrom:.3f} eV/Å, above the {self.force_tolerance_ev_per_angstrom:g} eV/Å "
            "asked for"
        )


def kept_relaxation(path: Path) -> Relaxation | None:
    """Read a relaxation that was kept.

    Parameters
    ----------
    path : Path
        The file, there or not.

    Returns
    -------
    Relaxation or None
        None where it is not there, or lacks its numbers, as earlier versions kept it of NaN: it is done again.
    """
    try:
        relaxation = Relaxation.model_validate_json(path.read_text(encoding="utf-8"))
        structure = Structure.from_dict(relaxation.structure)
    except (FileNotFoundError, LookupError, TypeError, ValueError):
        return None
    numbers = np.concatenate([structure.lattice.matrix, structure.frac_coords])
    return relaxation if np.isfinite(numbers).all() else None


class _Watch:
    """Looks at a relaxation after every step: tells of it, keeps its state, and stops it when it must end."""

    def __init__(
        self,
        states: Path,
        stop: StopRequest,
        tell: Callable[[JobProgress], None] | None,
        progress: Callable[[int, Any], RelaxationProgress],
    ) -> None:
        self.n_steps = 0
        self._states = states
        self._stop = stop
        self._tell = tell
        self._progress = progress
        self._last_s = time.monotonic()

    def optimizer(self, atoms: Any) -> ResumableFIRE:
        """Make the optimiser, where an earlier process left it."""
        optimizer = ResumableFIRE(atoms, logfile=None)
        state = self._kept_state()
        if state is not None:
            optimizer.restore(state)
            self.n_steps = state.n_steps
        optimizer.attach(lambda: self._look(optimizer, atoms), interval=1)
        return optimizer

    def _look(self, optimizer: ResumableFIRE, atoms: Any) -> None:
        self.n_steps = optimizer.nsteps
        if self._tell is not None:
            self._tell(self._progress(optimizer.nsteps, atoms))
        # Every process takes a step at least: a short allocation is no endless loop.
        reason = self._stop.reason() if optimizer.nsteps else None
        if reason is None and time.monotonic() - self._last_s < STATE_INTERVAL_S:
            return
        write_text_atomically(self._states, optimizer.state().model_dump_json())
        self._last_s = time.monotonic()
        if reason is not None:
            remember_stop_request()
            raise RelaxationStopped

    def _kept_state(self) -> FireState | None:
        """Read what an interrupted relaxation kept; one that cannot be read is begun anew."""
        try:
            return FireState.model_validate_json(self._states.read_text(encoding="utf-8"))
        except (OSError, ValidationError):
            return None
