"""The doctor's look at what evaluates MACE models: mace-torch, or symmetrix with a package for every kind of GPU."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Iterator

from .doctor_checks import Finding


def check_mace_runtimes(*, with_torch: bool) -> Iterator[Finding]:
    """Say which runtimes of MACE models are there, and which package a GPU needs.

    Parameters
    ----------
    with_torch : bool
        Whether to load torch, to see its devices.

    Yields
    ------
    Finding
        What was found; nothing where mace itself is missing.
    """
    from ..potentials.symmetrix.backends import DISTRIBUTION, INSTALL_COMMAND, cuda_backends, symmetrix_version

    if importlib.util.find_spec("mace") is None:
        return
    version = symmetrix_version()
    if version is not None:
        devices = ", ".join(("CPU", *cuda_backends()))
        yield Finding("Potentials", "ok", f"mace by symmetrix ({DISTRIBUTION} {version}: {devices})")
        if with_torch:
            yield from _check_gpus()
    elif sys.platform == "linux" and platform.machine() == "x86_64":
        yield Finding("Potentials", "missing", "mace by symmetrix (runtime: scalar models faster)", INSTALL_COMMAND)
    else:
        yield Finding(
            "Potentials",
            "note",
            f"mace by torch only: {DISTRIBUTION} is made for Linux on x86-64, not for this machine",
        )


def _check_gpus() -> Iterator[Finding]:
    """Name the package of symmetrix for each kind of GPU that has none."""
    from ..potentials.symmetrix.backends import cuda_backends, cuda_package

    try:
        import torch
    except Exception:  # reported with the devices
        return
    kinds = {torch.cuda.get_device_capability(number): number for number in range(torch.cuda.device_count())}
    for capability, number in sorted(kinds.items()):
        architecture = "sm{}{}".format(*capability)
        if not any(name.endswith(f"-{architecture}") for name in cuda_backends()):
            package = cuda_package(capability, torch.version.cuda)
            name = torch.cuda.get_device_name(number)
            yield Finding(
                "Potentials", "missing", f"mace by symmetrix on cuda:{number} ({name})", f"pip install {package}"
            )
