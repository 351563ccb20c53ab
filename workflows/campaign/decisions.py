"""What a campaign's rules make of what its stages found: who goes on, who waits, who is out, and what is to do next.

All of it follows from three things: the stages with their rules, the candidates with their orderings, and the outcomes
of units by key. Nothing here reads or writes a store, so a changed threshold is judged anew from the same outcomes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ...database.aggregate import aggregate_properties
from ...database.documents.candidate_summary import CandidateStatus, StageSummary
from ...database.properties import PropertyEstimate
from ...errors import SettingsError
from ..selection.rule import Estimates, JudgedCandidate, SelectionRule, Verdict
from .ordering_rank import ENERGY, OrderingRank, rank_orderings

Barrier = tuple[int, int]
"""Positions of a stage and of a rule in it that compares candidates."""

_MOST_ROUNDS = 100
"""How often each comparison may change its verdicts before nothing else does."""


@dataclass(frozen=True)
class StageStep:
    """One stage as a campaign uses it.

    Parameters
    ----------
    name : str
        Name of the stage.
    rules : tuple of SelectionRule
        Who goes on.
    key_of : callable
        The key of the stage's work on a structure, from the structure's fingerprint.
    keep_lowest : int or None
        How many orderings of a candidate go on from this stage where it finds their energies; None for all.
    """

    name: str
    rules: tuple[SelectionRule, ...]
    key_of: Callable[[str], str]
    keep_lowest: int | None = None


@dataclass(frozen=True)
class CandidateEntry:
    """What decisions need to know of a candidate.

    Parameters
    ----------
    candidate_id : str
        Its id.
    fingerprints : tuple of str
        Fingerprints of its ordered structures.
    rejection : str or None
        Why it was turned away before any stage.
    failure : str or None
        Why it could not be made ready for the stages, where that may be tried again.
    properties : mapping of str to PropertyEstimate
        What is known of it without any stage.
    """

    candidate_id: str
    fingerprints: tuple[str, ...]
    rejection: str | None = None
    failure: str | None = None
    properties: Estimates = field(default_factory=dict)


@dataclass(frozen=True)
class StageOutcome:
    """What decisions need to know of a stage document.

    Parameters
    ----------
    stage_key : str
        Key of the unit.
    state : str
        completed, rejected or failed.
    reason : str or None
        Why it was rejected or failed.
    properties : mapping of str to PropertyEstimate
        What it found.
    handed_on : str or None
        Fingerprint of the structure that the next stage starts from; None where it is the one this stage had.
    """

    stage_key: str
    state: Literal["completed", "rejected", "failed"]
    reason: str | None = None
    properties: Estimates = field(default_factory=dict)
    handed_on: str | None = None


@dataclass(frozen=True, order=True)
class Unit:
    """The work of one stage on one ordered structure.

    Parameters
    ----------
    stage_index : int
        Position of the stage in the campaign.
    candidate_id : str
        The candidate, or the first of several that share the structure.
    ordering_index : int
        Which of its orderings.
    stage_key : str
        Key of its outcome.
    fingerprint : str
        Fingerprint of the structure that it starts from.
    source_key : str or None
        Key of the stage document that holds this structure; None where it is the ordering itself.
    """

    stage_index: int
    candidate_id: str
    ordering_index: int
    stage_key: str
    fingerprint: str
    source_key: str | None


@dataclass(frozen=True)
class Decision:
    """Where a candidate stands.

    Parameters
    ----------
    status : str
        waiting, running, held, rejected, failed or done.
    stage : str or None
        Stage that it is in, or that ended it.
    reason : str or None
        Why it was rejected, failed or is held.
    stages : mapping of str to StageSummary
        Stages that it has reached.
    properties : mapping of str to PropertyEstimate
        All that is known of it.
    kept : tuple of bool
        Which of its orderings go on.
    missing : tuple of Unit
        Units that it needs next.
    ranks : tuple of OrderingRank
        Energy and rank of each ordering, and why it does not go on.
    """

    status: CandidateStatus
    stage: str | None
    reason: str | None
    stages: Mapping[str, StageSummary]
    properties: Estimates
    kept: tuple[bool, ...]
    missing: tuple[Unit, ...] = ()
    ranks: tuple[OrderingRank, ...] = ()


@dataclass
class _Comparison:
    """A rule that compares candidates, with those that have come up to it."""

    rule: SelectionRule
    pool: dict[str, JudgedCandidate] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] | None = None
    is_stale: bool = True


@dataclass
class _Alive:
    """An ordering that is still in play."""

    index: int
    fingerprint: str
    source_key: str | None = None


@dataclass
class _Passage:
    """What comes out of a stage of all orderings that went in.

    Parameters
    ----------
    alive : list of _Alive
        Orderings that go on.
    properties : dict of str to PropertyEstimate
        What they say together.
    notes : list of str
        What was left out, and why.
    ranks : dict of int to OrderingRank
        Energies and ranks that the stage found, by index of the ordering.
    lost : dict of int to str
        Why orderings that did not complete it do not go on, by index.
    """

    alive: list[_Alive]
    properties: dict[str, PropertyEstimate]
    notes: list[str]
    ranks: dict[int, OrderingRank]
    lost: dict[int, str]


@dataclass
class _Walk:
    """A candidate's way through the stages, as far as it can be told."""

    decision: Decision
    arrived: dict[Barrier, JudgedCandidate]
    is_out: bool


