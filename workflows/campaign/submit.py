"""Putting a campaign into the store: its file, its candidates, their orderings. Doing it again changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...database.campaigns import CampaignCollections
from ...database.documents.campaign_record import CampaignRecord
from ...database.documents.candidate_summary import CandidateSummary
from ...errors import SettingsError
from ..candidates.collect import Candidate, CollectedCandidates, collect_candidates
from ..candidates.source import UnreadableCandidate
from ..candidates.table import TableSettings
from ..student_names import StudentNames
from .decisions import CampaignState
from .file.load import load_ready_campaign_file
from .file.missing_here import missing_here
from .file.model import CampaignFile
from .file.told_by_line import told_by_line
from .known_candidates import known_candidates
from .order_in_parallel import Ordered, order_in_parallel
from .outcomes import load_outcomes
from .prepared import PreparedCampaign, prepare_campaign
from .rows import entry_of, now, row_with, write_decisions
from .turned_away import TurnedAway, turned_away

_ROWS_AT_A_TIME = 500
_UNREADABLE = "unreadable-"
_MADE_BY_ORDERING = ("mobile_ion", "was_disordered", "orderings", "notes", "status", "reason", "stage")


@dataclass(frozen=True)
class SubmitReport:
    """What a submission changed.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    is_new : bool
        Whether it was not there before.
    n_candidates : int
        Candidates that the campaign has now.
    n_new : int
        Candidates that this submission added.
    n_rejected : int
        New candidates that were turned away before any stage.
    n_orderings : int
        Ordered structures of the new candidates.
    n_not_named : int
        Candidates of the campaign that its file no longer names; they stay.
    changed : tuple of str
        Sections of the file that differ from those submitted before.
    counts : dict of str to int
        Number of candidates by status.
    warnings : tuple of str
        What stages need and this machine lacks, one sentence each without a final stop.
    turned_away : tuple of TurnedAway
        Every candidate of the campaign that comes to no stage, with the reason.
    """

    campaign_id: str
    is_new: bool
    n_candidates: int
    n_new: int
    n_rejected: int
    n_orderings: int
    n_not_named: int
    changed: tuple[str, ...]
    counts: dict[str, int]
    warnings: tuple[str, ...] = ()
    turned_away: tuple[TurnedAway, ...] = ()


def submit_campaign(
    path: str | Path,
    collections: CampaignCollections,
    *,
    workers: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    must_exist: bool = False,
) -> SubmitReport:
    """Register a campaign and its candidates, or bring a registered one up to date with its file.

    Nothing is removed: candidates that the file no longer names stay. A changed threshold is judged at once, from
    what is there; a changed setting of a stage asks for new units, whose trajectories continue the old ones.

    Parameters
    ----------
    path : str or Path
        The campaign file.
    collections : CampaignCollections
        The store.
    workers : int or None
        Processes that order structures; None for one per core.
    on_progress : callable or None
        Told how many of how many new candidates are registered.
    must_exist : bool
        Whether a campaign that is not there yet is refused.

    Returns
    -------
    SubmitReport
        What changed.

    Raises
    ------
    SettingsError
        If the file cannot be used, or the campaign must exist and does not.
    """
    folder = Path(path).expanduser().resolve().parent
    file = load_ready_campaign_file(path, StudentNames(near=folder, store=collections.jobs))
    text = Path(path).expanduser().read_text(encoding="utf-8")
    before = collections.load_campaign(file.name)
    if before is None and must_exist:
        raise SettingsError(
            f"There is no campaign {file.name} to extend in this store: submit it first, with `superion campaign "
            f"submit {path}`."
        )
    old_file = _old_file(before, collections)
    campaign = PreparedCampaign(file.name, file)
    # Refused now rather than when it runs.
    _ = campaign.steps
    known = known_candidates(collections.iter_rows(file.name), collections)
    with told_by_line(path):
        collected = collect_candidates(file, folder, known=known)
    submission = _Submission(campaign, collections, workers, on_progress)
    submission.register(
        collected,
        reorder=old_file is not None and old_file.ordering_arguments() != file.ordering_arguments(),
        recheck=old_file is not None and _composition_columns(old_file) != _composition_columns(file),
    )
    # Last: with its record the campaign can run.
    if collections.change_campaign(file.name, file_text=text, base_folder=str(folder)) is None:
        collections.save_campaign(CampaignRecord(campaign_id=file.name, file_text=text, base_folder=str(folder)))
    judge_again(campaign, collections)
    counts = collections.count_by_status(file.name)
    collections.change_campaign(file.name, counts=counts)
    n_named = len(collected.candidates) + len(collected.rejected)
    return SubmitReport(
        campaign_id=file.name,
        is_new=before is None,
        n_candidates=sum(counts.values()),
        n_new=submission.n_new,
        n_rejected=submission.n_rejected,
        n_orderings=submission.n_orderings,
        n_not_named=max(0, sum(counts.values()) - n_named),
        changed=() if old_file is None else _changed_sections(old_file, file),
        counts=counts,
        warnings=tuple(sentence for _, sentence in missing_here(file)),
        turned_away=turned_away(collections, file.name),
    )


def judge_again(campaign: PreparedCampaign, collections: CampaignCollections) -> int:
    """Bring all rows of a campaign up to date with its rules and with what the store has; computes nothing.

    Parameters
    ----------
    campaign : PreparedCampaign
        The campaign.
    collections : CampaignCollections
        The store.

    Returns
    -------
    int
        How many rows have changed.
    """
    state = CampaignState(campaign.steps)
    state.add_candidates(entry_of(row) for row in collections.iter_rows(campaign.campaign_id))
    load_outcomes(state, collections)
    return write_decisions(state, collections, campaign.campaign_id, state.candidate_ids)


def order_failed_again(record: CampaignRecord, collections: CampaignCollections, *, workers: int | None = None) -> int:
    """Order the candidates of a campaign once more that could not be ordered through no fault that is known of them.

    Parameters
    ----------
    record : CampaignRecord
        The campaign.
    collections : CampaignCollections
        The store.
    workers : int or None
        Processes that order structures; None for one per core.

    Returns
    -------
    int
        How many were tried; those that no source names any more are not.

    Raises
    ------
    SettingsError
        If a source as a whole cannot be read, or the campaign was imported and never submitted here.
    """
    campaign = prepare_campaign(record, store=collections.jobs)
    rows = list(collections.iter_rows(record.campaign_id))
    if not any(_failed_in_ordering(row) for row in rows):
        return 0
    folder = Path(record.base_folder or ".")
    collected = collect_candidates(campaign.file, folder, known=known_candidates(rows, collections))
    n_ordered = _Submission(campaign, collections, workers, None).order_failed(collected)
    judge_again(campaign, collections)
    return n_ordered


@dataclass
class _Submission:
    """Candidates on their way into the store."""

    campaign: PreparedCampaign
    collections: CampaignCollections
    workers: int | None
    on_progress: Callable[[int, int], None] | None
    n_new: int = 0
    n_rejected: int = 0
    n_orderings: int = 0

    def register(self, collected: CollectedCandidates, *, reorder: bool, recheck: bool) -> None:
        """Store what is not there yet, portion by portion: a kill loses one portion."""
        known = {row.candidate_id: row for row in self.collections.iter_rows(self.campaign.campaign_id)}
        unreadable = [self._unreadable_row(item) for item in collected.rejected]
        self._store([row for row in unreadable if row.candidate_id not in known])
        fresh = [candidate for candidate in collected.candidates if candidate.candidate_id not in known]
        old = [candidate for candidate in collected.candidates if candidate.candidate_id in known]
        news = _news(old, known)
        known |= news
        again = []
        for candidate in old:
            row = known[candidate.candidate_id]
            # A table that says otherwise what a material holds may turn it away, or let it in.
            is_judged_by_it = candidate.expected_composition is not None or not row.orderings
            is_news = is_judged_by_it and (recheck or candidate.candidate_id in news)
            # Other settings may let in what was turned away.
            is_other = reorder and (row.was_disordered or not row.orderings)
            if is_news or is_other or _failed_in_ordering(row):
                again.append(candidate)
        self._order_again(again, known)
        # After that: a kill in between leaves the news news.
        in_order = {candidate.candidate_id for candidate in again}
        self.collections.update_rows([row for name, row in news.items() if name not in in_order])
        n_stored = 0
        for portion in self._ordered_rows(fresh):
            self._store(portion)
            n_stored += len(portion)
            if self.on_progress is not None:
                self.on_progress(n_stored, len(fresh))
        # Last: until the crystal has its row, this one says what became of it.
        self.collections.remove_rows([row.key for row in _read_now(known.values(), collected)])

    def order_failed(self, collected: CollectedCandidates) -> int:
        """Order once more what could not be ordered; give the number."""
        rows = self.collections.iter_rows(self.campaign.campaign_id)
        failed = {row.candidate_id: row for row in rows if _failed_in_ordering(row)}
        candidates = [candidate for candidate in collected.candidates if candidate.candidate_id in failed]
        self._order_again(candidates, failed)
        return len(candidates)

    def _ordered_rows(self, candidates: Sequence[Candidate]) -> Iterator[list[CandidateSummary]]:
        """Order candidates and make their rows, in portions."""
        rows: list[CandidateSummary] = []
        for candidate, ordered in zip(candidates, self._order(candidates), strict=True):
            self._keep_crystal(candidate, ordered)
            rows.append(self._row(candidate, ordered))
            if len(rows) == _ROWS_AT_A_TIME or (ordered.was_disordered and len(rows) >= _ROWS_AT_A_TIME // 20):
                yield rows
                rows = []
        if rows:
            yield rows

    def _order(self, candidates: Iterable[Candidate]) -> Iterator[Ordered]:
        settings = self.campaign.file.ordering_arguments()
        crystals = ((candidate.structure, candidate.expected_composition) for candidate in candidates)
        return order_in_parallel(crystals, settings, workers=self.workers)

    def _store(self, rows: list[CandidateSummary]) -> None:
        """Judge rows by what the store has, and store them."""
        state = CampaignState(self.campaign.steps)
        state.add_candidates(entry_of(row) for row in rows)
        load_outcomes(state, self.collections)
        judged = [row_with(row, state.decision(row.candidate_id)) for row in rows]
        self.collections.update_rows(judged)
        self.n_new += len(rows)
        self.n_rejected += sum(not row.orderings for row in rows)
        self.n_orderings += sum(len(row.orderings) for row in rows)

    def _order_again(self, candidates: Sequence[Candidate], known: dict[str, CandidateSummary]) -> None:
        """Order known candidates by other settings; what was computed for an ordering that comes again is reused."""
        for candidate, ordered in zip(candidates, self._order(candidates), strict=True):
            row = known[candidate.candidate_id]
            self._keep_crystal(candidate, ordered)
            fresh = self._row(candidate, ordered)
            update = {name: getattr(fresh, name) for name in _MADE_BY_ORDERING}
            self.collections.update_rows([row.model_copy(update={**update, "updated_at": now()})])

    def _keep_crystal(self, candidate: Candidate, ordered: Ordered) -> None:
        """Store a disordered crystal as it was given: an equivalent one that comes later is known by it."""
        if ordered.was_disordered:
            self.collections.store_structures({candidate.candidate_id: candidate.structure.as_dict()})

    def _row(self, candidate: Candidate, ordered: Ordered) -> CandidateSummary:
        """Make the row of a candidate."""
        composition = candidate.structure.composition
        elements = sorted({element.symbol for element in composition.elements})
        return CandidateSummary(
            key=f"{self.campaign.campaign_id}/{candidate.candidate_id}",
            campaign_id=self.campaign.campaign_id,
            candidate_id=candidate.candidate_id,
            label=candidate.label,
            formula=composition.element_composition.reduced_formula,
            elements=elements,
            n_elements=len(elements),
            mobile_ion=self.campaign.ion[0],
            origins=list(candidate.origins),
            measured=dict(candidate.measured),
            was_disordered=ordered.was_disordered,
            status="rejected" if ordered.rejection else "failed" if ordered.failure else "waiting",
            reason=ordered.rejection or ordered.failure,
            orderings=list(ordered.orderings),
            notes=list(dict.fromkeys([*candidate.notes, *ordered.notes])),
            updated_at=now(),
        )

    def _unreadable_row(self, item: UnreadableCandidate) -> CandidateSummary:
        """Make the row of an entry that gave no crystal: nothing that a source names is lost."""
        name = hashlib.sha256(f"{item.origin.source}\0{item.origin.identifier}\0{item.label}".encode()).hexdigest()
        candidate_id = f"{_UNREADABLE}{name[:16]}"
        return CandidateSummary(
            key=f"{self.campaign.campaign_id}/{candidate_id}",
            campaign_id=self.campaign.campaign_id,
            candidate_id=candidate_id,
            label=item.label,
            formula="",
            elements=[],
            n_elements=0,
            mobile_ion=self.campaign.ion[0],
            origins=[item.origin],
            status="rejected",
            reason=item.reason,
            updated_at=now(),
        )


def _failed_in_ordering(row: CandidateSummary) -> bool:
    """Whether a candidate could not be ordered through no fault that is known of it."""
    return not row.orderings and row.status == "failed"


def _read_now(rows: Iterable[CandidateSummary], collected: CollectedCandidates) -> list[CandidateSummary]:
    """Choose the rows of entries that gave no crystal and have given one since."""
    rejected = {(item.origin.source, item.origin.identifier) for item in collected.rejected}
    read = set()
    for candidate in collected.candidates:
        for origin in candidate.origins:
            # What could not be read at all may hold several crystals, which are numbered.
            read |= {(origin.source, origin.identifier), (origin.source, origin.identifier.rpartition("#")[0])}
    return [
        row
        for row in rows
        if row.candidate_id.startswith(_UNREADABLE)
        and (name := (row.origins[0].source, row.origins[0].identifier)) in read
        and name not in rejected
    ]


def _news(candidates: Sequence[Candidate], known: dict[str, CandidateSummary]) -> dict[str, CandidateSummary]:
    """Make the rows of known candidates of which the sources say something new: further origins, other values."""
    news = {}
    for candidate in candidates:
        row = known[candidate.candidate_id]
        named = {(origin.source, origin.identifier) for origin in candidate.origins}
        others = [origin for origin in row.origins if (origin.source, origin.identifier) not in named]
        origins, measured = [*candidate.origins, *others], {**row.measured, **candidate.measured}
        if origins != row.origins or measured != row.measured:
            update = {"origins": origins, "measured": measured, "updated_at": now()}
            news[candidate.candidate_id] = row.model_copy(update=update)
    return news


def _old_file(record: CampaignRecord | None, collections: CampaignCollections) -> CampaignFile | None:
    """Read the file that was submitted before; None where there is none, or this version cannot read it."""
    if record is None:
        return None
    try:
        return prepare_campaign(record, store=collections.jobs).file
    except SettingsError:
        return None


def _composition_columns(file: CampaignFile) -> list[tuple[str, str | None]]:
    """Name the columns that say what the materials of tables hold."""
    return [(source.path, source.composition) for source in file.candidates if isinstance(source, TableSettings)]


def _changed_sections(old: CampaignFile, new: CampaignFile) -> tuple[str, ...]:
    """Name the sections that differ."""
    changed = [name for name in type(new).model_fields if name != "stages" and getattr(old, name) != getattr(new, name)]
    before = {entry.stage: entry for entry in old.stages}
    after = {entry.stage: entry for entry in new.stages}
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            changed.append(f"stage {name} (left out)")
        elif name not in before:
            changed.append(f"stage {name} (new)")
        else:
            if before[name].potential != after[name].potential:
                changed.append(f"stage {name} (potential)")
            if before[name].settings != after[name].settings:
                changed.append(f"stage {name} (settings)")
            if before[name].rules != after[name].rules:
                changed.append(f"stage {name} (rules)")
    if [name for name in before if name in after] != [name for name in after if name in before]:
        changed.append("stages (order)")
    return tuple(changed)
