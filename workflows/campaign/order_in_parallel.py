"""Ordering candidates in several processes; one that brings its process down is turned away like any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pymatgen.core import Structure

from ...database.documents.candidate_summary import OrderingSummary
from ...structures.occupancy import is_full
from ...structures.plain_structure import structure_from_plain
from ..dispatch.processors import available_cores
from .ordering_process import OrderingProcess

_PORTION = 400
_DISORDERED_PER_WORKER = 4
_ORDERED_AT_A_TIME = 25
_WORTH_PROCESSES = 200

PlainCrystal = tuple[dict[str, Any], str | None]
"""A structure as plain data, and the formula of what it is known to hold."""


@dataclass(frozen=True)
class Ordered:
    """What ordering made of one candidate.

    Parameters
    ----------
    orderings : tuple of OrderingSummary
        Its ordered structures; empty where it was turned away.
    notes : tuple of str
        Decisions that a user should know.
    was_disordered : bool
        Whether there was anything to order.
    rejection : str or None
        Why it was turned away, one sentence.
    failure : str or None
        Why ordering failed through no fault that is known of the crystal, one sentence.
    """

    orderings: tuple[OrderingSummary, ...] = ()
    notes: tuple[str, ...] = ()
    was_disordered: bool = False
    rejection: str | None = None
    failure: str | None = None


def order_in_parallel(
    crystals: Iterable[tuple[Structure, str | None]], settings: dict[str, Any], *, workers: int | None = None
) -> Iterator[Ordered]:
    """Order crystals, in the order in which they come.

    Parameters
    ----------
    crystals : iterable of tuple
        Each crystal, and the formula of what it is known to hold, or None; read in portions.
    settings : dict
        Further arguments of `order_candidates`.
    workers : int or None
        Number of processes; None for one per core.

    Yields
    ------
    Ordered
        One for each.
    """
    iterator = iter(crystals)
    with _Processes(workers or available_cores()) as processes:
        while portion := list(_portion(iterator, _DISORDERED_PER_WORKER * processes.workers)):
            yield from processes.order(portion, settings)


def _portion(
    crystals: Iterator[tuple[Structure, str | None]], most_disordered: int
) -> Iterator[tuple[Structure, str | None]]:
    """Take as many as are ordered in a short time, so that a kill loses little."""
    n_disordered = 0
    for crystal in islice(crystals, _PORTION):
        yield crystal
        n_disordered += not _is_full(crystal[0])
        if n_disordered >= most_disordered:
            return


def _is_full(structure: Structure) -> bool:
    return all(is_full(site) for site in structure)


class _Processes:
    """Processes that are started when they are worth it, each led by a thread; one that a crystal ends is replaced."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._threads: ThreadPoolExecutor | None = None
        self._all: set[OrderingProcess] = set()
        self._idle: list[OrderingProcess] = []

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *error: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            for process in list(self._all):
                process.kill()
            self._threads.shutdown()
        for process in self._all:
            process.close()

    def order(self, crystals: list[tuple[Structure, str | None]], settings: dict[str, Any]) -> list[Ordered]:
        """Order some crystals."""
        full = [_is_full(structure) for structure, _ in crystals]
        plain = [(structure.as_dict(), expected) for structure, expected in crystals]
        if all(full) and len(crystals) < _WORTH_PROCESSES and self._threads is None:
            return order_some(plain, settings)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.workers)
        # Crystals that need no ordering are quick, and travel together.
        quick = [position for position, is_ordered in enumerate(full) if is_ordered]
        batches = [quick[start : start + _ORDERED_AT_A_TIME] for start in range(0, len(quick), _ORDERED_AT_A_TIME)]
        batches += [[position] for position, is_ordered in enumerate(full) if not is_ordered]
        answers = self._threads.map(lambda batch: self._order_batch([plain[i] for i in batch], settings), batches)
        found: dict[int, Ordered | None] = {}
        for batch, answer in zip(batches, answers, strict=True):
            found |= dict.fromkeys(batch) if answer is None else dict(zip(batch, answer, strict=True))
        return [found[position] or self._order_alone(plain[position], settings) for position in range(len(crystals))]

    def _order_batch(self, crystals: list[PlainCrystal], settings: dict[str, Any]) -> list[Ordered] | None:
        """Give a batch to a process that is idle, or to a new one; None where it ended that."""
        try:
            process = self._idle.pop()
        except IndexError:
            process = OrderingProcess()
            self._all.add(process)
        answer = process.order(crystals, settings)
        if answer is None:
            self._all.discard(process)
            process.close()
        else:
            self._idle.append(process)
        return answer

    def _order_alone(self, crystal: PlainCrystal, settings: dict[str, Any]) -> Ordered:
        """Order one crystal while no other is, for it may have ended its process, or lacked the memory."""
        answer = self._order_batch([crystal], settings)
        if answer is None:
            return Ordered(
                failure="ordering it killed its process, perhaps for lack of memory: order it with another tool"
            )
        return answer[0]


def order_some(crystals: list[PlainCrystal], settings: dict[str, Any]) -> list[Ordered]:
    """Order some crystals, one after the other.

    Parameters
    ----------
    crystals : list of tuple
        Structures as plain data, each with the formula of what it is known to hold, or None.
    settings : dict
        Further arguments of `order_candidates`.

    Returns
    -------
    list of Ordered
        One for each.
    """
    return [order_one(*crystal, settings) for crystal in crystals]


def order_one(plain: dict[str, Any], expected_composition: str | None, settings: dict[str, Any]) -> Ordered:
    """Order one crystal; whatever goes wrong is a reason to turn it away.

    Parameters
    ----------
    plain : dict
        Structure as plain data.
    expected_composition : str or None
        Formula of what it is known to hold.
    settings : dict
        Further arguments of `order_candidates`.

    Returns
    -------
    Ordered
        Its ordered structures, or why there are none.
    """
    from pymatgen.core import Composition

    from ...errors import SuperionError
    from ...structures.fingerprint import structure_fingerprint
    from ...structures.orderings import order_candidates

    try:
        expected = None if expected_composition is None else Composition(expected_composition)
        found = order_candidates(structure_from_plain(plain), expected_composition=expected, **settings)
    except SuperionError as error:
        return Ordered(rejection=str(error))
    except Exception as error:
        return Ordered(failure=f"ordering it failed ({type(error).__name__}: {error}): order it with another tool")
    orderings = tuple(
        OrderingSummary(
            fingerprint=structure_fingerprint(ordering.structure),
            structure=ordering.structure.as_dict(),
            ewald_energy_ev=ordering.ewald_energy_ev,
            composition_deviation=ordering.composition_deviation,
        )
        for ordering in found.orderings
    )
    return Ordered(orderings, found.notes, found.was_disordered)
