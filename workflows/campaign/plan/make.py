"""Planning a campaign: candidates, work, cost, and what is there already."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ....errors import PotentialError, StructureError
from ....structures.fingerprint import structure_fingerprint
from ....structures.occupancy import is_full
from ...candidates.collect import Candidate, CollectedCandidates, KnownCandidates, collect_candidates
from ...dispatch.processors import available_cores
from ..decisions import CampaignState, CandidateEntry
from ..file.missing_here import missing_here
from ..file.model import CampaignFile
from ..known_candidates import known_candidates
from ..ordering_rank import ENERGY
from ..outcomes import load_outcomes
from ..prepared import PreparedCampaign
from ..rows import entry_of
from .documents import CampaignPlan, PlannedOrdering, PlannedRejection, PlannedSource, PlannedStage, TimedCell
from .shared import plan_shared_works
from .stand_in import stand_in
from .timing import StepTime, fit_step_time, time_potential

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ....database.campaigns import CampaignCollections
    from ....database.documents.candidate_summary import CandidateSummary

SAMPLE = 100
"""Candidates whose work is counted in full; the others are taken to be like them."""

ORDERING_SAMPLE = 3
"""Disordered candidates that are ordered to see how long it takes."""


@dataclass
class _Clock:
    """How long the parts of planning took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - start


def plan_campaign(
    campaign: CampaignFile,
    base_folder: str | Path,
    collections: CampaignCollections | None = None,
    *,
    with_timing: bool = True,
) -> CampaignPlan:
    """Find out what a campaign would do and cost.

    Parameters
    ----------
    campaign : CampaignFile
        The campaign.
    base_folder : str or Path
        Folder of its file.
    collections : CampaignCollections, optional
        The store, to see what would be reused; nothing is if None.
    with_timing : bool
        Whether to load the potential and time it; without, there is no cost.

    Returns
    -------
    CampaignPlan
        Counts, rejections, cost and reuse.

    Raises
    ------
    SettingsError
        If a source as a whole cannot be read.
    """
    clock = _Clock()
    prepared = PreparedCampaign(campaign.name, campaign)
    notes = [sentence for _, sentence in missing_here(campaign)]
    if any(prepared.distillations):
        notes.append(
            "students are not there yet: the cost leaves their training out and times their dynamics with the "
            "teacher, which is slower"
        )
    with clock.part("reading candidates"):
        rows = _known_rows(campaign.name, collections)
        known = KnownCandidates() if collections is None else known_candidates(rows.values(), collections)
        collected = collect_candidates(campaign, base_folder, known=known)
    fresh = [candidate for candidate in collected.candidates if candidate.candidate_id not in rows]
    with clock.part("checking candidates"):
        usable, turned_away = _check_candidates(collected.candidates, rows, campaign)
    disordered = [candidate for candidate in usable if not _is_ordered(candidate.structure)]
    with clock.part("ordering a sample"):
        ordering = _plan_ordering(disordered, rows, campaign)
    with clock.part("looking for results"):
        units, reused = _count_units(prepared, usable, rows, collections)
    with clock.part("counting steps"):
        sample = _Sample.draw(prepared, usable, ordering.growth)
    timings: dict[str, list[TimedCell]] = {}
    if with_timing:
        with clock.part("timing the potential"):
            timings, why_not = _timings(prepared, sample)
            notes += why_not
    else:
        notes.append("the potential was not timed, so there is no cost")
    step_times = [_step_time(timings.get(_potential_key(prepared, index))) for index in range(len(prepared.stages))]
    stages = _plan_stages(prepared, sample, units, reused, bool(timings), step_times)
    with clock.part("counting shared work"):
        shared_works, why_not = plan_shared_works(prepared, sample.structures, collections, step_times)
        notes += why_not
    each_hours = [stage.core_hours for stage in stages] + [work.core_hours for work in shared_works]
    known_hours = [part for part in each_hours if part is not None]
    hours = sum(known_hours) if len(known_hours) == len(each_hours) else None
    workers = campaign.dispatch.n_parallel(available_cores())
    limit = campaign.limits.maximum_core_hours
    if hours is not None and limit is not None and hours > limit:
        notes.append(
            f"about {hours:.3g} core-hours are more than limits.maximum_core_hours = {limit:g}: the campaign may "
            "stop there before it is through"
        )
    return CampaignPlan(
        name=campaign.name,
        sources=tuple(PlannedSource(**vars(source)) for source in collected.sources),
        n_candidates=len(collected.candidates),
        n_known=len(collected.candidates) - len(fresh),
        n_without_mobile_ion=_count_without(collected, prepared.ion[0]),
        n_usable=len(usable),
        rejected=(
            *(
                PlannedRejection(
                    label=item.label, source=item.origin.source, identifier=item.origin.identifier, reason=item.reason
                )
                for item in collected.rejected
            ),
            *turned_away,
        ),
        ordering=ordering,
        stages=tuple(stages),
        shared_works=shared_works,
        timings=tuple(timed for of_one in timings.values() for timed in of_one),
        core_hours=hours,
        workers=workers,
        wall_hours=None if hours is None else hours / workers,
        seconds=clock.seconds,
        notes=tuple(dict.fromkeys(notes)),
    )


