"""Finding presenters by kind of document: ours and those of other packages."""

from __future__ import annotations

from functools import cache

from ...plugins import PluginGroup
from .presenter import Presenter

PRESENTERS: PluginGroup[Presenter] = PluginGroup("superion.presenters", "presenter", Presenter)
"""The entry points by which any package registers a presenter under the `doc_type` that it shows."""


@cache
def presenter_of(doc_type: str) -> Presenter:
    """Load the presenter of a kind of document.

    Parameters
    ----------
    doc_type : str
        Kind of document.

    Returns
    -------
    Presenter
        The plain one where no package registers another, or what it registers does not load.

    Warns
    -----
    BrokenPluginWarning
        In the latter case.

    Examples
    --------
    >>> type(presenter_of("conductivity")).__name__, type(presenter_of("relax")).__name__
    ('ConductivityPresenter', 'Presenter')
    """
    return (PRESENTERS.find_sound(doc_type) or Presenter)()
