"""Parity figures: what a student gives against what its teacher gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .figures import BAND, INK, STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...database.documents.potential_parts import ParityData


def parity_figure(data: Sequence[ParityData]) -> Figure:
    """Draw one panel for each quantity.

    Parameters
    ----------
    data : sequence of ParityData
        At least one.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; points on the line agree.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.6 * len(data), 3.5), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, len(data)))
        for axes, one in zip(panels, data, strict=True):
            teacher, student = np.asarray(one.teacher), np.asarray(one.student)
            both = np.concatenate([teacher, student])
            ends = (float(both.min()), float(both.max())) if both.size else (0.0, 1.0)
            axes.plot(ends, ends, color=INK, linewidth=0.9)
            axes.plot(teacher, student, marker=".", markersize=3, linestyle="none", color=BAND, alpha=0.6)
            axes.set_title(one.quantity)
            axes.set_xlabel(f"teacher ({one.unit})")
            axes.set_ylabel(f"student ({one.unit})")
            axes.set_aspect("equal", adjustable="datalim")
    return figure
