"""A stage of somebody else's whose units share work: some that they require, and some that they can do without."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from growing_stage import MemberMaker, note
from pydantic import Field
from superion.database.documents import StageDoc
from superion.database.properties import PropertyEstimate
from superion.runtime.maker import Maker
from superion.runtime.timed_job import job
from superion.workflows.stages.assembly import assemble, candidate_of, identity_of
from superion.workflows.stages.shared_flow import SharedFlow, shared_key
from superion.workflows.stages.stage import Stage, StageSettings
from superion.workflows.stages.stage_document import stage_document


@dataclass
class SharerMaker(Maker):
    """Adds what it got of shared work."""

    name: str = "sharer"
    folder: str = "."
    factor: float = 1.0

    @job(output_schema=StageDoc)
    def make(self, identity, candidate, base, extra):
        """Add, and count what it had to do without as nothing."""
        note(self.folder, f"sharer-{candidate.label}")
        total = self.factor * (base + (extra or 0))
        return stage_document(
            identity, candidate, properties={"mean_atomic_mass_amu": PropertyEstimate(value=float(total))}
        )


class SharingSettings(StageSettings):
    """What is shared."""

    folder: str = Field(default=".", description="where the jobs leave their notes")
    factor: float = Field(default=1.0, description="what the sum is multiplied with")


class SharingStage(Stage):
    """All materials share the square of seven, and those of an anion one that they can do without."""

    name = "sharing"
    description = "add squares that others need, too"
    settings_model = SharingSettings
    properties = ("mean_atomic_mass_amu",)
    uses_potential = False

    def shared_flows(self, structure, settings, context):
        """Declare them."""
        square = MemberMaker(folder=settings.folder).make
        extra = 8 if "Br" in structure.symbol_set else 9
        keys = [shared_key("square", {"number": number}, context, uses_potential=False) for number in (7, extra)]
        return [
            SharedFlow(keys[0], "square", "seven", partial(square, 7)),
            SharedFlow(keys[1], "square", f"the extra {extra}", partial(square, extra), is_required=False),
        ]

    def make(self, structure, settings, context):
        """Build the flow."""
        identity = identity_of(self, structure, settings, context)
        base, extra = (context.shared[flow.key] for flow in self.shared_flows(structure, settings, context))
        sharer = SharerMaker(folder=settings.folder, factor=settings.factor)
        return assemble(identity, [], sharer.make(identity, candidate_of(structure, context), base, extra), context)
