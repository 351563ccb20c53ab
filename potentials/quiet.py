"""Keep the chatter of model libraries away from the user's terminal, never their errors."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quietly() -> Iterator[io.StringIO]:
    """Swallow prints, warnings and log messages below ERROR while a library loads a model.

    Exceptions pass through untouched.

    Yields
    ------
    io.StringIO
        What was printed, for a caller that must know (a licence notice, say).
    """
    said = io.StringIO()
    previous = logging.root.manager.disable
    logging.disable(max(previous, logging.WARNING))
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(said):
            warnings.simplefilter("ignore")
            yield said
    finally:
        logging.disable(previous)