def _is_ordered(structure: Structure) -> bool:
    return all(is_full(site) for site in structure)


def _count_without(collected: CollectedCandidates, symbol: str) -> int:
    return sum(symbol not in _symbols(candidate.structure) for candidate in collected.candidates)


def _symbols(structure: Structure) -> set[str]:
    return {species.symbol for site in structure for species in site.species}


def _check_candidates(
    candidates: Sequence[Candidate], rows: dict[str, CandidateSummary], campaign: CampaignFile
) -> tuple[list[Candidate], list[PlannedRejection]]:
    """Part the candidates that a submission would take from those that it would turn away, by the same check."""
    from pymatgen.core import Composition

    from ....structures.orderings import check_candidate

    arguments = campaign.check_arguments()
    usable, turned_away = [], []
    for candidate in candidates:
        row = rows.get(candidate.candidate_id)
        formula = candidate.expected_composition
        if row is not None and row.orderings:
            usable.append(candidate)
            continue
        try:
            check_candidate(
                candidate.structure,
                expected_composition=None if formula is None else Composition(formula),
                **arguments,
            )
        except StructureError as error:
            origin = candidate.origins[0]
            turned_away.append(
                PlannedRejection(
                    label=candidate.label, source=origin.source, identifier=origin.identifier, reason=str(error)
                )
            )
        else:
            usable.append(candidate)
    return usable, turned_away


def _known_rows(campaign_id: str, collections: CampaignCollections | None) -> dict[str, CandidateSummary]:
    """Read the rows of an earlier submission."""
    if collections is None:
        return {}
    return {row.candidate_id: row for row in collections.iter_rows(campaign_id)}


# ------------------------------------------------------------------ ordering


def _plan_ordering(
    disordered: Sequence[Candidate], rows: dict[str, CandidateSummary], campaign: CampaignFile
) -> PlannedOrdering:
    """Order a few candidates of different sizes to see how it goes."""
    from pymatgen.core import Composition

    from ....structures.orderings import order_candidates

    waiting = sorted(
        (candidate for candidate in disordered if candidate.candidate_id not in rows),
        key=lambda candidate: (candidate.structure.composition.num_atoms, candidate.candidate_id),
    )
    seconds, growths, reasons = [], [], []
    for candidate in _evenly(waiting, ORDERING_SAMPLE):
        formula = candidate.expected_composition
        start = time.perf_counter()
        try:
            found = order_candidates(
                candidate.structure,
                expected_composition=None if formula is None else Composition(formula),
                **campaign.ordering_arguments(),
            )
        except StructureError as error:
            reasons.append(f"{candidate.label}: {error}")
        else:
            growths.append(len(found.orderings[0].structure) / candidate.structure.composition.num_atoms)
        seconds.append(time.perf_counter() - start)
    return PlannedOrdering(
        n_disordered=len(disordered),
        n_already_ordered=len(disordered) - len(waiting),
        n_sampled=len(seconds),
        n_failed=len(reasons),
        reasons=tuple(reasons),
        seconds_per_candidate=statistics.fmean(seconds) if seconds else None,
        growth=statistics.median(growths) if growths else 1.0,
    )


