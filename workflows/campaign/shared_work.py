"""What units of a campaign share: which of it is wanted, what came of it, and who waits for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow

from ...database.documents.stage import StageDoc
from ..stages.shared_flow import SharedFlow, output_of_shared


@dataclass(frozen=True)
class DeclaredFlow:
    """Shared work as a campaign hands it to an engine.

    Parameters
    ----------
    flow : SharedFlow
        What the stage declared.
    make : callable
        Gives its flow, whose output is a `StageDoc` under its key.
    paths : tuple of str
        Absolute paths that its flow may hold.
    """

    flow: SharedFlow
    make: Callable[[], Flow]
    paths: tuple[str, ...] = ()


@dataclass
class SharedWork:
    """Keeps account of shared work by its keys; nothing in it is not in the store or cannot be declared again.

    Parameters
    ----------
    read : callable
        Reads the documents of keys that the store has.

    Examples
    --------
    >>> work = SharedWork(read=lambda keys: {})
    >>> bulk = SharedFlow("k", "relaxed bulk", "Li3N", make=lambda: None)
    >>> work.declare("a boundary of Li3N", [DeclaredFlow(bulk, make=lambda: None)])
    >>> work.look_up()
    >>> work.open_keys("a boundary of Li3N"), list(work.wanted())
    (('k',), ['k'])
    """

    read: Callable[[Collection[str]], Mapping[str, StageDoc]]
    _needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _users: dict[str, set[str]] = field(default_factory=dict)
    _declared: dict[str, DeclaredFlow] = field(default_factory=dict)
    _documents: dict[str, StageDoc] = field(default_factory=dict)
    _looked_up: set[str] = field(default_factory=set)

    def declare(self, unit_key: str, flows: Iterable[DeclaredFlow]) -> None:
        """Note what a unit needs.

        Parameters
        ----------
        unit_key : str
            Key of the unit.
        flows : iterable of DeclaredFlow
            What it shares with others; a key that was declared before counts once.
        """
        needs = []
        for declared in flows:
            key = declared.flow.key
            needs.append(key)
            self._declared.setdefault(key, declared)
            self._users.setdefault(key, set()).add(unit_key)
        self._needs[unit_key] = tuple(dict.fromkeys(needs))

    def look_up(self) -> None:
        """Read what the store has of newly declared work, in one query: it is not done again."""
        unread = self._declared.keys() - self._looked_up
        if unread:
            self._documents |= self.read(unread)
            self._looked_up |= unread

    def open_keys(self, unit_key: str) -> tuple[str, ...]:
        """Give the work that a unit waits for.

        Parameters
        ----------
        unit_key : str
            Key of the unit.

        Returns
        -------
        tuple of str
            Keys; empty where it waits for nothing, or has declared nothing yet.
        """
        return tuple(key for key in self._needs.get(unit_key, ()) if key not in self._documents)

    def wanted(self) -> dict[str, DeclaredFlow]:
        """Give the work that somebody waits for.

        Returns
        -------
        dict of str to DeclaredFlow
            By key, in the order of declaration.
        """
        return {key: declared for key, declared in self._declared.items() if self.is_wanted(key)}

    def is_wanted(self, key: str) -> bool:
        """Say whether a key is that of shared work that somebody waits for.

        Parameters
        ----------
        key : str
            Any key.

        Returns
        -------
        bool
            False once its document is there.
        """
        return key in self._declared and key not in self._documents

    def take_in(self, document: StageDoc) -> set[str]:
        """Note what came of shared work.

        Parameters
        ----------
        document : StageDoc
            What was stored under its key, failed or not.

        Returns
        -------
        set of str
            Keys of the units that need it.
        """
        self._documents[document.stage_key] = document
        return set(self._users.get(document.stage_key, ()))

    def outputs(self, unit_key: str) -> dict[str, Any]:
        """Give what a unit gets of the work that it declared, all of which is over.

        Parameters
        ----------
        unit_key : str
            Key of the unit.

        Returns
        -------
        dict of str to object
            By key, references to outputs; None for what failed.
        """
        documents = {key: self._documents[key] for key in self._needs.get(unit_key, ())}
        return {
            key: output_of_shared(document) if document.state == "completed" else None
            for key, document in documents.items()
        }

    def key_of_kind(self, unit_key: str, kind: str) -> str | None:
        """Give the key of the work of one kind that a unit declared.

        Parameters
        ----------
        unit_key : str
            Key of the unit.
        kind : str
            What the work makes.

        Returns
        -------
        str or None
            None where it declared none.
        """
        needs = self._needs.get(unit_key, ())
        return next((key for key in needs if self._declared[key].flow.kind == kind), None)

    def failed_keys(self, unit_key: str) -> list[str]:
        """Give the work that a unit declared and that failed.

        Parameters
        ----------
        unit_key : str
            Key of the unit.

        Returns
        -------
        list of str
            Keys, whether or not it is required.
        """
        found = [self._documents[key] for key in self._needs.get(unit_key, ()) if key in self._documents]
        return [document.stage_key for document in found if document.state != "completed"]

    def failure(self, unit_key: str) -> str | None:
        """Say why a unit cannot be begun for want of what it shares.

        Parameters
        ----------
        unit_key : str
            Key of the unit.

        Returns
        -------
        str or None
            One sentence; None where nothing that it requires has failed.
        """
        for key in self.failed_keys(unit_key):
            flow = self._declared[key].flow
            if flow.is_required:
                return f"it needs the {flow.kind} of {flow.label}, which failed: {self._documents[key].reason}"
        return None
