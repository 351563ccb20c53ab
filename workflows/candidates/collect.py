"""From the sources of a campaign to its candidates: read, without duplicates, with all their origins."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...database.documents.candidate_summary import CandidateOrigin
from ...database.properties import PropertyEstimate
from ...errors import SuperionError
from .candidates_error import CandidatesError
from .registry import load_source
from .source import RawCandidate, UnreadableCandidate

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..campaign.file.model import CampaignFile

ID_LETTERS = 16
"""Letters of the fingerprint that name a candidate."""


@dataclass(frozen=True)
class Candidate:
    """A crystal of a campaign, once, with all the places that named it.

    Parameters
    ----------
    candidate_id : str
        First letters of the fingerprint of the structure as the first source gave it.
    label : str
        Name of the material for readers.
    structure : Structure
        The crystal as the first source gave it, perhaps with partial occupancies.
    origins : tuple of CandidateOrigin
        All places that named it or an equivalent crystal, in the order of the campaign file.
    measured : dict of str to PropertyEstimate
        Measured properties; of several sources the first that has one.
    notes : tuple of str
        What was noticed while reading.
    expected_composition : str or None
        Formula of what the material is known to hold; of several sources the first that has one.
    """

    candidate_id: str
    label: str
    structure: Structure
    origins: tuple[CandidateOrigin, ...]
    measured: dict[str, PropertyEstimate] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    expected_composition: str | None = None


@dataclass(frozen=True)
class SourceCount:
    """What one source of a campaign gave.

    Parameters
    ----------
    kind : str
        Kind of the source.
    n_read : int
        Structures that it gave.
    n_rejected : int
        Entries that cannot be used.
    n_duplicates : int
        Structures that an earlier entry of this or another source had given.
    """

    kind: str
    n_read: int
    n_rejected: int
    n_duplicates: int


@dataclass(frozen=True)
class CollectedCandidates:
    """All that the sources of a campaign gave.

    Parameters
    ----------
    candidates : list of Candidate
        Without duplicates, in the order of the campaign file.
    rejected : list of UnreadableCandidate
        Entries that cannot be used, with the reason.
    sources : tuple of SourceCount
        Numbers for each source, in the order of the campaign file.
    """

    candidates: list[Candidate]
    rejected: list[UnreadableCandidate]
    sources: tuple[SourceCount, ...] = ()


@dataclass(frozen=True)
class KnownCandidates:
    """Candidates that a campaign has already.

    Parameters
    ----------
    ids : frozenset of str
        Those that an equivalent crystal is taken for.
    turned_away : frozenset of str
        Those that have no ordered structure: an equivalent crystal, such as a smaller cell, is tried by itself.
    load : callable
        Given some of `ids`, loads these candidates; those whose crystal is not stored are left out.
    """

    ids: frozenset[str] = frozenset()
    turned_away: frozenset[str] = frozenset()
    load: Callable[[Collection[str]], Sequence[Candidate]] = lambda ids: ()


_NOTHING_KNOWN = KnownCandidates()


def collect_candidates(
    campaign: CampaignFile, base_folder: str | Path, *, known: KnownCandidates = _NOTHING_KNOWN
) -> CollectedCandidates:
    """Read the sources of a campaign and merge equivalent crystals.

    Parameters
    ----------
    campaign : CampaignFile
        The campaign.
    base_folder : str or Path
        Folder of the campaign file; relative paths of its sources start there.
    known : KnownCandidates
        Candidates that the campaign has already; an equivalent crystal keeps their id and structure.

    Returns
    -------
    CollectedCandidates
        Candidates and rejections; nothing that a source named is lost. What no source names is left out.

    Raises
    ------
    CandidatesError
        If there are more candidates than `limits.maximum_candidates`, or a source as a whole cannot be read; it knows
        the place in the campaign file.
    """
    folder = Path(base_folder)
    raw: list[RawCandidate] = []
    rejected: list[UnreadableCandidate] = []
    source_of: list[int] = []
    n_rejected: list[int] = []
    for index, settings in enumerate(campaign.candidates):
        before = len(rejected)
        try:
            for item in _unique_origins(load_source(settings.kind).read(settings, folder)):
                if isinstance(item, UnreadableCandidate):
                    rejected.append(item)
                    continue
                raw.append(item)
                source_of.append(index)
        except SuperionError as error:
            raise CandidatesError(("candidates", index), str(error)) from error
        n_rejected.append(len(rejected) - before)
    candidates, duplicates = merge_equivalent(raw, known)
    limit = campaign.limits.maximum_candidates
    if len(candidates) > limit:
        raise CandidatesError(
            ("limits", "maximum_candidates"),
            f"The campaign {campaign.name} has {len(candidates)} candidates, more than limits.maximum_candidates = "
            f"{limit}: raise that limit or name fewer.",
        )
    sources = tuple(
        SourceCount(
            kind=settings.kind,
            n_read=source_of.count(index),
            n_rejected=n_rejected[index],
            n_duplicates=sum(source_of[position] == index for position in duplicates),
        )
        for index, settings in enumerate(campaign.candidates)
    )
    return CollectedCandidates(candidates, rejected, sources)


def merge_equivalent(
    raw: Sequence[RawCandidate], known: KnownCandidates = _NOTHING_KNOWN
) -> tuple[list[Candidate], list[int]]:
    """Merge equivalent crystals, keeping all their origins.

    Parameters
    ----------
    raw : sequence of RawCandidate
        What the sources gave.
    known : KnownCandidates
        Candidates that are there already; whatever the order of the sources, they keep their ids.

    Returns
    -------
    candidates : list of Candidate
        One for each crystal that was named, in the order in which each was first named.
    duplicates : list of int
        Positions in `raw` of the structures that were there already.
    """
    from ...structures.equivalence import group_equivalent
    from ...structures.fingerprint import structure_fingerprint

    ids = [structure_fingerprint(item.structure)[:ID_LETTERS] for item in raw]
    # Most are named again by the same files, and need not be loaded.
    unnamed = known.ids.difference(ids)
    stored = list(known.load(unnamed)) if unnamed else []
    groups = group_equivalent([item.structure for item in raw] + [candidate.structure for candidate in stored])
    candidates = []
    duplicates = []
    for group in groups:
        named = [position for position in group if position < len(raw)]
        if not named:
            continue
        there = [stored[position - len(raw)] for position in group[len(named) :]]
        registered = [position for position in named if ids[position] in known.ids]
        duplicates += named[1:] if registered or not there else named
        if registered:
            position = min(registered, key=ids.__getitem__)
            first = _as_candidate(raw[position], ids[position])
        elif there:
            first = min(there, key=lambda candidate: candidate.candidate_id)
        else:
            position = next((position for position in named if ids[position] not in known.turned_away), named[0])
            first = _as_candidate(raw[position], ids[position])
        candidates.append(_merged(first, [raw[position] for position in named]))
    return candidates, sorted(duplicates)


def _as_candidate(item: RawCandidate, candidate_id: str) -> Candidate:
    return Candidate(
        candidate_id=candidate_id, label=item.label, structure=item.structure, origins=(), notes=item.notes
    )


def _merged(first: Candidate, members: Iterable[RawCandidate]) -> Candidate:
    """Put the origins and measured values of equivalent crystals together."""
    origins = list(first.origins)
    measured = dict(first.measured)
    notes = list(first.notes)
    expected = first.expected_composition
    for item in members:
        expected = expected or item.expected_composition
        if item.expected_composition is not None and not _is_same(expected, item.expected_composition):
            notes.append(f"{item.origin.identifier} gives another composition; that of the first source is kept.")
        if item.origin not in origins:
            origins.append(item.origin)
        for name, estimate in item.measured.items():
            if measured.setdefault(name, estimate) != estimate:
                notes.append(f"{item.origin.identifier} measured another {name}; that of the first source is kept.")
    return Candidate(
        candidate_id=first.candidate_id,
        label=first.label,
        structure=first.structure,
        origins=tuple(origins),
        measured=measured,
        notes=tuple(dict.fromkeys(notes)),
        expected_composition=expected,
    )


def _is_same(first: str | None, second: str) -> bool:
    """Whether two formulas say the same, in whatever amount."""
    from pymatgen.core import Composition

    if first is None or first == second:
        return first is not None
    one, other = (Composition(text).fractional_composition for text in (first, second))
    return one.almost_equals(other, 1e-3, 1e-3)


def _unique_origins(
    items: Iterable[RawCandidate | UnreadableCandidate],
) -> Iterator[RawCandidate | UnreadableCandidate]:
    """Leave out entries that one source names a second time by the same identifier and with the same values."""
    seen: set[str] = set()
    for item in items:
        key = item.origin.model_dump_json()
        if key not in seen:
            seen.add(key)
            yield item
