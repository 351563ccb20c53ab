"""The checks behind `superion doctor`: each looks at one thing and says what it found."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from .. import __version__
from ..errors import SuperionError

LOW_DISK_GB = 5.0
"""Free space below which a note is made, in GB (10⁹ bytes)."""

_REQUIRED = (
    "ase",
    "atomate2",
    "h5py",
    "jobflow",
    "maggma",
    "matplotlib",
    "numpy",
    "pydantic",
    "pymatgen",
    "pymongo",
    "rich",
    "scipy",
    "typer",
)

_EXTRAS = {
    "torch-sim-atomistic": ("torch-sim", "many trajectories at once on one GPU"),
    "MDAnalysis": ("mdanalysis", "reading trajectories in MDAnalysis"),
    "jobflow-remote": ("jobflow-remote", "sending jobs to queues"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor looked at.

    Parameters
    ----------
    subject : str
        Group it belongs to.
    status : str
        ok; note (works, but worth knowing); missing (optional); broken (nothing can run).
    text : str
        What was found.
    remedy : str
        Command or advice that mends it; empty where nothing is to be mended.
    """

    subject: str
    status: Literal["ok", "note", "missing", "broken"]
    text: str
    remedy: str = ""


def run_checks(*, store: str | None, with_torch: bool) -> list[Finding]:
    """Look at everything.

    Parameters
    ----------
    store : str or None
        Result store to look at; None for the project's own.
    with_torch : bool
        Whether to load torch, to see its devices.

    Returns
    -------
    list of Finding
        What was found, by subject.
    """
    from .doctor_runtimes import check_mace_runtimes

    findings = [*check_python(), *check_packages(), *check_potentials(), *check_mace_runtimes(with_torch=with_torch)]
    findings += check_devices(with_torch=with_torch)
    return [*findings, *check_project(), *check_store(store), *check_disk()]


def check_python() -> Iterator[Finding]:
    """Look at the interpreter and superion itself.

    Yields
    ------
    Finding
        What was found.
    """
    version = platform.python_version()
    if sys.version_info < (3, 12):
        yield Finding(
            "Python", "note", f"Python {version}: torch-sim needs 3.12", "make an environment with Python 3.12"
        )
    else:
        yield Finding("Python", "ok", f"Python {version} at {sys.executable}")
    yield Finding("Python", "ok", f"superion {__version__} on {platform.system()} {platform.machine()}")


def check_packages() -> Iterator[Finding]:
    """Look at required packages and extras.

    Yields
    ------
    Finding
        What was found.
    """
    versions, missing = [], []
    for name in _REQUIRED:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if versions:
        yield Finding("Packages", "ok", ", ".join(versions))
    if missing:
        yield Finding("Packages", "broken", f"required: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    for name, (extra, purpose) in _EXTRAS.items():
        try:
            yield Finding("Packages", "ok", f"{name} {metadata.version(name)} ({purpose})")
        except metadata.PackageNotFoundError:
            yield Finding("Packages", "missing", f"{name} ({purpose})", f"pip install 'superion[{extra}]'")


def check_potentials() -> Iterator[Finding]:
    """Look at the registered potentials.

    Yields
    ------
    Finding
        What was found.
    """
    from ..potentials.registry import list_potentials

    infos = list_potentials()
    for info in infos:
        if info.installed:
            version = f" ({info.package} {info.package_version})" if info.package_version else ""
            yield Finding("Potentials", "ok", f"{info.name}{version}")
        else:
            yield Finding("Potentials", "missing", f"{info.name}: {info.description}", info.install_command)
    # `ase` only passes on to calculators that the user brings along.
    if not any(info.installed for info in infos if info.name != "ase"):
        yield Finding(
            "Potentials",
            "note",
            "no neural-network potential is installed; only ASE calculators of your own can run",
            "pip install 'superion[mace,chgnet]'",
        )


def check_devices(*, with_torch: bool) -> Iterator[Finding]:
    """Look at cores, memory and accelerators.

    Parameters
    ----------
    with_torch : bool
        Whether to load torch.

    Yields
    ------
    Finding
        What was found.
    """
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = psutil.virtual_memory().total / 2**30
    yield Finding(
        "Devices", "ok", f"{cores} cores usable, {memory:.1f} GiB memory: one MD process per core, one thread each"
    )
    if not with_torch:
        return
    try:
        import torch
    except ImportError:
        yield Finding("Devices", "missing", "torch", "pip install 'superion[mace]'")
        return
    except Exception as error:  # a broken installation of torch can raise nearly anything
        yield Finding("Devices", "note", f"torch cannot be loaded: {error}", "install torch anew")
        return
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            size = torch.cuda.get_device_properties(number).total_memory / 2**30
            yield Finding("Devices", "ok", f"cuda:{number} {torch.cuda.get_device_name(number)}, {size:.0f} GiB")
    else:
        yield Finding("Devices", "note", f"torch {torch.__version__} sees no CUDA device: potentials run on the CPU")


def check_project() -> Iterator[Finding]:
    """Look at the project folder.

    Yields
    ------
    Finding
        What was found.
    """
    from ..database.project import find_project

    try:
        folder = find_project().folder
    except SuperionError:
        here = Path.cwd()
        if os.access(here, os.W_OK):
            yield Finding("Project", "note", f"none yet: the first run makes {here / '.superion'}")
        else:
            yield Finding("Project", "broken", f"{here} cannot be written", "change to a folder of your own")
        return
    if os.access(folder, os.W_OK):
        yield Finding("Project", "ok", f"{folder}")
    else:
        yield Finding(
            "Project", "broken", f"{folder} cannot be written", "change its permissions, or work in another folder"
        )


def check_store(store: str | None) -> Iterator[Finding]:
    """Look at the result store.

    Parameters
    ----------
    store : str or None
        Result store; None for the project's own.

    Yields
    ------
    Finding
        What was found.
    """
    from ..database.project import find_project
    from .opened_store import opened_store

    if store is None:
        try:
            is_there = find_project().database_path.exists()
        except SuperionError:
            is_there = False
        if not is_there:
            yield Finding("Store", "ok", "none yet: the first run makes one in the project folder")
            return
    try:
        with opened_store(store) as opened:
            kind, count = type(opened.docs_store).__name__, opened.count()
        yield Finding("Store", "ok", f"{kind} with {count} documents")
    except SuperionError as error:
        yield Finding("Store", "broken", str(error))
    except Exception as error:  # a store server can fail in the ways of its driver
        text = " ".join(str(error).split())[:200]
        yield Finding("Store", "broken", f"{type(error).__name__}: {text}", "check --store")


def check_disk() -> Iterator[Finding]:
    """Look at the free space.

    Yields
    ------
    Finding
        What was found.
    """
    free = shutil.disk_usage(Path.cwd()).free / 1.0e9
    if free < LOW_DISK_GB:
        yield Finding("Disk", "note", f"{free:.1f} GB free here", "free some space, or work on another disk")
    else:
        yield Finding("Disk", "ok", f"{free:.0f} GB free here")
