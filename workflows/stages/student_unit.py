"""The unit of a stage whose potential is trained by the campaign: its flow is made once the potential is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from jobflow import Flow, Response
from pymatgen.core import Structure

from ...database.documents import PotentialDoc, StageDoc
from ...potentials.specification import potential_specification
from ...runtime.atoms import as_structure
from ...runtime.maker import Maker
from ...runtime.student_potential import student_potential
from ...runtime.timed_job import job
from .assembly import assemble, identity_of
from .registry import load_stage
from .stage import Stage, StageContext, StageSettings


@dataclass
class StudentUnitMaker(Maker):
    """Replace itself by the flow of a stage, computed with a potential that another job trained.

    Parameters
    ----------
    name : str
        Name of the job.
    device : str
        Where the student computes: auto, cpu, cuda, cuda:1.
    force : bool
        Whether it is used though its validation rejected it.
    """

    name: str = "take student"
    device: str = "auto"
    force: bool = False

    @job(output_schema=StageDoc)
    def make(
        self,
        stage: str,
        structure: Structure,
        settings: dict[str, Any],
        context: dict[str, Any],
        student: PotentialDoc,
        shared: dict[str, Any] | None = None,
    ) -> Response:
        """Make the flow of a unit.

        Parameters
        ----------
        stage : str
            Name of the stage.
        structure : Structure
            Ordered structure that it starts from.
        settings : dict
            Settings of the stage, as plain data.
        context : dict
            What `plain_context` gives.
        student : PotentialDoc
            The trained potential.
        shared : dict or None
            By key, outputs of the shared work that the stage declared.

        Returns
        -------
        Response
            The flow in place of this job.

        Raises
        ------
        PotentialError
            If the student was rejected, or its model file cannot be had on this host.
        """
        loaded = load_stage(stage)
        potential = student_potential(
            student, checkpoint_root=context["checkpoint_root"], device=self.device, force=self.force
        )
        known = StageContext(
            **{
                **context,
                "teacher": potential_specification(context["teacher"]),
                "potential": potential,
                "shared": shared or {},
            }
        )
        flow = loaded.make(as_structure(structure), loaded.settings_model.model_validate(settings), known)
        return Response(replace=flow)


def student_unit(
    stage: Stage,
    structure: Structure,
    settings: StageSettings,
    context: StageContext,
    student: Any,
    *,
    device: str = "auto",
    force: bool = False,
) -> Flow:
    """Make the flow of a stage that computes with a trained potential.

    Parameters
    ----------
    stage : Stage
        The stage.
    structure : Structure
        Ordered structure that it starts from.
    settings : StageSettings
        Its settings.
    context : StageContext
        Names; its identity of the potential is that of the training.
    student : OutputReference
        The document of the trained potential.
    device : str
        Where the student computes.
    force : bool
        Whether it is used though its validation rejected it.

    Returns
    -------
    Flow
        Its output is a `StageDoc`.
    """
    identity = identity_of(stage, structure, settings, context)
    last = StudentUnitMaker(device=device, force=force).make(
        stage.name,
        structure,
        settings.model_dump(mode="json"),
        plain_context(context),
        student,
        dict(context.shared) or None,
    )
    return assemble(identity, [], last, context)


def plain_context(context: StageContext) -> dict[str, Any]:
    """Write down what a campaign says to a stage, for a job.

    Parameters
    ----------
    context : StageContext
        Names, ion and teacher.

    Returns
    -------
    dict
        Plain data, without the potential and the shared work, which the job is given.
    """
    plain = vars(replace(context, shared={})).copy()
    del plain["potential"], plain["shared"]
    assert context.teacher is not None
    return {
        **plain,
        "teacher": context.teacher.model_dump(mode="json"),
        "potential_identity": dict(context.potential_identity or {}),
    }
