"""Two screenings side by side: steps, the best candidates, and the truth, for `sequential_stopping.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from stopping_protocols import Screened

N_DRAWS = 2000

Interval = tuple[float, float, float]
"""A number and the ends of its 95 % interval over candidates."""


@dataclass(frozen=True)
class Comparison:
    """A screening beside a reference.

    Parameters
    ----------
    ratio : Interval
        Its steps over the reference's.
    overlap : Interval
        Which share of its best k are also the reference's; NaN where fewer candidates than k were screened.
    recall : Interval or None
        Which share of its best k are the true best k; None where the truth is not known.
    decades_lost : Interval or None
        By how many decades the geometric mean of the true σ(300 K) of its best k lies below that of the true best k.
    """

    ratio: Interval
    overlap: Interval
    recall: Interval | None
    decades_lost: Interval | None


def compare(screened: Screened, reference: Screened, k: int, truth: Mapping[str, float] | None = None) -> Comparison:
    """Compare the best k of two screenings of the same candidates.

    The intervals come from drawing as many candidates anew, with replacement. Who came through a rule that compares
    candidates is not judged anew, so they hold for rules that cut at the same height.

    Parameters
    ----------
    screened, reference : Screened
        The screenings.
    k : int
        How many are the best.
    truth : mapping of str to float or None
        True log10 σ(300 K) by name.

    Returns
    -------
    Comparison
        With 95 % intervals.
    """
    names = sorted(reference.steps)
    generator = np.random.default_rng(0)
    draws = [Counter(generator.choice(names, len(names)).tolist()) for _ in range(N_DRAWS)]
    everyone = Counter(names)
    true_order = sorted(truth, key=lambda name: (-truth[name], name)) if truth else []

    def interval(measure: Callable[[Mapping[str, int]], float]) -> Interval:
        low, high = np.percentile([measure(draw) for draw in draws], [2.5, 97.5])
        return measure(everyone), float(low), float(high)

    def ratio(draw: Mapping[str, int]) -> float:
        spent = sum(screened.steps[name] * times for name, times in draw.items())
        return spent / sum(reference.steps[name] * times for name, times in draw.items())

    def shared(with_order: Sequence[str], draw: Mapping[str, int]) -> float:
        return sum((best(screened.ranked, k, draw) & best(with_order, k, draw)).values()) / k

    def decades_lost(draw: Mapping[str, int]) -> float:
        assert truth is not None
        chosen, wanted = best(screened.ranked, k, draw), best(true_order, k, draw)
        # A place that nobody takes counts as if the worst candidate had it.
        missing = (k - sum(chosen.values())) * truth[true_order[-1]]
        found = sum(truth[name] * times for name, times in chosen.items()) + missing
        return (sum(truth[name] * times for name, times in wanted.items()) - found) / k

    return Comparison(
        ratio=interval(ratio),
        overlap=interval(partial(shared, reference.ranked)),
        recall=interval(partial(shared, true_order)) if truth else None,
        decades_lost=interval(decades_lost) if truth else None,
    )


def best(order: Sequence[str], k: int, draw: Mapping[str, int]) -> Counter[str]:
    """Take the best k of a draw in which a candidate may stand several times.

    Parameters
    ----------
    order : sequence of str
        Names, best first.
    k : int
        How many to take.
    draw : mapping of str to int
        How often each was drawn.

    Returns
    -------
    Counter of str
        How often each is among the best k.

    Examples
    --------
    >>> sorted(best(["a", "b", "c"], 3, {"a": 2, "b": 0, "c": 5}).items())
    [('a', 2), ('c', 1)]
    """
    taken: Counter[str] = Counter()
    for name in order:
        times = min(k - taken.total(), draw.get(name, 0))
        if times > 0:
            taken[name] = times
    return taken
