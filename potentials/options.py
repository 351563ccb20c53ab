"""Options of a calculator that exist, so that a misspelt one does not pass unnoticed."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Set
from typing import Any

from ..errors import PotentialError


def check_options(
    name: str, options: Iterable[str], factory: Callable[..., Any], *, own: Set[str], unnamed: Set[str] = frozenset()
) -> None:
    """Refuse options that a calculator does not have; ASE's base class would swallow them without a word.

    Parameters
    ----------
    name : str
        The potential's name, for the message.
    options : iterable of str
        Names that the user gave.
    factory : callable
        The calculator class.
    own : set of str
        Arguments that superion sets itself from the specification.
    unnamed : set of str
        What the class takes out of its keyword arguments without naming it in its signature.

    Raises
    ------
    PotentialError
        Naming the option and the nearest that exists.
    """
    known = {
        parameter.name
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
    }
    known = (known | unnamed) - own
    for option in options:
        if option in own:
            raise PotentialError(
                f"The option '{option}' of the potential '{name}' is set by its fields model, device and dtype: "
                "use those."
            )
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1, cutoff=0.6)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise PotentialError(
                f"The potential '{name}' has no option '{option}': {hint}its options are {', '.join(sorted(known))}."
            )
