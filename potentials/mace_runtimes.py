"""The runtimes that can evaluate a MACE model: which one a user asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from ..errors import PotentialError

Runtime = Literal["auto", "torch", "symmetrix"]
"""`torch` is mace-torch itself, `symmetrix` compiled code, `auto` the second where it can be had and agrees."""

OPTION = "runtime"
"""Name of the option of the potential `mace`."""

DEFAULT_RUNTIME: Runtime = "torch"

SYMMETRIX_OPTIONS = frozenset({"head"})
"""Options of MACE's calculator that symmetrix knows, too."""


def requested_runtime(options: Mapping[str, Any], default: Runtime = DEFAULT_RUNTIME) -> Runtime:
    """Read the runtime among the options of the potential `mace`.

    Parameters
    ----------
    options : mapping
        Options of the specification.
    default : str
        What holds where they name none.

    Returns
    -------
    str
        ``auto``, ``torch`` or ``symmetrix``.

    Raises
    ------
    PotentialError
        If there is no such runtime.

    Examples
    --------
    >>> requested_runtime({"head": "pbe"})
    'torch'
    """
    runtime = options.get(OPTION, default)
    if runtime not in get_args(Runtime):
        raise PotentialError(
            f"There is no runtime {runtime!r} of the potential 'mace': use {', '.join(get_args(Runtime)[:-1])} or "
            f"{get_args(Runtime)[-1]}."
        )
    return runtime
