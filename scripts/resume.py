"""`superion resume`: go on with a run that was stopped or killed."""

from __future__ import annotations

from typing import Annotated

import typer

from .console import say
from .options import JsonOption, StoreOption


def resume(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Name or folder of the run; the newest of the project if not given."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; one per core if not given.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue a run; nothing that is computed is computed again."""
    from ..workflows.dispatch.local import resume_run
    from .execution import watch_and_answer
    from .find_run import require_run
    from .opened_store import opened_store
    from .run_request import read_request

    folder = require_run(run)
    request = read_request(folder)
    if store is not None:
        request = request.model_copy(update={"store": store})
    say(f"resuming {folder.name}: {request.command}")
    with opened_store(request.store, near=folder, create=True) as opened:
        watch_and_answer(
            lambda on_event: resume_run(folder, opened, workers or request.workers, on_event),
            request,
            folder,
            as_json=as_json,
            is_resumed=True,
        )