def _evenly(items: Sequence[Candidate], number: int) -> list[Candidate]:
    """Take some items, evenly spaced, from the middle of equal portions."""
    if len(items) <= number:
        return list(items)
    return [items[(2 * position + 1) * len(items) // (2 * number)] for position in range(number)]


# ------------------------------------------------------------------ reuse


def _count_units(
    prepared: PreparedCampaign,
    candidates: Sequence[Candidate],
    rows: dict[str, CandidateSummary],
    collections: CampaignCollections | None,
) -> tuple[list[int], list[int]]:
    """Count for each stage the ordered structures that come to it, and those whose result is in the store."""
    entries = [_entry(candidate, rows, prepared.file.ordering.n_orderings) for candidate in candidates]
    known = [entry for entry in entries if isinstance(entry, CandidateEntry)]
    numbers = [entry if isinstance(entry, int) else len(entry.fingerprints) for entry in entries]
    n_units = [
        sum(number if most is None else min(number, most) for number in numbers) for most in _most_orderings(prepared)
    ]
    reused = [0] * len(prepared.steps)
    if collections is None or not known:
        return n_units, reused
    state = CampaignState(prepared.steps)
    state.add_candidates(known)
    load_outcomes(state, collections)
    for entry in known:
        stages = state.decision(entry.candidate_id).stages
        for index, step in enumerate(prepared.steps):
            summary = stages.get(step.name)
            if summary is not None:
                reused[index] += sum(state.has_outcome(key) for key in summary.stage_keys)
    return n_units, reused


def _most_orderings(prepared: PreparedCampaign) -> list[int | None]:
    """Say for each stage how many orderings of a candidate come to it at most; None for all."""
    most: list[int | None] = []
    limit = None
    for stage, _ in prepared.stages:
        most.append(limit)
        if ENERGY in stage.properties and prepared.file.ordering.keep_lowest is not None:
            limit = prepared.file.ordering.keep_lowest
    return most


def _entry(candidate: Candidate, rows: dict[str, CandidateSummary], n_orderings: int) -> CandidateEntry | int:
    """Give what is known of a candidate's orderings, or else how many there may be."""
    row = rows.get(candidate.candidate_id)
    if row is not None:
        return entry_of(row)
    if _is_ordered(candidate.structure):
        return CandidateEntry(candidate.candidate_id, (structure_fingerprint(candidate.structure),))
    return n_orderings


# ------------------------------------------------------------------ cost


@dataclass(frozen=True)
class _Sample:
    """Some candidates, and the work of each stage on them.

    Parameters
    ----------
    structures : tuple of Structure
        Ordered ones, or stand-ins.
    work : tuple of tuple
        For each stage, pairs of steps and atoms over the whole sample.
    growth : float
        By how much ordering lets a disordered cell grow.
    """

    structures: tuple[Structure, ...]
    work: tuple[tuple[tuple[int, int], ...], ...]

    @classmethod
    def draw(cls, prepared: PreparedCampaign, candidates: Sequence[Candidate], growth: float) -> _Sample:
        symbol = prepared.ion[0]
        with_ion = sorted(
            (candidate for candidate in candidates if symbol in _symbols(candidate.structure)),
            key=lambda candidate: (candidate.structure.composition.num_atoms, candidate.candidate_id),
        )
        structures = [_typical(candidate.structure, growth) for candidate in _evenly(with_ion, SAMPLE)]
        work = []
        for index, (stage, settings) in enumerate(prepared.stages):
            context = prepared.context(index, "plan")
            parts = [stage.estimated_steps(structure, settings, context) for structure in structures]
            work.append(tuple(part for one in parts for part in one))
        return cls(tuple(structures), tuple(work))

    def sizes(self, stages: Sequence[int]) -> list[int]:
        """Numbers of atoms of the cells that some stages compute, each as often as it takes steps, at most a thousand.

        The stages are named by their positions.
        """
        weighted = [(n_atoms, n_steps) for index in stages for n_steps, n_atoms in self.work[index] if n_steps > 0]
        total = sum(n_steps for _, n_steps in weighted)
        return sorted(n_atoms for n_atoms, n_steps in weighted for _ in range(max(1, round(1000 * n_steps / total))))


def _typical(structure: Structure, growth: float) -> Structure:
    """Give an ordered structure of the size that ordering would give."""
    cell = stand_in(structure)
    if not _is_ordered(structure) and round(growth) > 1:
        repeats = [1, 1, 1]
        for _ in range(round(growth).bit_length() - 1):
            shortest = min(range(3), key=lambda axis: cell.lattice.abc[axis] * repeats[axis])
            repeats[shortest] *= 2
        cell.make_supercell(repeats)
    return cell


def _timings(prepared: PreparedCampaign, sample: _Sample) -> tuple[dict[str, list[TimedCell]], list[str]]:
    """Time each potential on a small, a typical and a large cell of the stages that compute with it."""
    timings, notes = {}, []
    stages_of: dict[str, list[int]] = {}
    for index in range(len(prepared.stages)):
        stages_of.setdefault(_potential_key(prepared, index), []).append(index)
    for key, stages in stages_of.items():
        sizes = sample.sizes(stages)
        if not sizes:
            continue
        quantiles = [sizes[0], sizes[len(sizes) // 2], sizes[-1]]
        structures = [sample.structures[position] for position in sorted({0, len(sample.structures) // 2, -1})]
        try:
            found, why_not = time_potential(prepared.context(stages[0], "plan").potential, structures, quantiles)
        except PotentialError as error:
            found, why_not = [], [f"no timing: {error}"]
        notes += why_not
        if found:
            timings[key] = found
    return timings, notes


def _potential_key(prepared: PreparedCampaign, stage_index: int) -> str:
    """Tell the potentials of stages apart, by all that a file can say of them."""
    return prepared.context(stage_index, "plan").potential.model_dump_json()


def _step_time(timed: Sequence[TimedCell] | None) -> StepTime | None:
    return fit_step_time(timed) if timed else None


def _plan_stages(
    prepared: PreparedCampaign,
    sample: _Sample,
    units: Sequence[int],
    reused: Sequence[int],
    is_timed: bool,
    step_times: Sequence[StepTime | None],
) -> list[PlannedStage]:
    """Scale the work of the sample to all units that have no result."""
    planned = []
    columns = zip(prepared.stages, sample.work, units, reused, step_times, strict=True)
    for (stage, _), work, n_units, n_reused, step_time in columns:
        share = (n_units - n_reused) / len(sample.structures) if sample.structures else 0.0
        seconds = 0.0 if is_timed and not work else None
        if step_time is not None:
            seconds = step_time.total_seconds(work)
        planned.append(
            PlannedStage(
                stage=stage.name,
                n_units=n_units,
                n_reused=n_reused,
                n_steps=round(share * sum(n_steps for n_steps, _ in work)),
                core_hours=None if seconds is None else share * seconds / 3600.0,
            )
        )
    return planned
