"""The trivial job of `dispatch.py`, where workers can import it, and the units that hand it over."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from jobflow import Flow, Maker, job
from superion.workflows.dispatch.queue_engine import UnitTicket

CAMPAIGN_ID = "overhead"


@dataclass
class SumMaker(Maker):
    """Add two numbers in an allocation that such jobs share, where the engine packs.

    Parameters
    ----------
    name : str
        Name of the job.
    """

    name: str = "sum"
    resource_kind: ClassVar[str] = "analysis"

    @job
    def make(self, first: int, second: int) -> int:
        """Add."""
        return first + second


@dataclass
class LoneSumMaker(SumMaker):
    """Add two numbers as a job of dynamics: jobflow-remote gives each an allocation of its own.

    Parameters
    ----------
    name : str
        Name of the job.
    """

    resource_kind: ClassVar[str] = "md"


def sum_units(maker: SumMaker, number: int, campaign_id: str = CAMPAIGN_ID) -> list[tuple[UnitTicket, Flow]]:
    """Make units of one job each.

    Parameters
    ----------
    maker : SumMaker
        Which kind.
    number : int
        How many.
    campaign_id : str
        Campaign that they are said to belong to.

    Returns
    -------
    list of (UnitTicket, Flow)
        Units; job i adds i and 1.
    """
    units = []
    for index in range(number):
        added = maker.make(index, 1)
        ticket = UnitTicket(campaign_id, uuid.uuid4().hex, "sum", f"candidate {index}", f"sum {index}")
        units.append((ticket, Flow([added], output=added.output, name=ticket.label)))
    return units
