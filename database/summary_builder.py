"""Keeping the candidates' rows current: a maggma builder from the jobs' stage documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from maggma.core import Builder

from ..errors import StoreError
from .campaigns import CampaignCollections
from .documents.candidate_summary import CandidateSummary
from .documents.stage import StageDoc
from .project import ProjectFolder
from .refresh import Refresh, refresh_row
from .sibling_stores import sibling_store

BUILDS = "candidate_builds"
"""Collection that remembers when the rows were last brought up to date."""

_ATTEMPTS = 5
"""How often a row is read anew that another process keeps changing; that process knows the documents, too."""


@dataclass(frozen=True)
class RowToRefresh:
    """A row and the documents that it counts on, by stage key."""

    row: CandidateSummary
    documents: dict[str, StageDoc]


@dataclass(frozen=True)
class RefreshedRow:
    """A row that has changed, and when the one it replaces was stored."""

    row: CandidateSummary
    read_at: datetime


class SummaryBuilder(Builder):
    """Bring the rows of candidates up to date with the stage documents, incrementally.

    Only rows are looked at that count on a document stored since the last build, or that began to count on one
    since.  Clocks of hosts may differ by `overlap_s`; what is looked at twice changes nothing.

    Parameters
    ----------
    location : str or Path, optional
        Where the store is, as for `open_job_store`; the project's own where None.
    refresh : callable, optional
        (row, documents by stage key) -> row, a pure function; `refresh_row`, which knows no rules, where None.
    collections : CampaignCollections, optional
        Collections that are open already, in place of a location; they are left open.
    overlap_s : float
        How far back before the last build documents are looked for, in s.
    everything : bool
        Whether all rows are looked at, whatever was built before.
    chunk_size : int
        Rows at a time.
    project : ProjectFolder, optional
        The project; found from the current folder if None.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     SummaryBuilder(f"{folder}/results.db").build()
    0
    """

    def __init__(
        self,
        location: str | Path | None = None,
        *,
        refresh: Refresh | None = None,
        collections: CampaignCollections | None = None,
        overlap_s: float = 600.0,
        everything: bool = False,
        chunk_size: int = 500,
        project: ProjectFolder | None = None,
    ) -> None:
        self.location = str(location) if location is not None else None
        self.refresh = refresh or refresh_row
        self.overlap_s = overlap_s
        self.everything = everything
        self.project = project
        self._collections = collections
        self._is_mine = collections is None
        self._began: datetime | None = None
        super().__init__(sources=[], targets=[], chunk_size=chunk_size)

    def as_dict(self) -> dict[str, Any]:
        """Write what is needed to make the builder anew in another process.

        Returns
        -------
        dict
            Location and settings; never credentials' owners' functions.

        Raises
        ------
        StoreError
            If it was made with a function or with open collections, which no file can hold.
        """
        if self.refresh is not refresh_row or not self._is_mine:
            raise StoreError("A SummaryBuilder with a function of its own cannot be written: make it in Python.")
        return {
            "@module": type(self).__module__,
            "@class": type(self).__name__,
            "location": self.location,
            "overlap_s": self.overlap_s,
            "everything": self.everything,
            "chunk_size": self.chunk_size,
        }

    @property
    def collections(self) -> CampaignCollections:
        """The collections.

        Raises
        ------
        StoreError
            Before `connect()`.
        """
        if self._collections is None:
            raise StoreError("The SummaryBuilder is not connected: call its connect() first, or build().")
        return self._collections

    def connect(self) -> None:
        """Open the collections."""
        if self._collections is None:
            self._collections = CampaignCollections.open(self.location, project=self.project)
        self._builds = sibling_store(self._collections.jobs.docs_store, BUILDS, key="collection")
        self._builds.connect()

    def get_items(self) -> Iterator[RowToRefresh]:
        """Yield the rows that may have changed, with the documents that they count on.

        Yields
        ------
        RowToRefresh
            Rows.
        """
        self._began = datetime.now(UTC)
        keys = self._keys_to_refresh()
        self.total = len(keys)
        for start in range(0, len(keys), self.chunk_size):
            chunk = keys[start : start + self.chunk_size]
            rows = list(self.collections.iter_rows(criteria={"key": {"$in": chunk}}))
            yield from self._with_documents(rows)

    def process_item(self, item: RowToRefresh) -> RefreshedRow | None:
        """Bring one row up to date.

        Parameters
        ----------
        item : RowToRefresh
            The row and its documents.

        Returns
        -------
        RefreshedRow or None
            None where nothing changes.
        """
        fresh = self.refresh(item.row, item.documents)
        return None if fresh == item.row else RefreshedRow(row=fresh, read_at=item.row.updated_at)

    def update_targets(self, items: list[RefreshedRow]) -> None:
        """Store rows, but not over what another process has stored since they were read.

        Parameters
        ----------
        items : list of RefreshedRow
            Rows that changed.
        """
        for item in items:
            if not self.collections.replace_row(item.row, read_at=item.read_at):
                self._refresh_again(item.row.key)

    def finalize(self) -> None:
        """Remember that the rows are current, and close what was opened."""
        if self._began is not None:
            self._builds.update({"collection": "candidates", "built_at": self._began})
        self._builds.close()
        if self._is_mine and self._collections is not None:
            self._collections.close()
            self._collections = None

    def build(self) -> int:
        """Bring all rows up to date, in this process.

        Returns
        -------
        int
            How many rows changed.
        """
        self.connect()
        n_changed = 0
        chunk: list[RefreshedRow] = []
        for item in self.get_items():
            refreshed = self.process_item(item)
            if refreshed is not None:
                chunk.append(refreshed)
                n_changed += 1
            if len(chunk) >= self.chunk_size:
                self.update_targets(chunk)
                chunk = []
        self.update_targets(chunk)
        self.finalize()
        return n_changed

    def _with_documents(self, rows: list[CandidateSummary]) -> Iterator[RowToRefresh]:
        wanted = {key for row in rows for key in _stage_keys(row)}
        documents = self.collections.latest_stage_docs(wanted, with_structures=False)
        for row in rows:
            yield RowToRefresh(row, {key: documents[key] for key in _stage_keys(row) if key in documents})

    def _refresh_again(self, key: str) -> None:
        """Start over with a row that another process changed meanwhile."""
        for _ in range(_ATTEMPTS):
            row = self.collections.get_row(key, with_structures=False)
            if row is None:
                return
            (item,) = self._with_documents([row])
            refreshed = self.process_item(item)
            if refreshed is None or self.collections.replace_row(refreshed.row, read_at=refreshed.read_at):
                return

    def _keys_to_refresh(self) -> list[str]:
        last = self._builds.query_one({"collection": "candidates"})
        if self.everything or last is None:
            return sorted(entry["key"] for entry in self.collections.candidates.query({}, properties=["key"]))
        since = last["built_at"].replace(tzinfo=UTC) - timedelta(seconds=self.overlap_s)
        changed = self.collections.row_keys_of(self.collections.stage_keys_since(since))
        return sorted(changed | self.collections.row_keys_since(since))


def _stage_keys(row: CandidateSummary) -> list[str]:
    return [key for stage in row.stages.values() for key in stage.stage_keys]
