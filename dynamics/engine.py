"""The MD engine: run a trajectory to its end, in steps that can be killed at any instant."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms, units

from ..errors import NonFiniteResultError, PotentialError, ProtocolError, SuperionError, TrajectoryError
from ..potentials.finite_results import finite_calculator
from .checkpoint import Checkpoint
from .degrees_of_freedom import count_degrees_of_freedom, is_translation_invariant, kinetic_temperature_k
from .description import (
    TrajectoryDescription,
    check_description,
    describe,
    load_description,
    save_description,
)
from .durable import TEMPORARY_SUFFIX, DiskFullError, reserve, write_durably
from .health import HealthWatch, StepState
from .identity import trajectory_key
from .integrators import Integrator, IntegratorSettings, build_integrator
from .lock import TrajectoryLock
from .manifest import Manifest, Outcome, save_manifest
from .plan import StepPlan, plan_steps
from .progress import ProgressReporter
from .protocol import MdProtocol, RunLimits
from .random_stream import random_stream
from .recovery import recover
from .report import build_result
from .results import MdProgress, MdResult, SegmentRecord, StopVerdict
from .segment_file import SegmentFrames, SegmentHeader, encode_segment, estimated_size_bytes, segment_name
from .stop_request import StopRequest
from .trajectory import Trajectory
from .velocities import at_rest, draw_momenta
from .verdicts import StopRule, ask_rules

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

    from ..potentials.potential import Potential

_FINAL_FAILURES = ("exploded", "temperature_runaway", "volume_collapse")
"""Failures that the same trajectory would meet again at the same step."""


def run_md(
    atoms: Atoms,
    potential: Potential,
    protocol: MdProtocol,
    limits: RunLimits,
    checkpoint_root: str | Path,
    *,
    stop_rules: Sequence[StopRule] = (),
    health_checks: Sequence[StopRule] = (),
    on_progress: Callable[[MdProgress], None] | None = None,
) -> MdResult:
    """Run a trajectory, or continue the one that is there, until a rule or a limit ends it.

    The trajectory lives in ``<checkpoint_root>/<key>``, where `trajectory_key` gives the key. Each segment is one
    closed H5MD file that holds its frames and, in float64, the state at its end. At each segment's start all is
    rebuilt from that state, neighbour lists included, whether this process wrote it or one that was killed since:
    so on one CPU thread the trajectory does not depend, to the last bit, on how often it was interrupted.

    A stop by signal or wall time closes the open segment at the next step, also between two regular checkpoints.
    That is exact for a potential whose forces depend on the positions alone. Where a neighbour list with a skin
    makes them depend on earlier steps in the last bits, which is measured at the stop, the result carries a flag.

    Parameters
    ----------
    atoms : ase.Atoms
        Structure to start from; left as it is. Momenta, where given, start the run, less the motion of the whole;
        else they are drawn.
    potential : Potential
        The potential.
    protocol : MdProtocol
        What the trajectory is: temperature, ensemble, time step, seed, …
    limits : RunLimits
        How long it goes on, and how it is written.
    checkpoint_root : str or Path
        Folder of all trajectories; made if missing.
    stop_rules : sequence of callables, optional
        Each is given the `Trajectory` after every segment and returns a `StopVerdict`; a reason ends the run as
        completed. A rule must depend on the trajectory alone.
    health_checks : sequence of callables, optional
        Likewise, but a reason ends the run as failed. NaN and exploding forces, runaway temperature and collapse
        of the volume are watched without asking.
    on_progress : callable, optional
        Given an `MdProgress` about once a second.

    Returns
    -------
    MdResult
        State, reason and files. A request that is satisfied already returns at once.

    Raises
    ------
    ProtocolError
        If the settings make no sense for this structure or potential.
    PotentialError
        If the potential does not know an element, or fails on the structure that the run starts from.
    CheckpointError
        If the folder holds the trajectory of another structure, potential or protocol.
    LockedTrajectoryError
        If another living process writes this trajectory.
    TrajectoryError
        If a file of the trajectory is damaged, or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from ase.build import bulk
    >>> from superion.dynamics.engine import run_md
    >>> from superion.dynamics.protocol import MdProtocol, RunLimits
    >>> from superion.potentials.registry import load_potential
    >>> from superion.potentials.specification import PotentialSpecification
    >>> emt = load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = run_md(
    ...         bulk("Cu", cubic=True), emt, MdProtocol(temperature_k=300), RunLimits(duration_ps=0.1), folder
    ...     )
    >>> result.state, result.stop_reason, result.n_frames
    ('completed', 'max_length', 6)
    """
    with StopRequest(limits.max_runtime_s) as stop:
        if atoms.constraints:
            raise ProtocolError(
                "The structure has constraints, which the thermostats here do not count: remove them "
                "(atoms.set_constraint()) before the molecular dynamics."
            )
        plan = plan_steps(atoms, protocol, limits)
        folder = Path(checkpoint_root).absolute() / trajectory_key(atoms, potential.provenance, protocol)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TrajectoryLock(folder):
                run = _Run(
                    atoms, potential, protocol, limits, plan, folder, stop, stop_rules, health_checks, on_progress
                )
                return run.to_its_end()
        except OSError as error:
            raise TrajectoryError(
                f"The trajectory folder {folder} cannot be written ({error.strerror or error}): free some space or "
                "choose another checkpoint folder, then run again to continue; nothing already computed was lost."
            ) from error


class _Run:
    """One call of `run_md`, with the lock held."""

    def __init__(
        self,
        atoms: Atoms,
        potential: Potential,
        protocol: MdProtocol,
        limits: RunLimits,
        plan: StepPlan,
        folder: Path,
        stop: StopRequest,
        stop_rules: Sequence[StopRule],
        health_checks: Sequence[StopRule],
        on_progress: Callable[[MdProgress], None] | None,
    ) -> None:
        self.began = time.monotonic()
        self.atoms = atoms
        self.potential = potential
        self.protocol = protocol
        self.limits = limits
        self.plan = plan
        self.folder = folder
        self.key = folder.name
        self.stop = stop
        self.stop_rules = stop_rules
        self.health_checks = health_checks
        self.on_progress = on_progress
        self.description: TrajectoryDescription | None = None
        self.manifest = Manifest(key=self.key)

    def to_its_end(self) -> MdResult:
        """Recover what is there, go on from it, and report."""
        self.description = load_description(self.folder)
        if self.description is not None:
            check_description(self.folder, self.description, self.atoms, self.potential.provenance, self.protocol)
        self.manifest, checkpoint = recover(self.folder, self.key)
        first_step = self.manifest.last_step
        outcome = self._standing_outcome()
        if outcome is None:
            outcome = self._continue_from(checkpoint)
        if outcome != self.manifest.outcome:
            self.manifest = self.manifest.with_outcome(outcome)
            self._save_manifest_if_room()
        return build_result(
            Trajectory(self.folder),
            self.manifest,
            self.plan,
            self.limits,
            resumed_from_step=first_step,
            wall_time_s=time.monotonic() - self.began,
        )

    def _standing_outcome(self) -> Outcome | None:
        """Say how this request ends on what is there already, or None to go on."""
        step = self.manifest.last_step
        if step and self.plan.is_boundary(step):
            outcome = self._judge(step)
            if outcome is not None:
                return outcome
        if step >= self.plan.total_steps:
            return self._max_length(step)
        earlier = self.manifest.outcome
        if earlier is not None and earlier.state == "failed" and earlier.stop_reason in _FINAL_FAILURES:
            return earlier
        return None

    def _max_length(self, step: int) -> Outcome:
        return Outcome(
            state="completed",
            stop_reason="max_length",
            message=f"The trajectory reached the {self.plan.picoseconds(self.plan.total_steps):g} ps asked for.",
            step=step,
        )

    def _judge(self, step: int) -> Outcome | None:
        """Ask health checks and stop rules about the trajectory up to here."""
        if not self.stop_rules and not self.health_checks:
            return None
        trajectory = Trajectory(self.folder)
        health, health_entries = ask_rules(self.health_checks, trajectory)
        rules, rule_entries = ask_rules(self.stop_rules, trajectory)
        updated = self.manifest.with_verdicts(step, health_entries + rule_entries)
        if updated != self.manifest:
            self.manifest = updated
            save_manifest(self.folder, self.manifest)
        if health is not None:
            return _outcome("failed", health, step)
        if rules is not None and step >= self.plan.minimum_steps:
            return _outcome("completed", rules, step)
        return None

    def _continue_from(self, checkpoint: Checkpoint | None) -> Outcome:
        """Run segment after segment."""
        self.potential.check_elements(self.atoms.get_chemical_symbols())
        calculator = finite_calculator(self.potential)
        if checkpoint is None:
            try:
                checkpoint = self._first_checkpoint(calculator)
            except (SuperionError, OSError):
                raise
            except Exception as error:
                text = " ".join(str(error).split())
                raise PotentialError(
                    f"The potential fails on the structure that the run starts from ({type(error).__name__}: {text}): "
                    "correct the structure or choose another potential."
                ) from error
        assert self.description is not None
        progress = ProgressReporter(self.on_progress, self.key, self.plan, checkpoint.step)
        while checkpoint.step < self.plan.total_steps:
            segment = _Segment(self, self.description, calculator, checkpoint, progress)
            try:
                reserve(segment.path, segment.size_bytes)
                outcome = segment.run()
                if segment.is_worth_writing:
                    self.manifest = self.manifest.with_segment(segment.write())
                    if segment.flag:
                        self.manifest = self.manifest.with_flag(segment.flag)
                    save_manifest(self.folder, self.manifest)
                    checkpoint = segment.checkpoint
                if outcome is None and self.plan.is_boundary(checkpoint.step):
                    outcome = self._judge(checkpoint.step)
                    progress.message = str(self.manifest.history[-1]["message"]) if self.manifest.history else ""
            except DiskFullError:
                return self._disk_full()
            finally:
                segment.discard_reservation()
            if outcome is not None:
                return outcome
        return self._max_length(checkpoint.step)

    def _first_checkpoint(self, calculator: Calculator) -> Checkpoint:
        """State at step 0; describes the trajectory when it is new."""
        atoms = self.atoms.copy()
        atoms.calc = calculator
        if self.description is None:
            invariant = is_translation_invariant(atoms)
        else:
            invariant = self.description.translation_invariant
        degrees_of_freedom = count_degrees_of_freedom(len(atoms), invariant)
        if not np.any(atoms.get_momenta()):
            stream = random_stream(self.protocol.seed, self.protocol.replica, "velocities")
            atoms.set_momenta(draw_momenta(atoms, self.protocol.temperature_k, stream, zero_total_momentum=invariant))
        elif invariant:
            atoms.set_momenta(at_rest(atoms.get_momenta(), atoms))
        if self.description is None:
            self.description = describe(
                self.atoms,
                self.potential.provenance,
                self.protocol,
                self.plan,
                translation_invariant=invariant,
                degrees_of_freedom=degrees_of_freedom,
                initial_temperature_k=kinetic_temperature_k(atoms, degrees_of_freedom),
            )
            save_description(self.folder, self.description)
        return Checkpoint.of(self.key, 0, atoms, None)

    def _disk_full(self) -> Outcome:
        step = self.manifest.last_step
        return Outcome(
            state="partial",
            stop_reason="disk_full",
            message=f"The disk of {self.folder} has no room for the next segment: free some space and run again; "
            f"all {self.plan.picoseconds(step):g} ps up to the last checkpoint are safe.",
            step=step,
        )

    def _save_manifest_if_room(self) -> None:
        try:
            save_manifest(self.folder, self.manifest)
        except DiskFullError:
            # the outcome is in the result; the next run finds the same one again
            return


class _Segment:
    """The open segment: steps, frames in memory, and the file at its end."""

    def __init__(
        self,
        run: _Run,
        description: TrajectoryDescription,
        calculator: Calculator,
        start: Checkpoint,
        progress: ProgressReporter,
    ) -> None:
        self.limits = run.limits
        self.plan = run.plan
        self.stop = run.stop
        self.folder = run.folder
        self.description = description
        self.progress = progress
        self.start_step = start.step
        self.end_step = run.plan.next_boundary(start.step)
        self.path = run.folder / segment_name(len(run.manifest.segments))
        self.checkpoint = start
        self.flag = ""
        self._calculator = calculator
        self._start = start
        self._template = run.atoms
        # a run that ended within its first frame interval has left a segment at step 0
        self._has_first_frame = bool(run.manifest.segments)
        self._capacity = (self.end_step - start.step) // self.plan.frame_steps + 2
        self.frames = SegmentFrames.with_capacity(
            self._capacity, len(run.atoms), with_velocities=run.limits.store_velocities
        )
        volume = abs(float(np.linalg.det(np.array(description.initial_cell_angstrom))))
        self._watch = HealthWatch(
            reference_temperature_k=max(description.protocol.temperature_k, description.initial_temperature_k),
            degrees_of_freedom=description.degrees_of_freedom,
            initial_volume_angstrom3=volume,
        )

    @property
    def size_bytes(self) -> int:
        """Upper bound of the file's size."""
        return estimated_size_bytes(self._capacity, len(self._template), with_velocities=self.limits.store_velocities)

    @property
    def is_worth_writing(self) -> bool:
        """Whether there is a frame or a later state to keep."""
        return self.frames.n_frames > 0 or self.checkpoint.step > self.start_step

    def run(self) -> Outcome | None:
        """Move to the end of the segment; give the outcome if something ends the run before."""
        atoms, integrator = self._rebuild()
        step = self.start_step
        try:
            if not self._has_first_frame:
                atoms.get_forces(md=True)
                verdict = self._watch.check(0, self._state(atoms, 0.0))
                if verdict.reason:
                    return _outcome("failed", verdict, 0)
                self._record(0, atoms, integrator)
            while step < self.end_step:
                reason = self.stop.reason()
                if reason is not None:
                    return self._stop_here(reason, step, atoms, integrator)
                before, cell_before = atoms.get_positions(), atoms.cell.array.copy()
                try:
                    integrator.step()
                except NonFiniteResultError as error:
                    move = _largest_move(atoms, before, cell_before)
                    return self._not_a_number(str(error), step, move, atoms)
                step += 1
                state = self._state(atoms, _largest_move(atoms, before, cell_before))
                verdict = self._watch.check(step, state)
                if verdict.reason:
                    return _outcome("failed", verdict, step)
                if step % self.plan.frame_steps == 0:
                    self._record(step, atoms, integrator)
                self.progress.step(step, state.temperature_k)
        except SuperionError:
            raise
        except Exception as error:
            text = " ".join(str(error).split())
            message = (
                f"The potential failed at step {step + 1} ({type(error).__name__}: {text}): mend it and run again."
            )
            return Outcome(state="failed", stop_reason="error", message=message, step=step)
        return None

    def _not_a_number(self, message: str, step: int, largest_move_angstrom: float, atoms: Atoms) -> Outcome:
        """Say who failed: the dynamics, where an atom was thrown out of place before, or else the potential."""
        verdict = self._watch.check_geometry(step + 1, largest_move_angstrom, float(atoms.cell.volume))
        if verdict.reason:
            return _outcome("failed", verdict, step + 1)
        return Outcome(
            state="failed", stop_reason="error", message=f"At step {step + 1} of the dynamics: {message}", step=step
        )

    def write(self) -> SegmentRecord:
        """Write the frames and the last safe state, and give the record for the manifest."""
        header = SegmentHeader(
            key=self.description.key,
            numbers=self._template.numbers,
            masses_amu=np.array(self.description.masses_amu),
            periodic=self.description.periodic,
            time_step_fs=self.plan.time_step_fs,
        )
        data = encode_segment(header, self.frames, self.checkpoint, self.limits.compression)
        write_durably(self.path, data)
        steps = self.frames.steps
        return SegmentRecord(
            file=self.path.name,
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
            first_step=steps[0] if steps else self.checkpoint.step,
            n_frames=len(steps),
            last_step=self.checkpoint.step,
        )

    def discard_reservation(self) -> None:
        """Give back room that was reserved and not used."""
        self.path.with_name(self.path.name + TEMPORARY_SUFFIX).unlink(missing_ok=True)

    def _rebuild(self) -> tuple[Atoms, Integrator]:
        """Make atoms and integrator from the checkpoint alone, and forget all that the calculator cached."""
        atoms = self._template.copy()
        self._start.apply(atoms)
        _forget(self._calculator)
        atoms.calc = self._calculator
        protocol = self.description.protocol
        settings = IntegratorSettings(
            protocol=protocol,
            time_step_fs=self.plan.time_step_fs,
            degrees_of_freedom=self.description.degrees_of_freedom,
            stream=random_stream(protocol.seed, protocol.replica, "thermostat"),
        )
        integrator = build_integrator(atoms, settings)
        if self._start.integrator_state is not None:
            integrator.restore_state(self._start.integrator_state)
        return atoms, integrator

    def _state(self, atoms: Atoms, largest_move_angstrom: float) -> StepState:
        # every integrator ends its step with the forces at the new positions: asking ASE again only costs time
        results = getattr(self._calculator, "results", {})
        forces = results.get("forces")
        energy = results.get("energy")
        return StepState(
            forces=atoms.get_forces(md=True) if forces is None else forces,
            largest_move_angstrom=largest_move_angstrom,
            potential_energy_ev=float(atoms.get_potential_energy() if energy is None else energy),
            temperature_k=kinetic_temperature_k(atoms, self.description.degrees_of_freedom),
            volume_angstrom3=float(atoms.cell.volume),
        )

    def _record(self, step: int, atoms: Atoms, integrator: Integrator) -> None:
        """Store a frame, and the state to which a failure before the next frame goes back."""
        observables = {
            "potential_energy": float(atoms.get_potential_energy()),
            "kinetic_energy": float(atoms.get_kinetic_energy()),
            "temperature": kinetic_temperature_k(atoms, self.description.degrees_of_freedom),
            "volume": float(atoms.cell.volume),
        }
        conserved = integrator.conserved_energy()
        if conserved is not None:
            observables["conserved_energy"] = conserved
        if "stress" in getattr(self._calculator, "results", {}):
            stress = atoms.get_stress(include_ideal_gas=True)
            observables["pressure"] = float(-stress[:3].mean() / units.GPa)
        velocities = atoms.get_velocities() * (1000.0 * units.fs)
        self.frames.append(step, atoms.positions, velocities, atoms.cell.array, observables)
        self.checkpoint = Checkpoint.of(self.description.key, step, atoms, integrator.export_state())

    def _stop_here(self, reason: Any, step: int, atoms: Atoms, integrator: Integrator) -> Outcome:
        """Keep the state at a step between two regular checkpoints."""
        if step > self.start_step:
            state = integrator.export_state()
            self.checkpoint = Checkpoint.of(self.description.key, step, atoms, state)
            used = np.array(atoms.get_forces(md=True))
            _forget(self._calculator)
            if not np.array_equal(used, atoms.get_forces(md=True)):
                self.flag = (
                    f"Stopped and continued at step {step} with a potential whose neighbour list depends on earlier "
                    "steps: from there the trajectory may differ in the last bits from an uninterrupted one."
                )
        cause = {
            "signal": f"the signal {self.stop.signal_name}",
            "walltime": f"the wall-time limit of {self.limits.max_runtime_s:g} s"
            if self.limits.max_runtime_s is not None
            else "the wall-time limit",
        }[reason]
        message = f"Stopped at {self.plan.picoseconds(step):g} ps by {cause}; run again to continue."
        return Outcome(state="partial", stop_reason=reason, message=message, step=step)


def _largest_move(atoms: Atoms, before: np.ndarray, cell_before: np.ndarray) -> float:
    """Largest displacement along an axis in Å; a homogeneous strain, which carries far atoms far, is no move."""
    if not np.array_equal(atoms.cell.array, cell_before):
        before = before @ np.linalg.solve(cell_before, atoms.cell.array)
    return float(np.abs(atoms.positions - before).max())


def _forget(calculator: Calculator) -> None:
    """Make a calculator forget its results and neighbour lists, as if it were new."""
    if hasattr(calculator, "reset"):
        calculator.reset()


def _outcome(state: Any, verdict: StopVerdict, step: int) -> Outcome:
    assert verdict.reason is not None
    return Outcome(state=state, stop_reason=verdict.reason, message=verdict.message, step=step)
