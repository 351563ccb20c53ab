"""Which parts of symmetrix are installed, and which of its packages fits a device."""

from __future__ import annotations

import importlib.util
from importlib import metadata

from ...errors import RuntimeUnavailableError

DISTRIBUTION = "symmetrix-xl"
"""Name on the package index; the package itself is called symmetrix, as is an older one that is not meant."""

INSTALL_COMMAND = "pip install 'superion[symmetrix]'"

_BACKENDS = "symmetrix.backends"
"""Entry points by which packages of symmetrix register what they compile for a GPU."""


def symmetrix_version() -> str | None:
    """Say which version is installed, without importing it.

    Returns
    -------
    str or None
        None where it is not installed.
    """
    if importlib.util.find_spec("symmetrix") is None:
        return None
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def require_symmetrix() -> None:
    """Refuse where symmetrix is not installed.

    Raises
    ------
    RuntimeUnavailableError
        With the command that installs it.
    """
    if symmetrix_version() is None:
        raise RuntimeUnavailableError(
            f"The runtime 'symmetrix' needs the package {DISTRIBUTION}, which is not installed: run {INSTALL_COMMAND}"
        )


def cuda_backends() -> tuple[str, ...]:
    """List the GPUs that symmetrix is installed for, such as ``cuda12-sm90``.

    Returns
    -------
    tuple of str
        Sorted.
    """
    return tuple(sorted(point.name for point in metadata.entry_points(group=_BACKENDS) if "cuda" in point.name))


def cuda_package(compute_capability: tuple[int, int], cuda_version: str | None) -> str:
    """Name the package that evaluates models on a GPU.

    Parameters
    ----------
    compute_capability : tuple of int
        Compute capability of the GPU, such as (9, 0).
    cuda_version : str or None
        Version of CUDA that torch was built with, such as ``12.8``; None for the older one that is supported.

    Returns
    -------
    str
        Name on the package index.

    Examples
    --------
    >>> cuda_package((9, 0), "13.0")
    'symmetrix-xl-cuda13-sm90'
    """
    major, minor = compute_capability
    toolkit = "cuda13" if (cuda_version or "").partition(".")[0] == "13" else "cuda12"
    return f"{DISTRIBUTION}-{toolkit}-sm{major}{minor}"


def backend_of(device: str) -> str:
    """Choose what evaluates a model on a device.

    Parameters
    ----------
    device : str
        ``cpu`` or ``cuda:0``.

    Returns
    -------
    str
        ``cpu``, or the name of an installed package's backend.

    Raises
    ------
    RuntimeUnavailableError
        If symmetrix is not installed, or not for this device.
    """
    require_symmetrix()
    if device == "cpu":
        return "cpu"
    kind, _, index = device.partition(":")
    if kind != "cuda":
        raise RuntimeUnavailableError(
            f"symmetrix computes on the CPU and on CUDA devices only, not on '{device}': choose another device, or set "
            "the runtime to torch."
        )
    if index not in {"", "0"}:
        raise RuntimeUnavailableError(
            f"symmetrix takes the first CUDA device that it sees, not '{device}': choose the device by the environment "
            "variable CUDA_VISIBLE_DEVICES."
        )
    import torch

    capability = torch.cuda.get_device_capability(0)
    architecture = "sm{}{}".format(*capability)
    fitting = [name for name in cuda_backends() if name.rpartition("-")[2] == architecture]
    if not fitting:
        package = cuda_package(capability, torch.version.cuda)
        raise RuntimeUnavailableError(
            f"symmetrix is not installed for this GPU ({torch.cuda.get_device_name(0)}): run pip install {package}"
        )
    return fitting[-1]