class CampaignState:
    """Judges candidates as outcomes come in; only those that something has changed for are judged again.

    Parameters
    ----------
    steps : sequence of StageStep
        The stages, in their order.

    Examples
    --------
    >>> step = StageStep("relax", (), key_of=lambda fingerprint: f"relax of {fingerprint}")
    >>> state = CampaignState([step])
    >>> state.add_candidates([CandidateEntry("Li3N", ("abc",))])
    >>> _ = state.refresh()
    >>> [unit.stage_key for unit in state.next_units()]
    ['relax of abc']
    >>> state.add_outcome(StageOutcome("relax of abc", "completed"))
    >>> sorted(state.refresh()), state.decision("Li3N").status
    (['Li3N'], 'done')
    """

    def __init__(self, steps: Sequence[StageStep]) -> None:
        self.steps = list(steps)
        self._entries: dict[str, CandidateEntry] = {}
        self._outcomes: dict[str, StageOutcome] = {}
        self._walks: dict[str, _Walk] = {}
        self._running: set[str] = set()
        self._dirty: set[str] = set()
        self._users: dict[str, set[str]] = {}
        self._wanted: dict[str, Unit] = {}
        self._queue: list[Unit] = []
        self._queued: dict[str, Unit] = {}
        self._keys: dict[tuple[int, str], str] = {}
        self._comparisons: dict[Barrier, _Comparison] = {
            (s, r): _Comparison(rule)
            for s, step in enumerate(self.steps)
            for r, rule in enumerate(step.rules)
            if rule.compares
        }
        self._on_their_way: dict[Barrier, int] = dict.fromkeys(self._comparisons, 0)

    # ------------------------------------------------------------------- input

    def add_candidates(self, entries: Iterable[CandidateEntry]) -> None:
        """Take in candidates; one that is there already is replaced.

        Parameters
        ----------
        entries : iterable of CandidateEntry
            Candidates.
        """
        for entry in entries:
            self._entries[entry.candidate_id] = entry
            self._dirty.add(entry.candidate_id)

    def add_outcome(self, outcome: StageOutcome) -> None:
        """Take in what a unit found; a newer outcome of the same unit replaces the older.

        Parameters
        ----------
        outcome : StageOutcome
            The outcome.
        """
        if self._outcomes.get(outcome.stage_key) == outcome:
            return
        self._outcomes[outcome.stage_key] = outcome
        self._dirty |= self._users.get(outcome.stage_key, set())

    def forget_outcome(self, stage_key: str) -> None:
        """Take an outcome out, so that its unit is wanted again.

        Parameters
        ----------
        stage_key : str
            Key of the unit.
        """
        if self._outcomes.pop(stage_key, None) is not None:
            self._dirty |= self._users.get(stage_key, set())

    def set_running(self, stage_key: str, is_running: bool) -> None:
        """Note that a unit is being computed, or no more.

        Parameters
        ----------
        stage_key : str
            Key of the unit.
        is_running : bool
            Whether it is.
        """
        if is_running == (stage_key in self._running):
            return
        (self._running.add if is_running else self._running.discard)(stage_key)
        self._dirty |= self._users.get(stage_key, set())

    # ------------------------------------------------------------------ output

    @property
    def candidate_ids(self) -> list[str]:
        """Ids of all candidates, sorted."""
        return sorted(self._entries)

    def fingerprints(self, candidate_id: str) -> tuple[str, ...]:
        """Give the fingerprints of the ordered structures that a candidate is judged by.

        Parameters
        ----------
        candidate_id : str
            Its id.

        Returns
        -------
        tuple of str
            In their order.
        """
        return self._entries[candidate_id].fingerprints

    def has_outcome(self, stage_key: str) -> bool:
        """Say whether the outcome of a unit is known.

        Parameters
        ----------
        stage_key : str
            Key of the unit.

        Returns
        -------
        bool
            True for failed ones too.
        """
        return stage_key in self._outcomes

    def outcome(self, stage_key: str) -> StageOutcome | None:
        """Give the outcome of a unit.

        Parameters
        ----------
        stage_key : str
            Key of the unit.

        Returns
        -------
        StageOutcome or None
            None where there is none.
        """
        return self._outcomes.get(stage_key)

    def decision(self, candidate_id: str) -> Decision:
        """Say where a candidate stands, as of the last `refresh`.

        Parameters
        ----------
        candidate_id : str
            Its id.

        Returns
        -------
        Decision
            Status, stages, properties, and what is to do.
        """
        return self._walks[candidate_id].decision

    def wanted_units(self) -> list[Unit]:
        """List all units that have no outcome and are wanted now.

        Returns
        -------
        list of Unit
            Running ones included.
        """
        return list(self._wanted.values())

    def wanted_unit(self, stage_key: str) -> Unit | None:
        """Give a unit that has no outcome and is wanted now.

        Parameters
        ----------
        stage_key : str
            Its key.

        Returns
        -------
        Unit or None
            None where nobody wants it.
        """
        return self._wanted.get(stage_key)

    def next_units(self) -> Iterator[Unit]:
        """Take units to compute out of the queue: early stages first, then by candidate.

        Yields
        ------
        Unit
            Each once; it comes again only after its outcome was forgotten or `put_back`.
        """
        while self._queue:
            unit = heapq.heappop(self._queue)
            if self._queued.get(unit.stage_key) != unit:
                continue
            del self._queued[unit.stage_key]
            if self._wanted.get(unit.stage_key) == unit and unit.stage_key not in self._running:
                yield unit

    def put_back(self, unit: Unit) -> None:
        """Put a unit that was taken, but not computed, back into the queue.

        Parameters
        ----------
        unit : Unit
            What `next_units` gave.
        """
        if self._queued.get(unit.stage_key) != unit:
            self._queued[unit.stage_key] = unit
            heapq.heappush(self._queue, unit)

    def refresh(self) -> set[str]:
        """Judge again what has changed.

        Returns
        -------
        set of str
            Ids of the candidates whose decision is another one now.

        Raises
        ------
        SettingsError
            If a rule of another package raises, leaves a candidate out, or takes its own verdicts back for ever.
        """
        changed: set[str] = set()
        for _ in range(_MOST_ROUNDS * (1 + len(self._comparisons))):
            for candidate_id in sorted(self._dirty):
                if self._judge(candidate_id):
                    changed.add(candidate_id)
            self._dirty.clear()
            for barrier, comparison in self._comparisons.items():
                self._dirty |= self._compare(barrier, comparison)
                if self._dirty:
                    # Later comparisons depend on this one.
                    break
            if not self._dirty:
                return changed
        names = ", ".join(sorted({comparison.rule.rule for comparison in self._comparisons.values()}))
        raise SettingsError(
            f"The rules that compare candidates ({names}) do not converge, because one keeps changing its verdicts: "
            "this is a bug in the package that registers it."
        )

    # ------------------------------------------------------------------ inside

    def _compare(self, barrier: Barrier, comparison: _Comparison) -> set[str]:
        """Bring the verdicts of one comparison up to date; give the candidates for whom they have changed."""
        before = comparison.verdicts
        if self._on_their_way[barrier]:
            comparison.verdicts = None
            return set() if before is None else set(comparison.pool)
        if before is not None and not comparison.is_stale:
            return set()
        comparison.is_stale = False
        comparison.verdicts = _judged(comparison.rule, dict(sorted(comparison.pool.items())))
        return {
            candidate_id
            for candidate_id, verdict in comparison.verdicts.items()
            if before is None or before.get(candidate_id) != verdict
        }

    def _judge(self, candidate_id: str) -> bool:
        """Judge one candidate and take the consequences; say whether anything is new."""
        old = self._walks.get(candidate_id)
        new = self._walk(self._entries[candidate_id])
        self._walks[candidate_id] = new
        for barrier, comparison in self._comparisons.items():
            was_coming = old is not None and not old.is_out and barrier not in old.arrived
            is_coming = not new.is_out and barrier not in new.arrived
            self._on_their_way[barrier] += is_coming - was_coming
            was_there, is_there = old is not None and barrier in old.arrived, barrier in new.arrived
            if is_there and (not was_there or comparison.pool[candidate_id] != new.arrived[barrier]):
                comparison.pool[candidate_id] = new.arrived[barrier]
                comparison.is_stale = True
            elif was_there and not is_there:
                del comparison.pool[candidate_id]
                comparison.is_stale = True
        self._want(candidate_id, old, new)
        return old is None or old.decision != new.decision

    def _want(self, candidate_id: str, old: _Walk | None, new: _Walk) -> None:
        """Queue what a candidate needs now, and drop what nobody needs any more."""
        before = set() if old is None else _keys_of(old.decision)
        after = _keys_of(new.decision)
        for key in after - before:
            self._users.setdefault(key, set()).add(candidate_id)
        for key in before - after:
            self._users[key].discard(candidate_id)
            if not self._users[key]:
                del self._users[key]
        missing = {unit.stage_key: unit for unit in new.decision.missing}
        for unit in () if old is None else old.decision.missing:
            known = self._wanted.get(unit.stage_key)
            if known is not None and unit.stage_key not in missing and not self._is_missed_by_others(unit.stage_key):
                del self._wanted[unit.stage_key]
        for key, unit in missing.items():
            if key not in self._wanted:
                self._wanted[key] = unit
                self.put_back(unit)

    def _is_missed_by_others(self, stage_key: str) -> bool:
        """Whether another candidate waits for a unit."""
        return stage_key not in self._outcomes and any(
            unit.stage_key == stage_key
            for user in self._users.get(stage_key, ())
            if user in self._walks
            for unit in self._walks[user].decision.missing
        )

    def _key(self, stage_index: int, fingerprint: str) -> str:
        found = self._keys.get((stage_index, fingerprint))
        if found is None:
            found = self._keys[stage_index, fingerprint] = self.steps[stage_index].key_of(fingerprint)
        return found

    def _walk(self, entry: CandidateEntry) -> _Walk:
        """Follow a candidate through the stages until it must wait, is out, or is through."""
        properties = dict(entry.properties)
        stages: dict[str, StageSummary] = {}
        arrived: dict[Barrier, JudgedCandidate] = {}
        passed: set[Barrier] = set()
        alive = [_Alive(index, fingerprint) for index, fingerprint in enumerate(entry.fingerprints)]
        ranks = [OrderingRank()] * len(alive)

        def end(status: CandidateStatus, stage: str | None, reason: str | None, *missing: Unit) -> _Walk:
            indices = {ordering.index for ordering in alive}
            kept = tuple(index in indices for index in range(len(entry.fingerprints)))
            decision = Decision(status, stage, reason, stages, properties, kept, missing, tuple(ranks))
            is_out = status in ("rejected", "failed")
            for barrier, known in arrived.items():
                if self._comparisons[barrier].rule.learns:
                    is_over = barrier in passed and (is_out or status == "done")
                    arrived[barrier] = _with_later(known, properties, is_over)
            return _Walk(decision, arrived, is_out)

        if entry.rejection is not None:
            return end("rejected", None, entry.rejection)
        if entry.failure is not None:
            return end("failed", None, entry.failure)
        for s, step in enumerate(self.steps):
            keys = [self._key(s, ordering.fingerprint) for ordering in alive]
            outcomes = [self._outcomes.get(key) for key in keys]
            found = [outcome for outcome in outcomes if outcome is not None]
            if len(found) < len(keys):
                missing = [
                    Unit(s, entry.candidate_id, ordering.index, key, ordering.fingerprint, ordering.source_key)
                    for ordering, key, outcome in zip(alive, keys, outcomes, strict=True)
                    if outcome is None
                ]
                state: Literal["running", "waiting"] = "running" if self._running & set(keys) else "waiting"
                stages[step.name] = StageSummary(state=state, stage_keys=keys)
                return end(state, step.name, None, *missing)
            lost = [outcome for outcome in found if outcome.state != "completed"]
            if len(lost) == len(found):
                # A failure may be mended by a retry; a rejection is final.
                worst = next((outcome for outcome in lost if outcome.state == "failed"), lost[0])
                final: Literal["rejected", "failed"] = "failed" if worst.state == "failed" else "rejected"
                stages[step.name] = StageSummary(state=final, reason=worst.reason, stage_keys=keys)
                return end(final, step.name, worst.reason)
            passage = _pass_stage(step, alive, found)
            properties |= passage.properties
            notes = passage.notes
            alive = passage.alive
            for index, rank in passage.ranks.items():
                ranks[index] = rank
            for index, why in passage.lost.items():
                ranks[index] = replace(ranks[index], left_out=why)
            for r, rule in enumerate(step.rules):
                verdict = self._apply(entry.candidate_id, (s, r), rule, properties, arrived)
                if verdict is None or verdict.is_held:
                    reason = f"on hold until all candidates have completed {step.name}, where they are compared"
                    if verdict is not None:
                        reason = (
                            verdict.reason or f"on hold until results of other candidates after {step.name} are known"
                        )
                    stages[step.name] = StageSummary(state="held", reason=reason, stage_keys=keys, notes=notes)
                    self._look_ahead(s + 1, alive, properties)
                    return end("held", step.name, reason)
                if verdict.note is not None:
                    notes.append(verdict.note)
                if not verdict.kept:
                    stages[step.name] = StageSummary(
                        state="rejected", reason=verdict.reason, stage_keys=keys, notes=notes
                    )
                    self._look_ahead(s + 1, alive, properties)
                    return end("rejected", step.name, verdict.reason)
                passed.add((s, r))
            stages[step.name] = StageSummary(state="passed", stage_keys=keys, notes=notes)
        return end("done", self.steps[-1].name if self.steps else None, None)

    def _apply(
        self,
        candidate_id: str,
        barrier: Barrier,
        rule: SelectionRule,
        properties: Estimates,
        arrived: dict[Barrier, JudgedCandidate],
    ) -> Verdict | None:
        """Judge by one rule; None where the others must come first."""
        known = JudgedCandidate(dict(properties))
        if not rule.compares:
            return _judged(rule, {candidate_id: known})[candidate_id]
        arrived[barrier] = known
        verdicts = self._comparisons[barrier].verdicts
        return None if verdicts is None else verdicts.get(candidate_id)

    def _look_ahead(self, stage_index: int, alive: list[_Alive], properties: dict[str, PropertyEstimate]) -> None:
        """Add what later stages found before a rule was changed: the candidate stays out, its numbers stay known."""
        for s in range(stage_index, len(self.steps)):
            outcomes = [self._outcomes.get(self._key(s, ordering.fingerprint)) for ordering in alive]
            found = [outcome for outcome in outcomes if outcome is not None]
            if len(found) < len(outcomes) or not any(outcome.state == "completed" for outcome in found):
                return
            passage = _pass_stage(self.steps[s], alive, found)
            properties |= passage.properties
            alive = passage.alive


