"""The base of all Makers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jobflow
from monty.json import jsanitize


@dataclass
class Maker(jobflow.Maker):
    """A Maker that is written down as plain data, its settings included.

    jobflow's own leaves pydantic models in what it writes. FireWorks' manager then turns these into text, and the job
    cannot be read back on the worker.

    Parameters
    ----------
    name : str
        Name of its jobs.

    Examples
    --------
    >>> from superion.makers.md import MdMaker
    >>> isinstance(MdMaker().as_dict()["protocol"], dict)
    True
    """

    name: str = "Maker"

    def as_dict(self) -> dict[str, Any]:
        """Write the Maker as plain data.

        Returns
        -------
        dict
            For `from_dict`.
        """
        plain: dict[str, Any] = jsanitize(super().as_dict(), strict=True, enum_values=True)
        return plain
