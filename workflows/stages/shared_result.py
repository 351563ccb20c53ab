"""The last job of work that many units share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...database.documents import StageDoc
from ...runtime.maker import Maker
from ...runtime.provenance import job_provenance
from ...runtime.timed_job import job
from .stage_document import StageIdentity

OUTPUT = "output"
"""Entry of the details: the references to the output, as JSON."""


@dataclass
class SharedResultMaker(Maker):
    """Record that shared work is done, and which jobs hold what came out of it.

    Parameters
    ----------
    name : str
        Name of the job.
    """

    name: str = "shared result"

    @job(output_schema=StageDoc)
    def make(self, identity: StageIdentity, label: str, output: Any, references: str) -> StageDoc:
        """Record one result.

        Parameters
        ----------
        identity : StageIdentity
            What it makes, and its key.
        label : str
            What it is about.
        output : object
            The output itself: without it this job fails.
        references : str
            The references to it, as JSON: jobs that need the output resolve them for themselves.

        Returns
        -------
        StageDoc
            Completed, without properties.
        """
        return StageDoc(
            formula="",
            label=label,
            provenance=job_provenance(),
            stage=identity.stage,
            stage_key=identity.stage_key,
            state="completed",
            details={OUTPUT: references},
        )
