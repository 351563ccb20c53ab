"""Errors whose message is one sentence for the user: what is wrong, where, and how to mend it."""

from __future__ import annotations


class SuperionError(Exception):
    """A mistake or a limit that the user can mend.

    The command line prints the message without a traceback and ends with `exit_code`.
    Every message is one sentence that says what is wrong, where, and how to mend it.

    Attributes
    ----------
    exit_code : int
        The exit status of the command that meets this error.
    """

    exit_code: int = 1


class StructureError(SuperionError):
    """A crystal structure that cannot be read, ordered or simulated."""


class PotentialError(SuperionError):
    """A potential that is not installed, not found, or does not know an element."""


class UnknownElementError(PotentialError):
    """A potential that was not made for an element of a structure: the structure's fault, not the set-up's."""


class RuntimeUnavailableError(PotentialError):
    """A runtime that cannot evaluate a model here: not installed, or the model cannot be converted or disagrees."""


class NonFiniteResultError(PotentialError):
    """A potential that gives energies, forces or stresses that are not numbers for atoms at finite positions."""


class TrainingError(PotentialError):
    """Labelled frames from which no potential can be trained, or a training that failed."""


class ProtocolError(SuperionError):
    """A setting of the molecular dynamics that makes no sense, such as a negative temperature."""


class TrajectoryError(SuperionError):
    """A trajectory file or folder that cannot be read or written."""


class CheckpointError(TrajectoryError):
    """A checkpoint that is damaged or belongs to another structure, potential or protocol."""


class LockedTrajectoryError(TrajectoryError):
    """A trajectory folder that another living process is writing."""


class AnalysisError(SuperionError):
    """A trajectory from which no transport property can be derived."""


class StoreError(SuperionError):
    """A result store that cannot be opened, read or written."""


class StoreAwayError(StoreError):
    """A result store whose server did not answer for as long as was waited; it may later."""


class UnreadableRunError(SuperionError):
    """A flow or an outcome of an earlier run that this installation cannot rebuild."""


class SettingsError(SuperionError):
    """A setting, a preset or a command-line option that does not exist or does not fit."""


def as_clause(sentence: str) -> str:
    """Make a whole sentence fit behind a colon.

    Parameters
    ----------
    sentence : str
        Such as the message of a `SuperionError`.

    Returns
    -------
    str
        Without its capital and its full stop.

    Examples
    --------
    >>> as_clause("There is no such stage.")
    'there is no such stage'
    """
    return sentence[:1].lower() + sentence[1:].rstrip(".;")


def reason_of(error: Exception) -> str:
    """Say why something failed: in the words of a `SuperionError`, and by its kind for any other error.

    Parameters
    ----------
    error : Exception
        What was raised.

    Returns
    -------
    str
        One sentence, or the kind and the message.

    Examples
    --------
    >>> reason_of(ValueError("no"))
    'ValueError: no'
    """
    return str(error) if isinstance(error, SuperionError) else f"{type(error).__name__}: {error}"
