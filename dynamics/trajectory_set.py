"""Advance a set of trajectories: what is common to all MD engines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from .engines.engine import MdEngine
from .health import HealthWatch, StepStates
from .manifest import Outcome
from .member import Member, outcome_of
from .stop_request import StopRequest


class TrajectorySet:
    """Members that an engine moves on together; each enters, ends its segments and leaves by itself.

    Parameters
    ----------
    engine : MdEngine
        What integrates.
    members : sequence of Member
        The trajectories, in the order in which they enter as there is room.
    stop : StopRequest
        Signals and wall time, which stop all of them.
    """

    def __init__(self, engine: MdEngine[Any], members: Sequence[Member], stop: StopRequest) -> None:
        self._engine = engine
        self._stop = stop
        self._members = tuple(members)
        self._waiting = deque(members)
        self._at_boundary: list[Member] = []
        self._running: list[Member] = []
        self._batch: Any = None
        self._watch = HealthWatch(())
        self._has_advanced = False

    def run(self) -> None:
        """Advance the members until each is over, or the run is stopped; those that wait then have not begun."""
        try:
            while True:
                self._admit(self._next_members())
                if not self._running:
                    if not self._waiting or self._is_stopped():
                        return
                    continue
                self._advance()
        finally:
            for member in self._members:
                member.release()

    def _is_stopped(self) -> bool:
        return self._has_advanced and self._stop.reason() is not None

    # ------------------------------------------------------------------------------------------------- entering

    def _next_members(self) -> list[Member]:
        """Give those that begin a segment: members that ended one, and as many of those that wait as have room."""
        entering, self._at_boundary = self._at_boundary, []
        while self._waiting:
            inside = [member.request.atoms for member in (*self._running, *entering)]
            if inside and not self._engine.has_room(inside, self._waiting[0].request.atoms):
                break
            if self._is_stopped():
                break
            member = self._waiting.popleft()
            with member.capturing_errors():
                member.open()
                if not member.is_over:
                    member.prepare(self._engine)
                    entering.append(member)
        for member in entering:
            with member.capturing_errors():
                member.begin_segment()
        return _unfinished(entering)

    def _admit(self, entering: list[Member]) -> None:
        """Hand members to the engine, and look at those that have not moved yet."""
        if not entering:
            return
        try:
            batch = self._engine.init([member.segment.engine_start() for member in entering])
            first = [place for place, member in enumerate(entering) if member.segment.lacks_first_frame]
            states = self._engine.measure(batch) if first else None
            snapshots = self._engine.snapshots(batch, first) if first else []
        except Exception as error:
            if len(entering) == 1:
                with entering[0].capturing_errors():
                    entering[0].end_by_error(error)
                return
            # one of them is to blame, and it must not cost the others their run
            for member in entering:
                self._admit([member])
            return
        before = len(self._running)
        self._batch = self._engine.join(self._batch, batch) if before else batch
        self._running = [*self._running, *entering]
        self._watch = HealthWatch([member.health_limits() for member in self._running])
        if states is not None:
            watch = HealthWatch([member.health_limits() for member in entering])
            for place, snapshot in zip(first, snapshots, strict=True):
                verdict = watch.verdict(place, 0, states)
                with entering[place].capturing_errors():
                    if verdict.reason:
                        entering[place].end(outcome_of("failed", verdict, 0))
                    else:
                        entering[place].segment.record(0, snapshot)
            self._release_members()

    # ------------------------------------------------------------------------------------------------- advancing

    def _advance(self) -> None:
        """Step until the next frame of any member, or until one leaves."""
        n_steps = min(member.steps_to_next_frame for member in self._running)
        self._has_advanced = True
        for _ in range(n_steps):
            reason = self._stop.reason()
            if reason is not None:
                self._stop_all(reason)
                return
            try:
                self._batch, states = self._engine.step(self._batch)
            except Exception as error:
                self._end_all(error)
                return
            if self._count_step(states):
                break
        self._record_frames()

    def _count_step(self, states: StepStates) -> bool:
        """Count a step of every member; end those that it did not leave healthy, and say whether there are any."""
        ended = {*states.errors, *self._watch.unhealthy(states)}
        for place in sorted(ended):
            member = self._running[place]
            with member.capturing_errors():
                if place in states.errors:
                    verdict = self._watch.geometry_verdict(place, member.step + 1, states)
                    member.end_by_error(states.errors[place], verdict)
                else:
                    step = member.step + 1
                    member.end(outcome_of("failed", self._watch.verdict(place, step, states), step))
        for place, (member, temperature_k) in enumerate(zip(self._running, states.temperatures_k, strict=True)):
            if place not in ended:
                member.step += 1
                member.report(temperature_k)
        if ended:
            self._release_members()
        return bool(ended)

    def _record_frames(self) -> None:
        """Store the frames that are due, and close the segments that are full."""
        due = [place for place, member in enumerate(self._running) if member.step % member.plan.frame_steps == 0]
        if not due:
            return
        try:
            snapshots = self._engine.snapshots(self._batch, due)
        except Exception as error:
            self._end_all(error)
            return
        at_boundary = []
        for place, snapshot in zip(due, snapshots, strict=True):
            member = self._running[place]
            with member.capturing_errors():
                member.segment.record(member.step, snapshot)
                if member.step >= member.segment.end_step:
                    at_boundary.append(member)
                    member.close_segment()
        self._at_boundary = _unfinished(at_boundary)
        self._release_members(self._at_boundary)

    def _release_members(self, also: Iterable[Member] = ()) -> None:
        """Take members that are over out of the set, and those that begin a new segment."""
        leaving = {id(member) for member in also}
        kept = [place for place, member in enumerate(self._running) if not member.is_over and id(member) not in leaving]
        if len(kept) == len(self._running):
            return
        self._batch = self._engine.select(self._batch, kept) if kept else None
        self._running = [self._running[place] for place in kept]
        self._watch = HealthWatch([member.health_limits() for member in self._running])

    # -------------------------------------------------------------------------------------------------- stopping

    def _stop_all(self, reason: Literal["signal", "walltime"]) -> None:
        """Keep the state of every member at a step between two regular checkpoints."""
        moved = [place for place, member in enumerate(self._running) if member.step > member.segment.start_step]
        try:
            snapshots = dict(zip(moved, self._engine.snapshots(self._batch, moved), strict=True))
            for place, snapshot in snapshots.items():
                self._running[place].segment.keep(self._running[place].step, snapshot)
            inexact = {place for place in moved if not self._engine.restart_is_exact(self._batch, place)}
        except Exception as error:
            self._end_all(error)
            return
        for place, member in enumerate(self._running):
            flag = (
                f"Stopped and continued at step {member.step} with a potential whose neighbour list depends on earlier "
                "steps: from there the trajectory may differ in the last bits from an uninterrupted one."
            )
            with member.capturing_errors():
                member.end(self._stopped(member, reason), flag if place in inexact else "")
        self._running = []

    def _end_all(self, error: Exception) -> None:
        """End every member, because the engine says not whose error it is; each may be tried again."""
        for member in self._running:
            with member.capturing_errors():
                member.end_by_error(error)
        self._running = []

    def _stopped(self, member: Member, reason: Literal["signal", "walltime"]) -> Outcome:
        limit = member.limits.max_runtime_s
        cause = {
            "signal": f"the signal {self._stop.signal_name}",
            "walltime": "the wall-time limit" if limit is None else f"the wall-time limit of {limit:g} s",
        }[reason]
        message = f"Stopped at {member.plan.picoseconds(member.step):g} ps by {cause}; run again to continue."
        return Outcome(state="partial", stop_reason=reason, message=message, step=member.step)


def _unfinished(members: Iterable[Member]) -> list[Member]:
    return [member for member in members if not member.is_over]
