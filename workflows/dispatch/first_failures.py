"""Which of the failures of a unit came first: the others follow from it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def first_failures(failed: Iterable[Name], parents: Mapping[Name, Iterable[Name]]) -> list[Name]:
    """Choose the failed jobs that have no failed job anywhere above them.

    Parameters
    ----------
    failed : iterable
        Names of failed jobs.
    parents : mapping
        By name, the jobs that it waits for; those of jobs that are left out are none.

    Returns
    -------
    list
        In the order of `failed`.

    Examples
    --------
    >>> first_failures(["summary", "second"], {"summary": ["store"], "store": ["first", "second"]})
    ['second']
    """
    names = list(failed)
    return [name for name in names if not jobs_above(name, parents) & set(names)]


def jobs_above(name: Name, parents: Mapping[Name, Iterable[Name]]) -> set[Name]:
    """Give all jobs that one waits for, and those that these wait for.

    Parameters
    ----------
    name : hashable
        Name of a job.
    parents : mapping
        By name, the jobs that it waits for.

    Returns
    -------
    set
        Without itself.
    """
    found: set[Name] = set()
    frontier = set(parents.get(name, ()))
    while frontier:
        found |= frontier
        frontier = {above for one in frontier for above in parents.get(one, ())} - found
    return found - {name}
