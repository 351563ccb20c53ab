"""One trajectory of a set that runs: its folder with the lock held, its manifest and its open segment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from ..errors import NonFiniteResultError, PotentialError, ProtocolError, SuperionError, TrajectoryError
from ..potentials.potential import Potential
from .checkpoint import Checkpoint
from .degrees_of_freedom import count_degrees_of_freedom, is_translation_invariant, kinetic_temperature_k
from .description import (
    TrajectoryDescription,
    check_description,
    describe,
    load_description,
    save_description,
)
from .durable import DiskFullError
from .engines.engine import MdEngine
from .health import HealthLimits
from .identity import trajectory_key
from .lock import TrajectoryLock
from .manifest import Manifest, Outcome, save_manifest
from .open_segment import OpenSegment
from .plan import plan_steps
from .progress import ProgressReporter
from .protocol import MdProtocol, RunLimits
from .random_stream import random_stream
from .recovery import recover
from .report import build_result
from .results import MdProgress, MdResult, RunState, StopVerdict
from .trajectory import Trajectory
from .velocities import at_rest, draw_momenta
from .verdicts import StopRule, ask_rules

_FINAL_FAILURES = ("exploded", "temperature_runaway", "volume_collapse")
"""Failures that the same trajectory would meet again at the same step."""


@dataclass(frozen=True)
class TrajectoryRequest:
    """A trajectory to run or to continue, and what may end it.

    Attributes
    ----------
    atoms : ase.Atoms
        Structure to start from; left as it is. Momenta, where given, start the run, less the motion of the whole; else
        they are drawn.
    protocol : MdProtocol
        What the trajectory is: temperature, ensemble, time step, seed, …
    checkpoint_root : str or Path
        Folder that holds the trajectory's folder; made if missing.
    stop_rules : sequence of callables
        Each is given the `Trajectory` after every segment and returns a `StopVerdict`; a reason ends the run as
        completed. A rule must depend on the trajectory alone.
    health_checks : sequence of callables
        Likewise, but a reason ends the run as failed. NaN and exploding forces, runaway temperature and collapse of
        the volume are watched without asking.
    on_progress : callable or None
        Given an `MdProgress` about once a second.
    """

    atoms: Atoms
    protocol: MdProtocol
    checkpoint_root: str | Path
    stop_rules: Sequence[StopRule] = ()
    health_checks: Sequence[StopRule] = ()
    on_progress: Callable[[MdProgress], None] | None = None


class Member:
    """One trajectory while its set runs; it ends with a `result`, or with an `error` that is no other member's.

    Parameters
    ----------
    request : TrajectoryRequest
        What is asked for.
    potential : Potential
        The potential of the set.
    limits : RunLimits
        How long it goes on, and how it is written.

    Raises
    ------
    ProtocolError
        If the request makes no sense for this structure.
    """

    def __init__(self, request: TrajectoryRequest, potential: Potential, limits: RunLimits) -> None:
        if request.atoms.constraints:
            raise ProtocolError(
                "The structure has constraints, which the thermostats here do not count: remove them "
                "(atoms.set_constraint()) before the molecular dynamics."
            )
        self.request = request
        self.potential = potential
        self.limits = limits
        self.plan = plan_steps(request.atoms, request.protocol, limits)
        self.key = trajectory_key(request.atoms, potential.provenance, request.protocol)
        self.folder = Path(request.checkpoint_root).absolute() / self.key
        self.manifest = Manifest(key=self.key)
        self.step = 0
        self.result: MdResult | None = None
        self.error: Exception | None = None
        self._description: TrajectoryDescription | None = None
        self._checkpoint: Checkpoint | None = None
        self._segment: OpenSegment | None = None
        self._progress: ProgressReporter | None = None
        self._resumed_from_step = 0
        self._began = time.monotonic()
        self._held = ExitStack()

    @property
    def is_over(self) -> bool:
        """Whether it has a result or an error."""
        return self.result is not None or self.error is not None

    @property
    def description(self) -> TrajectoryDescription:
        """Whose trajectory it is; there once `prepare` is through."""
        assert self._description is not None
        return self._description

    @property
    def segment(self) -> OpenSegment:
        """The open segment; there from `begin_segment` on."""
        assert self._segment is not None
        return self._segment

    @property
    def steps_to_next_frame(self) -> int:
        """Steps until a frame is stored; segments end at frames."""
        return self.plan.frame_steps - self.step % self.plan.frame_steps

    def health_limits(self) -> HealthLimits:
        """Give what no healthy step exceeds."""
        description = self.description
        return HealthLimits(
            reference_temperature_k=max(description.protocol.temperature_k, description.initial_temperature_k),
            degrees_of_freedom=description.degrees_of_freedom,
            initial_volume_angstrom3=abs(float(np.linalg.det(np.array(description.initial_cell_angstrom)))),
        )

    # ------------------------------------------------------------------------------------------ coming and going

    @contextmanager
    def capturing_errors(self) -> Iterator[None]:
        """Take what is raised inside for this member's error, so that the others of its set go on."""
        try:
            yield
        except OSError as error:
            self._fail(self._cannot_be_written(error))
        except Exception as error:
            self._fail(error)

    def _cannot_be_written(self, error: OSError) -> TrajectoryError:
        refusal = TrajectoryError(
            f"The trajectory folder {self.folder} cannot be written ({error.strerror or error}): free some space or "
            "choose another checkpoint folder, then run again to continue; nothing already computed was lost."
        )
        refusal.__cause__ = error
        return refusal

    def _fail(self, error: Exception) -> None:
        self.error = error
        self.release()

    def release(self) -> None:
        """Give back lock and reserved room, whatever happened."""
        if self._segment is not None:
            # only while the lock is held: the next writer uses the same names
            self._segment.discard_reservation()
            self._segment = None
        self._held.close()

    def open(self) -> None:
        """Lock the folder and recover what is there; a request that is satisfied already is over."""
        self._began = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(TrajectoryLock(self.folder))
        request = self.request
        self._description = load_description(self.folder)
        if self._description is not None:
            check_description(
                self.folder, self._description, request.atoms, self.potential.provenance, request.protocol
            )
        self.manifest, self._checkpoint = recover(self.folder, self.key)
        self.step = self._resumed_from_step = self.manifest.last_step
        self._progress = ProgressReporter(request.on_progress, self.key, self.plan, self.step)
        outcome = self._existing_outcome()
        if outcome is not None:
            self.finish(outcome)

    def _existing_outcome(self) -> Outcome | None:
        """Say how this request ends on what is there already, or None to go on."""
        if self.step and self.plan.is_boundary(self.step):
            outcome = self._judge()
            if outcome is not None:
                return outcome
        if self.step >= self.plan.total_steps:
            return self._max_length()
        earlier = self.manifest.outcome
        if earlier is not None and earlier.state == "failed" and earlier.stop_reason in _FINAL_FAILURES:
            return earlier
        return None

    def prepare(self, engine: MdEngine[Any]) -> None:
        """Find the state to go on from, at step 0 by drawing velocities.

        Raises
        ------
        PotentialError
            If the potential does not know an element, or fails on the structure.
        """
        self.potential.check_elements(self.request.atoms.get_chemical_symbols())
        if self._checkpoint is None:
            try:
                self._checkpoint = self._first_checkpoint(engine)
            except (SuperionError, OSError):
                raise
            except Exception as error:
                raise PotentialError(
                    f"The potential fails on the structure that the run starts from ({_error_text(error)}): "
                    "correct the structure or choose another potential."
                ) from error

    def _first_checkpoint(self, engine: MdEngine[Any]) -> Checkpoint:
        """State at step 0; describes the trajectory when it is new."""
        protocol = self.request.protocol
        atoms = self.request.atoms.copy()
        if self._description is None:
            invariant = is_translation_invariant(atoms, engine.potential_energy_ev)
        else:
            invariant = self._description.translation_invariant
        degrees_of_freedom = count_degrees_of_freedom(len(atoms), invariant)
        if not np.any(atoms.get_momenta()):
            stream = random_stream(protocol.seed, protocol.replica, "velocities")
            atoms.set_momenta(draw_momenta(atoms, protocol.temperature_k, stream, zero_total_momentum=invariant))
        elif invariant:
            atoms.set_momenta(at_rest(atoms.get_momenta(), atoms))
        if self._description is None:
            self._description = describe(
                self.request.atoms,
                self.potential.provenance,
                protocol,
                self.plan,
                engine.provenance(),
                translation_invariant=invariant,
                degrees_of_freedom=degrees_of_freedom,
                initial_temperature_k=kinetic_temperature_k(atoms, degrees_of_freedom),
            )
            save_description(self.folder, self._description)
        return Checkpoint(
            key=self.key,
            step=0,
            positions=atoms.get_positions(),
            momenta=atoms.get_momenta(),
            cell=np.array(atoms.cell.array),
            integrator_state=None,
        )

    # --------------------------------------------------------------------------------------------- its segments

    def begin_segment(self) -> None:
        """Open the next segment; without room for it the member is over."""
        assert self._checkpoint is not None
        self._segment = OpenSegment(
            self.folder,
            len(self.manifest.segments),
            self._checkpoint,
            self.request.atoms,
            self.description,
            self.plan,
            self.limits,
        )
        try:
            self._segment.reserve()
        except DiskFullError:
            self.finish(self._disk_full())

    def report(self, temperature_k: float) -> None:
        """Tell how far it is, about once a second."""
        assert self._progress is not None
        self._progress.step(self.step, temperature_k)

    def close_segment(self) -> None:
        """Write the segment at its regular end, and ask whether to go on."""
        try:
            self._write_segment()
            outcome = self._judge() if self.plan.is_boundary(self.step) else None
            if self._progress is not None and self.manifest.history:
                self._progress.message = str(self.manifest.history[-1]["message"])
        except DiskFullError:
            outcome = self._disk_full()
        if outcome is None and self.step >= self.plan.total_steps:
            outcome = self._max_length()
        if outcome is not None:
            self.finish(outcome)

    def end(self, outcome: Outcome, flag: str = "") -> None:
        """Write what the segment holds so far, and finish."""
        try:
            self._write_segment(flag)
        except DiskFullError:
            outcome = self._disk_full()
        self.finish(outcome)

    def _write_segment(self, flag: str = "") -> None:
        if self.segment.is_worth_writing:
            self.manifest = self.manifest.with_segment(self.segment.write())
            if flag:
                self.manifest = self.manifest.with_flag(flag)
            save_manifest(self.folder, self.manifest)
            self._checkpoint = self.segment.checkpoint
            self.step = self._checkpoint.step
        self.segment.discard_reservation()

    def _judge(self) -> Outcome | None:
        """Ask health checks and stop rules about the trajectory up to here."""
        rules, checks = self.request.stop_rules, self.request.health_checks
        if not rules and not checks:
            return None
        trajectory = Trajectory(self.folder)
        unhealthy, health_entries = ask_rules(checks, trajectory)
        decisive, rule_entries = ask_rules(rules, trajectory)
        updated = self.manifest.with_verdicts(self.step, health_entries + rule_entries)
        if updated != self.manifest:
            self.manifest = updated
            save_manifest(self.folder, self.manifest)
        if unhealthy is not None:
            return outcome_of("failed", unhealthy, self.step)
        if decisive is not None and self.step >= self.plan.minimum_steps:
            return outcome_of("completed", decisive, self.step)
        return None

    # -------------------------------------------------------------------------------------------------- its end

    def finish(self, outcome: Outcome) -> None:
        """Record how it ended, sum it up and let go of the folder."""
        if outcome != self.manifest.outcome:
            self.manifest = self.manifest.with_outcome(outcome)
            # without room, the outcome is in the result, and the next run finds the same one again
            with suppress(DiskFullError):
                save_manifest(self.folder, self.manifest)
        self.result = build_result(
            Trajectory(self.folder),
            self.manifest,
            self.plan,
            self.limits,
            resumed_from_step=self._resumed_from_step,
            wall_time_s=time.monotonic() - self._began,
        )
        if self._progress is not None and outcome.state != "partial":
            self._progress.ended(self.manifest.last_step)
        self.release()

    def end_by_error(self, error: Exception, verdict: StopVerdict | None = None) -> None:
        """End after an error in the step that follows `step`.

        What superion's own errors say is for whoever asked for the trajectory; anything else that is raised comes from
        the potential, whose run may be tried again.

        Parameters
        ----------
        error : Exception
            What was raised.
        verdict : StopVerdict or None
            What the health watch says of the atoms' places, for results that are not numbers: where an atom was thrown
            out of place before, the dynamics failed and not the potential.
        """
        try:
            raise error
        except NonFiniteResultError:
            if verdict is None:
                raise
            if verdict.reason:
                outcome = outcome_of("failed", verdict, self.step + 1)
            else:
                outcome = self._error(f"At step {self.step + 1} of the dynamics: {error}")
        except SuperionError:
            raise
        except Exception:
            outcome = self._error(
                f"The potential failed at step {self.step + 1} ({_error_text(error)}): mend it and run again."
            )
        self.end(outcome)

    def _error(self, message: str) -> Outcome:
        return Outcome(state="failed", stop_reason="error", message=message, step=self.step)

    def _max_length(self) -> Outcome:
        return Outcome(
            state="completed",
            stop_reason="max_length",
            message=f"The trajectory reached the {self.plan.picoseconds(self.plan.total_steps):g} ps asked for.",
            step=self.step,
        )

    def _disk_full(self) -> Outcome:
        step = self.manifest.last_step
        return Outcome(
            state="partial",
            stop_reason="disk_full",
            message=f"The disk of {self.folder} has no room for the next segment: free some space and run again; "
            f"all {self.plan.picoseconds(step):g} ps up to the last checkpoint are safe.",
            step=step,
        )


def outcome_of(state: RunState, verdict: StopVerdict, step: int) -> Outcome:
    """Turn a verdict with a reason into the way a run ended.

    Parameters
    ----------
    state : str
        completed, partial or failed.
    verdict : StopVerdict
        A verdict with a reason.
    step : int
        MD step at which it ended.

    Returns
    -------
    Outcome
        For the manifest.
    """
    assert verdict.reason is not None
    return Outcome(state=state, stop_reason=verdict.reason, message=verdict.message, step=step)


def _error_text(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
