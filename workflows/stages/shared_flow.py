"""Work that many units need and that is done once per store: its name, its flow, and what comes out of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jobflow import Flow, Job
from monty.json import MontyDecoder, MontyEncoder

from ...database.documents import StageDoc
from ...errors import SettingsError
from ...potentials.identity import potential_identity
from .assembly import assemble
from .shared_result import OUTPUT, SharedResultMaker
from .stage import StageContext
from .stage_document import StageIdentity


@dataclass(frozen=True)
class SharedFlow:
    """What a stage needs for a structure and for others, too.

    Campaigns run it once per store, on whichever engine, before the units that declare it.

    Parameters
    ----------
    key : str
        What `shared_key` gives: units that declare the same key share it.
    kind : str
        What it makes, in a few words, such as "reference phase".
    label : str
        What it is about, such as the name of the phase.
    make : callable
        Gives the flow or the job, whose output the units get as a reference.
    is_required : bool
        Whether the units fail where it does; else they get None in place of the reference.
    estimated_steps : tuple of tuple of int
        For plans, number of force evaluations and atoms in the cell of each part, with the stage's potential; empty for
        work that needs none.
    """

    key: str
    kind: str
    label: str
    make: Callable[[], Flow | Job]
    is_required: bool = True
    estimated_steps: tuple[tuple[int, int], ...] = ()


def shared_key(kind: str, identity: Mapping[str, Any], context: StageContext, *, uses_potential: bool = True) -> str:
    """Identify shared work: by what makes its result what it is, and by nothing of who asks for it.

    Parameters
    ----------
    kind : str
        What it makes.
    identity : mapping
        Plain data: fingerprints of structures, settings.
    context : StageContext
        The campaign's potential is part of the key.
    uses_potential : bool
        Whether the result depends on the potential.

    Returns
    -------
    str
        sha256 in hexadecimal.
    """
    parts: dict[str, Any] = {"shared": kind, "identity": dict(identity)}
    if uses_potential:
        parts["potential"] = context.potential_identity or potential_identity(context.potential)
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def unit_of_shared(shared: SharedFlow, context: StageContext) -> Flow:
    """Make the flow of shared work as engines take it: its last job says that it is done, and where its output is.

    Parameters
    ----------
    shared : SharedFlow
        The work.
    context : StageContext
        The campaign that asks for it first.

    Returns
    -------
    Flow
        Its output is a `StageDoc` under the key of the work.

    Raises
    ------
    SettingsError
        If the flow declares no output that the units could get.
    """
    made = shared.make()
    if made.output is None:
        raise SettingsError(f"The {shared.kind} of {shared.label} has no output: mend the package of the stage.")
    identity = StageIdentity(stage=shared.kind, stage_key=shared.key)
    written = json.dumps(made.output, cls=MontyEncoder)
    last = SharedResultMaker().make(identity, shared.label, made.output, written)
    return assemble(identity, [made], last, context)


def output_of_shared(document: StageDoc) -> Any:
    """Give the output of shared work as its flow declared it.

    Parameters
    ----------
    document : StageDoc
        What its last job stored.

    Returns
    -------
    object
        References to outputs of jobs in the store, for the jobs that need them.
    """
    return MontyDecoder().process_decoded(json.loads(document.details[OUTPUT]))
