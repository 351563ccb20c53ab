"""A trajectory: where its files lie and how its run ended; never its frames."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ...dynamics.protocol import MdProtocol
from ...dynamics.results import MdResult
from .base import SuperionDocument


class TrajectoryDoc(SuperionDocument):
    """One trajectory (temperature and replica)."""

    listed: ClassVar = {"state": "run.state", "temperature_k": "protocol.temperature_k"}

    doc_type: Literal["trajectory"] = "trajectory"
    mobile_ion: str = Field(description="element symbol of the mobile ion")
    ion_charge: float = Field(description="formal charge of the mobile ion in elementary charges")
    protocol: MdProtocol = Field(description="what was run")
    run: MdResult = Field(description="state, files and history of the run")
