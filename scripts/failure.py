"""What the user reads when a command fails: one sentence, and a traceback only on demand."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SuperionError
from ..plugins import BrokenPluginWarning

if TYPE_CHECKING:
    from pydantic import ValidationError

DEBUG_OPTION = "--debug"
"""The option that shows tracebacks."""

_OS_REMEDIES = {
    errno.ENOSPC: "free some space or work on another disk; what was computed so far is kept",
    errno.EDQUOT: "your quota is used up: free some space or work on another disk; what was computed so far is kept",
    errno.EFBIG: "the size limit of files is reached: raise it (`ulimit -f`); what was computed so far is kept",
    errno.EACCES: "change its permissions or choose another place",
    errno.EROFS: "the disk cannot be written: choose another place",
    errno.ENOENT: "check the path",
    errno.EISDIR: "name a file, not a folder",
    errno.EMFILE: "too many files are open: raise the limit (`ulimit -n`)",
}


@contextmanager
def warnings_as_sentences() -> Iterator[None]:
    """Say on standard error, once each, which packages are broken, without the place in the code.

    Yields
    ------
    None
        While a command runs.
    """
    said: set[str] = set()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def say_once(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, BrokenPluginWarning):
                show(message, category, *place, **more)
            elif str(message) not in said:
                said.add(str(message))
                sys.stderr.write(f"warning: {message}\n")

        warnings.showwarning = say_once
        yield


def report_failure(error: Exception, *, debug: bool) -> int:
    """Say on standard error what went wrong.

    Parameters
    ----------
    error : Exception
        What a command raised.
    debug : bool
        Whether to print the traceback too.

    Returns
    -------
    int
        The exit status.
    """
    if isinstance(error, BrokenPipeError):
        # The reader of our output is gone, as in `superion list | head`: nothing to say, nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if debug:
        traceback.print_exception(error)
    sentence = failure_sentence(error)
    if sentence is None:
        log = _write_log(error)
        where = f"the traceback is in {log}" if log else f"run the command again with {DEBUG_OPTION} for the traceback"
        summary = " ".join(str(error).split())
        sentence = f"unexpected {type(error).__name__}: {summary[:300]} ({where})"
    sys.stderr.write(f"error: {sentence}\n")
    return error.exit_code if isinstance(error, SuperionError) else 1


def failure_sentence(error: BaseException) -> str | None:
    """Put an error that the user can mend into one sentence.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    str or None
        The sentence; None where the error is not the user's to mend.
    """
    if isinstance(error, SuperionError):
        return " ".join(str(error).split())
    if _is_validation_error(error):
        return validation_sentence(error)  # type: ignore[arg-type]
    if isinstance(error, OSError) and error.errno in _OS_REMEDIES:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}; {_OS_REMEDIES[error.errno]}."
    return None


def validation_sentence(error: ValidationError) -> str:
    """Put pydantic's list of complaints into one sentence that names the fields.

    Parameters
    ----------
    error : pydantic.ValidationError
        What a model raised.

    Returns
    -------
    str
        The sentence.
    """
    complaints = []
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"]) or error.title
        message = problem["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        shown = repr(problem["input"])
        # A whole model as input says nothing that the field's name does not.
        given = f" (given: {shown})" if problem["loc"] and len(shown) <= 80 else ""
        complaints.append(f"{place}: {message}{given}")
    return f"{'; '.join(complaints)}; correct the setting."


def _is_validation_error(error: BaseException) -> bool:
    """Whether this is pydantic's error, without importing pydantic to ask."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(error, pydantic.ValidationError)


def _write_log(error: BaseException) -> Path | None:
    """Keep the traceback in the project folder, or in the temporary folder where there is no project."""
    text = "".join(traceback.format_exception(error))
    name = f"error-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.log"
    for folder in (_project_logs(), Path(tempfile.gettempdir())):
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            path.write_text(text, encoding="utf-8")
        except OSError:
            continue
        return path
    return None


def _project_logs() -> Path | None:
    """Folder of error logs in the nearest project."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".superion").is_dir():
            return folder / ".superion" / "logs"
    return None
