"""Ordering candidates in several processes; one that brings its process down is turned away like any other."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pymatgen.core import Structure

from ...database.documents.candidate_summary import OrderingSummary
from ...structures.occupancy import is_full
from ...structures.plain_structure import structure_from_plain
from ..dispatch.processors import available_cores

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


def _end_with_parent() -> None:
    """Let a process of the pool end when the one that started it is killed."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _new_pool(workers: int) -> ProcessPoolExecutor:
    # Not forked: threads of numerical libraries do not survive that.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent)


class _Processes:
    """A pool that is made when it is worth it, and made again when a crystal breaks it."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *error: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def order(self, crystals: list[tuple[Structure, str | None]], settings: dict[str, Any]) -> list[Ordered]:
        """Order some crystals."""
        full = [_is_full(structure) for structure, _ in crystals]
        plain = [(structure.as_dict(), expected) for structure, expected in crystals]
        if all(full) and len(crystals) < _WORTH_PROCESSES and self._pool is None:
            return order_some(plain, settings)
        found: dict[int, Ordered | None] = {}
        # Crystals that need no ordering are quick, and travel together.
        quick = [position for position, is_ordered in enumerate(full) if is_ordered]
        batches = [quick[start : start + _ORDERED_AT_A_TIME] for start in range(0, len(quick), _ORDERED_AT_A_TIME)]
        batches += [[position] for position, is_ordered in enumerate(full) if not is_ordered]
        for batch, answers in self._each(batches, lambda batch: (order_some, [plain[i] for i in batch], settings)):
            found |= dict.fromkeys(batch) if answers is None else dict(zip(batch, answers, strict=True))
        return [found[position] or self._order_alone(plain[position], settings) for position in range(len(crystals))]

    def _each(
        self, batches: list[list[int]], task: Callable[[list[int]], tuple[Any, ...]]
    ) -> Iterator[tuple[list[int], list[Ordered] | None]]:
        """Give each batch to the pool; None for those that were under way when it broke."""
        if self._pool is None:
            self._pool = _new_pool(self.workers)
        try:
            futures = [(batch, self._pool.submit(*task(batch))) for batch in batches]
        except BrokenProcessPool:
            self._close()
            yield from ((batch, None) for batch in batches)
            return
        for batch, future in futures:
            try:
                yield batch, future.result()
            except BrokenProcessPool:
                yield batch, None
        if any(isinstance(future.exception(), BrokenProcessPool) for _, future in futures):
            self._close()

    def _order_alone(self, crystal: PlainCrystal, settings: dict[str, Any]) -> Ordered:
        """Order one crystal in a process of its own, for it may have broken the pool."""
        with _new_pool(1) as pool:
            try:
                return pool.submit(order_one, *crystal, settings).result()
            except BrokenProcessPool:
                return Ordered(
                    failure="ordering it killed its process, perhaps for lack of memory: order it with another tool"
                )


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
