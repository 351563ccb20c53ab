"""Looking at everything that a jobflow-remote project needs before a job can run."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from jobflow import JobStore
from pymongo import uri_parser

from ....database.job_store import BULK_STORE_NAME
from ....database.shown_address import shown_name
from ....errors import StoreError
from ....runtime.resource_kind import resource_kinds
from ..queue_engine import Finding
from .connection import Queue
from .hosts import Hosts
from .queue_view import answers
from .runner import look_for_runner, sentence_without_runner
from .worker_names import worker_name

_IMPORT = "import jobflow_remote, superion; print(superion.__name__, jobflow_remote.__version__)"


def check_project(controller: Queue, hosts: Hosts, cluster: str, jobs: JobStore, file: Path) -> Iterator[Finding]:
    """Look at a project, its store, its workers and its runner.

    Parameters
    ----------
    controller : Queue
        The queue.
    hosts : Hosts
        Connections.
    cluster : str
        Cluster whose workers the engine uses.
    jobs : JobStore
        The result store of campaigns.
    file : Path
        The project file.

    Yields
    ------
    Finding
        One thing after the other.
    """
    yield _check_file(file)
    yield _check_store(controller, jobs)
    for kind in resource_kinds():
        name = worker_name(cluster, kind)
        if name not in controller.project.workers:
            message = f"there is none in {file}: write the project anew with `superion cluster init`"
            yield Finding(f"worker {name}", "error", message)
        else:
            yield from _check_worker(hosts, name)
    life = look_for_runner(controller)
    if life.is_alive:
        yield Finding("runner", "ok", f"lives on {', '.join(life.hosts)}")
    else:
        yield Finding("runner", "warning", sentence_without_runner(controller, life))


def _check_file(file: Path) -> Finding:
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        return Finding("project file", "error", f"others can read {file}, which may hold a password: chmod 600 {file}")
    return Finding("project file", "ok", str(file))


def _check_store(controller: Queue, jobs: JobStore) -> Finding:
    """See that the runner writes results to where campaigns read them."""
    own = controller.jobstore
    if BULK_STORE_NAME not in own.additional_stores:
        message = f"the project's jobstore has no additional store {BULK_STORE_NAME!r}: add it to the project file"
        return Finding("job store", "error", message)
    theirs, ours = _place_of(own), _place_of(jobs)
    if theirs is not None and ours is not None and theirs != ours:
        message = (
            f"the project writes results to {shown_name(own.docs_store)}, but campaigns read "
            f"{shown_name(jobs.docs_store)}: write the project anew with `superion cluster init`, or "
            "set SUPERION_STORE to its store"
        )
        return Finding("job store", "error", message)
    return Finding("job store", "ok", shown_name(own.docs_store))


def _place_of(jobs: JobStore) -> tuple[object, ...] | None:
    """Servers, database and collection of a store; None where it is on no MongoDB server."""
    uri = getattr(jobs.docs_store, "uri", None)
    if not uri or not str(uri).startswith("mongodb://"):
        return None
    parsed = uri_parser.parse_uri(uri)
    return frozenset(parsed["nodelist"]), parsed["database"], jobs.docs_store.collection_name


def _check_worker(hosts: Hosts, name: str) -> Iterator[Finding]:
    try:
        host = hosts.of(name)
    except StoreError as error:
        yield Finding(f"host of {name}", "error", str(error))
        return
    worker = hosts.worker(name)
    folder = shlex.quote(str(worker.work_dir))
    _, errors, status = host.execute(f"mkdir -p {folder} && test -w {folder}")
    if status:
        message = f"{worker.work_dir} cannot be written ({' '.join(errors.split())}): correct work_folder"
        yield Finding(f"folder of {name}", "error", message)
    else:
        yield Finding(f"folder of {name}", "ok", str(worker.work_dir))
    problem = answers(hosts, name)
    yield Finding(f"queue of {name}", "error" if problem else "ok", problem or "answers")
    python = (worker.execution_cmd or "python").partition(" -m ")[0]
    words, errors, status = host.execute(f"{worker.pre_run or ''}\n{python} -c {shlex.quote(_IMPORT)}")
    if status:
        last = errors.strip().splitlines()[-1:] or ["it printed nothing"]
        message = (
            f"{python} cannot import superion and jobflow-remote ({last[0]}): correct python or setup in the profile"
        )
        yield Finding(f"python of {name}", "error", message)
    else:
        yield Finding(f"python of {name}", "ok", words.strip().splitlines()[-1])