def _judged(rule: SelectionRule, candidates: Mapping[str, JudgedCandidate]) -> Mapping[str, Verdict]:
    """Ask a rule, which may be anybody's."""
    try:
        verdicts = rule.judge(candidates)
    except Exception as error:
        raise SettingsError(
            f"The selection rule '{rule.rule}' fails ({type(error).__name__}: {error}): mend the package that it is "
            "from."
        ) from error
    for candidate_id in candidates:
        if candidate_id not in verdicts:
            raise SettingsError(
                f"The selection rule '{rule.rule}' says nothing of the candidate {candidate_id}: mend the package that "
                "it is from."
            )
    return verdicts


def _with_later(known: JudgedCandidate, properties: Estimates, is_over: bool) -> JudgedCandidate:
    """Add what was found behind a rule."""
    later = {name: found for name, found in properties.items() if known.properties.get(name) != found}
    return replace(known, later=later, is_over=is_over)


def _keys_of(decision: Decision) -> set[str]:
    """Keys that a decision counts on."""
    return {key for stage in decision.stages.values() for key in stage.stage_keys}


def _pass_stage(step: StageStep, alive: Sequence[_Alive], outcomes: Sequence[StageOutcome]) -> _Passage:
    """Bring together what a stage found of all orderings, at least one of which completed it.

    Orderings that were lost say nothing, and neither do those that are left out by their energy.
    """
    notes = []
    lost = {}
    completed = []
    for ordering, outcome in zip(alive, outcomes, strict=True):
        if outcome.state == "completed":
            completed.append((ordering, outcome))
            continue
        notes.append(f"left out an ordering that was {outcome.state}: {outcome.reason}")
        lost[ordering.index] = f"{outcome.state} in the stage {step.name}: {outcome.reason}"
    ranks = _rank(step, completed)
    left_out = {index for index, rank in ranks.items() if rank.left_out is not None}
    going = [(ordering, outcome) for ordering, outcome in completed if ordering.index not in left_out]
    if left_out:
        notes.append(f"left out {len(left_out)} of {len(completed)} orderings by their energy")
    together = aggregate_properties([outcome.properties for _, outcome in going])
    handed_on = [
        ordering if outcome.handed_on is None else _Alive(ordering.index, outcome.handed_on, outcome.stage_key)
        for ordering, outcome in going
    ]
    return _Passage(handed_on, together.properties, [*together.notes, *notes], ranks, lost)


def _rank(step: StageStep, completed: Sequence[tuple[_Alive, StageOutcome]]) -> dict[int, OrderingRank]:
    """Rank orderings where a stage found energies of them."""
    energies = [outcome.properties.get(ENERGY) for _, outcome in completed]
    if all(energy is None for energy in energies):
        return {}
    ranked = rank_orderings(energies, step.keep_lowest)
    return {ordering.index: rank for (ordering, _), rank in zip(completed, ranked, strict=True)}
