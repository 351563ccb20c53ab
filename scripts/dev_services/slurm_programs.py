"""The programs of Slurm: found on this machine, or installed from Debian's packages where that is wanted."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .processes import NOT_INSTALLED, ServiceError, locked

PACKAGES = ("slurm-wlm", "munge")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
INSTALL_VARIABLE = "SUPERION_INSTALL_SLURM"
"""Set to 1, it allows `start` to install the packages, as continuous integration does on its fresh machines."""

SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Folders of daemons, which are not on every user's path."""


def program_path() -> str:
    """Return a search path on which daemons are found, too."""
    given = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join([*given, *(folder for folder in SYSTEM_FOLDERS if folder not in given)])


def missing_programs() -> list[str]:
    """Name the programs that are not here."""
    return [name for name in PROGRAMS if shutil.which(name, path=program_path()) is None]


def find_program(name: str) -> str:
    """Give the whole path of a program that is here."""
    found = shutil.which(name, path=program_path())
    if found is None:
        raise ServiceError(_how_to_install([name]), NOT_INSTALLED)
    return found


def provide_programs(services: Path) -> None:
    """See that all programs are here; install them where the environment allows it."""
    missing = missing_programs()
    if not missing:
        return
    if os.environ.get(INSTALL_VARIABLE) != "1":
        raise ServiceError(_how_to_install(missing), NOT_INSTALLED)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ServiceError(
            f"{', '.join(missing)} cannot be installed: {INSTALL_VARIABLE}=1 needs root on Debian or Ubuntu.",
            NOT_INSTALLED,
        )
    with locked(services):
        if missing_programs():
            _install_packages()


def _install_packages() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        answer = subprocess.run(
            ["apt-get", "--quiet", *step],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        if answer.returncode != 0:
            last = (answer.stdout.strip().splitlines() or ["no message"])[-1]
            raise ServiceError(f"Slurm cannot be installed: apt-get {step[0]} says: {last}", NOT_INSTALLED)
    missing = missing_programs()
    if missing:
        raise ServiceError(f"The packages {' and '.join(PACKAGES)} came without {', '.join(missing)}.", NOT_INSTALLED)


def _how_to_install(missing: list[str]) -> str:
    return (
        f"Slurm is not installed here ({', '.join(missing)} not found): on Debian or Ubuntu, "
        f"`apt-get install --no-install-recommends {' '.join(PACKAGES)}`, or as root set {INSTALL_VARIABLE}=1."
    )
