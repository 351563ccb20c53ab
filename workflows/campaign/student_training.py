"""The flow that trains a student of a campaign, as shared work."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jobflow import Flow

from ...errors import SettingsError
from ...flows.declaration import FlowDescription
from ...flows.registry import describe_flow
from ...flows.settings import apply_settings
from ...runtime.job_names import sanitize_job_name
from ...runtime.maker import Maker
from ..stages.assembly import checkpoint_root_of
from ..stages.shared_flow import SharedFlow, shared_key
from ..stages.stage import StageContext
from .file.distillation import DistilledPotential
from .student_groups import StudentGroup

FLOW = "distil-potential"
"""Name of the flow that trains."""

KIND = "student potential"
"""What the shared work makes, as queues and logs call it."""


def student_maker(
    distillation: DistilledPotential, temperatures_k: Sequence[float], mobile_ion: tuple[str, float] | None = None
) -> Maker:
    """Set up the flow that trains students.

    Parameters
    ----------
    distillation : DistilledPotential
        What the campaign file asks for.
    temperatures_k : sequence of float
        Temperatures in K that they are trained for.
    mobile_ion : tuple of str and float or None
        Element that moves, and its charge in elementary charges; None guesses them.

    Returns
    -------
    Maker
        The flow.

    Raises
    ------
    SettingsError
        If the flow is not installed, or has no such setting.
    """
    described = describe_flow(FLOW)
    asked: dict[str, Any] = {
        "teacher": distillation.distil,
        "size": distillation.size,
        "temperatures": list(temperatures_k),
    }
    if mobile_ion is not None:
        asked |= {"mobile-ion": mobile_ion[0], "ion-charge": mobile_ion[1]}
    names = _settings_of(described, (*asked, "device"))
    settings = {names[option]: value for option, value in asked.items()}
    if distillation.device != "auto":
        settings[names["device"]] = distillation.device
    maker: Maker = apply_settings(described.maker(), settings | distillation.settings)
    return maker


def student_flow(
    distillation: DistilledPotential, temperatures_k: Sequence[float], group: StudentGroup, context: StageContext
) -> SharedFlow:
    """Declare the training of a student.

    Parameters
    ----------
    distillation : DistilledPotential
        What the campaign file asks for.
    temperatures_k : sequence of float
        Temperatures in K that it is trained for.
    group : StudentGroup
        What it is for.
    context : StageContext
        The campaign that asks.

    Returns
    -------
    SharedFlow
        Once per store for the same group, teacher, architecture, temperatures and settings. Which members of a family
        it learns from is no part of its key: what joins later uses it too, and is flagged if it has another
        composition.
    """
    identity = {
        "group": group.identity,
        "training": distillation.identity(temperatures_k),
        "mobile_ion": [context.mobile_ion, context.ion_charge],
    }
    key = shared_key(KIND, identity, context, uses_potential=False)
    return SharedFlow(key, KIND, group.label, make=partial(_make, distillation, temperatures_k, group, context, key))


def _make(
    distillation: DistilledPotential,
    temperatures_k: Sequence[float],
    group: StudentGroup,
    context: StageContext,
    key: str,
) -> Flow:
    """Make the flow, with the crystals that the group has now."""
    maker = student_maker(distillation, temperatures_k, (context.mobile_ion, context.ion_charge))
    if getattr(maker, "checkpoint_root", "") is None:
        maker = apply_settings(maker, {"checkpoint_root": checkpoint_root_of(context)})
    name = student_name(group.label, distillation, key)
    return maker.make(list(group.structures()), label=name)


def student_name(label: str, distillation: DistilledPotential, key: str) -> str:
    """Name a student after what it is for, its teacher, its size, and its key.

    Parameters
    ----------
    label : str
        What it is for.
    distillation : DistilledPotential
        Teacher and size.
    key : str
        Key of the shared work.

    Returns
    -------
    str
        A name of letters, digits and dashes.

    Examples
    --------
    >>> student_name("Li-P-S", DistilledPotential.model_validate({"distil": "chgnet"}), "0123456789")
    'Li-P-S-chgnet-tiny-012345'
    """
    words = [label, distillation.distil.name, Path(distillation.size).stem, key[:6]]
    return "-".join(sanitize_job_name(word).replace(" ", "-") for word in words)


def _settings_of(described: FlowDescription, options: Sequence[str]) -> dict[str, Any]:
    """Give the settings that options of the flow are short forms of."""
    settings = {option.name: option.setting for option in described.options}
    missing = next((name for name in options if name not in settings), None)
    if missing is not None:
        raise SettingsError(
            f"The flow {FLOW} of {described.maker.__module__} has no option '{missing}': update the package that "
            "registers it."
        )
    return settings
