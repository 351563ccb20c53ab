"""A stage of somebody else's whose flow grows while it runs: a detour, a fan-out, its summary, and an addition."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from jobflow import Flow, Response
from pydantic import Field
from superion.database.documents import StageDoc
from superion.database.properties import PropertyEstimate
from superion.runtime.maker import Maker
from superion.runtime.timed_job import job
from superion.workflows.stages.assembly import assemble, candidate_of, identity_of
from superion.workflows.stages.stage import Stage, StageSettings
from superion.workflows.stages.stage_document import stage_document


@dataclass
class MemberMaker(Maker):
    """One of many: notes when it begins and when it has ended. A file `hang-N` holds it up, `broken-N` ends it."""

    resource_kind: ClassVar[str] = "md"

    name: str = "member"
    folder: str = "."

    @job
    def make(self, number: int) -> int:
        """Square a number."""
        note(self.folder, f"begun-{number}")
        while (Path(self.folder) / f"hang-{number}").exists():
            time.sleep(0.1)
        if (Path(self.folder) / f"broken-{number}").exists():
            raise ValueError(f"member {number} is broken")
        note(self.folder, f"ended-{number}")
        return number**2


@dataclass
class NoteMaker(Maker):
    """A job beside the others."""

    resource_kind: ClassVar[str] = "relax"

    name: str = "note"
    folder: str = "."

    @job
    def make(self, word: str) -> None:
        """Note that it ran."""
        note(self.folder, word)


@dataclass
class SummaryMaker(Maker):
    """Waits for all members."""

    name: str = "summary"
    folder: str = "."

    @job(output_schema=StageDoc)
    def make(self, identity, candidate, squares):
        """Sum up."""
        note(self.folder, "summary")
        total = PropertyEstimate(value=float(sum(squares)))
        return stage_document(identity, candidate, properties={"mean_atomic_mass_amu": total})


@dataclass
class FanMaker(Maker):
    """Replaces itself by its members and their summary, with an addition that nobody waits for."""

    name: str = "fan"
    folder: str = "."

    @job(output_schema=StageDoc)
    def make(self, identity, candidate, n_members):
        """Fan out."""
        note(self.folder, "fan")
        members = [MemberMaker(folder=self.folder).make(number) for number in range(n_members)]
        summary = SummaryMaker(folder=self.folder).make(identity, candidate, [member.output for member in members])
        return Response(
            replace=Flow([*members, summary], output=summary.output),
            addition=NoteMaker(folder=self.folder).make("addition"),
        )


@dataclass
class CountMaker(Maker):
    """Makes a detour first."""

    name: str = "count"
    folder: str = "."

    @job
    def make(self, n_members):
        """Give the number, after a detour."""
        return Response(output=n_members, detour=NoteMaker(folder=self.folder).make("detour"))


class GrowingSettings(StageSettings):
    """How far it grows."""

    n_members: int = Field(default=3, gt=0, description="jobs at a time")
    folder: str = Field(default=".", description="where the jobs leave their notes")


class GrowingStage(Stage):
    """Grows while it runs."""

    name = "growing"
    description = "square as many numbers as asked for, each in a job of its own"
    settings_model = GrowingSettings
    properties = ("mean_atomic_mass_amu",)
    uses_potential = False

    def make(self, structure, settings, context):
        """Build the flow."""
        identity = identity_of(self, structure, settings, context)
        count = CountMaker(folder=settings.folder).make(settings.n_members)
        fan = FanMaker(folder=settings.folder).make(identity, candidate_of(structure, context), count.output)
        return assemble(identity, [count], fan, context)


def note(folder: str, word: str) -> None:
    """Note that a job ran."""
    with (Path(folder) / word).open("a") as file:
        file.write("x")
