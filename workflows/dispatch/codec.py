"""Jobs, flows and job responses as JSON text, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobflow import Flow, Job, Response
from monty.json import MontyDecoder, MontyEncoder, jsanitize

from ...errors import UnreadableRunError

_DATETIME_TAG = "$datetime"


@dataclass
class JobOutcome:
    """What a job gave back: its response for the scheduler and its document for the store.

    Parameters
    ----------
    response : Response
        Replacement, detour, addition and stop flags; without the output, which is in the document.
    document : dict
        The document for the job store.
    save : dict or bool or None
        Which parts of the document belong into additional stores.
    wall_time_s : float
        Time that the job took, in s.
    """

    response: Response
    document: dict[str, Any]
    save: Any
    wall_time_s: float


def encode_flow(flow: Flow | Job) -> str:
    """Write a flow or a job as JSON.

    Parameters
    ----------
    flow : Flow or Job
        What to write.

    Returns
    -------
    str
        JSON text for `decode_flow`.
    """
    return json.dumps(jsanitize(flow.as_dict(), strict=True, enum_values=True), cls=MontyEncoder)


def decode_flow(text: str | bytes) -> Any:
    """Read a flow or a job from JSON.

    Parameters
    ----------
    text : str or bytes
        What `encode_flow` wrote.

    Returns
    -------
    Flow or Job
        The object, with the uuids it had.

    Raises
    ------
    UnreadableRunError
        If the file is damaged, or names classes that this installation lacks or builds otherwise.
    """
    try:
        return _rebuilt(json.loads(text))
    except Exception as error:
        # The constructors of any package run here, and may raise anything.
        raise _unreadable("flow", error) from error


def encode_outcome(outcome: JobOutcome) -> str:
    """Write a job's outcome as JSON.

    Parameters
    ----------
    outcome : JobOutcome
        What the job gave back.

    Returns
    -------
    str
        JSON text for `decode_outcome`.
    """
    response = outcome.response
    return json.dumps(
        {
            "response": {
                "replace": None if response.replace is None else json.loads(encode_flow(response.replace)),
                "detour": None if response.detour is None else json.loads(encode_flow(response.detour)),
                "addition": None if response.addition is None else json.loads(encode_flow(response.addition)),
                "stop_children": response.stop_children,
                "stop_jobflow": response.stop_jobflow,
            },
            "document": outcome.document,
            "save": outcome.save,
            "wall_time_s": outcome.wall_time_s,
        },
        default=_tag_datetime,
    )


def decode_outcome(text: str | bytes) -> JobOutcome:
    """Read a job's outcome from JSON.

    The document stays plain data, as the store wants it; only the jobs in the response are rebuilt.

    Parameters
    ----------
    text : str or bytes
        What `encode_outcome` wrote.

    Returns
    -------
    JobOutcome
        The outcome.

    Raises
    ------
    UnreadableRunError
        If the file is damaged, or names classes that this installation lacks or builds otherwise.

    Examples
    --------
    >>> try:
    ...     decode_outcome('{"response": ')
    ... except UnreadableRunError as error:
    ...     print(str(error)[:65])
    The outcome of an earlier run cannot be read by this installation
    """
    try:
        raw = json.loads(text, object_hook=_untag_datetime)
        fields = raw["response"]
        for name in ("replace", "detour", "addition"):
            if fields[name] is not None:
                fields[name] = _rebuilt(fields[name])
        return JobOutcome(
            response=Response(**fields), document=raw["document"], save=raw["save"], wall_time_s=raw["wall_time_s"]
        )
    except Exception as error:
        # The constructors of any package run here, and may raise anything.
        raise _unreadable("outcome", error) from error


def _rebuilt(plain: Any) -> Any:
    """Build a flow or a job from plain data."""
    flow = MontyDecoder().process_decoded(plain)
    for job in _jobs_of(flow):
        # monty leaves a function that it does not find as it was written.
        if not callable(job.function):
            raise LookupError(f"there is no {job.function['@module']}.{job.function['@callable']}")
    return flow


def _jobs_of(flow: Flow | Job) -> Iterator[Job]:
    if isinstance(flow, Flow):
        for part in flow.jobs:
            yield from _jobs_of(part)
    else:
        yield flow


def _unreadable(what: str, error: Exception) -> UnreadableRunError:
    return UnreadableRunError(
        f"The {what} of an earlier run cannot be read by this installation ({type(error).__name__}: {error}): it is "
        "damaged, or other versions of superion and its plug-ins wrote it."
    )


def _tag_datetime(value: Any) -> Any:
    """Keep times as times: stores sort by them."""
    if isinstance(value, datetime):
        return {_DATETIME_TAG: value.isoformat()}
    return MontyEncoder().default(value)


def _untag_datetime(value: dict[str, Any]) -> Any:
    if set(value) == {_DATETIME_TAG}:
        return datetime.fromisoformat(value[_DATETIME_TAG])
    return value
