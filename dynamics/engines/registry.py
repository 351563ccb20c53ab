"""MD engines by name: superion's own and those that other packages register by entry point."""

from __future__ import annotations

from typing import Any

from ...errors import ProtocolError
from ...plugins import PluginGroup
from .engine import MdEngine

MD_ENGINES: PluginGroup[MdEngine[Any]] = PluginGroup("superion.md_engines", "MD engine", MdEngine, ProtocolError)
"""The entry points by which any package registers an MD engine."""


def md_engine_class(name: str) -> type[MdEngine[Any]]:
    """Find the MD engine registered under a name.

    Parameters
    ----------
    name : str
        Registered name.

    Returns
    -------
    type of MdEngine
        The class.

    Raises
    ------
    ProtocolError
        When no such name is registered (the nearest known one is named) or its package is broken.

    Examples
    --------
    >>> md_engine_class("ase").description
    "ASE's integrators, one trajectory at a time, with any potential"
    """
    return MD_ENGINES.load(name)
