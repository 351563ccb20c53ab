"""Which device a potential runs on."""

from __future__ import annotations

from ..errors import PotentialError


def resolve_device(device: str) -> str:
    """Turn the device a user asks for into the one that is used.

    Parameters
    ----------
    device : str
        ``auto`` (the first CUDA device when there is one, else the CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Returns
    -------
    str
        ``cpu``, ``cuda:<index>`` or ``mps``.

    Raises
    ------
    PotentialError
        When the device does not exist here; nothing falls back to the CPU silently.
    """
    if device == "cpu":
        return "cpu"
    kind, colon, index = device.partition(":")
    if kind not in {"auto", "cuda", "mps"} or (colon and (kind != "cuda" or not index.isdigit())):
        raise PotentialError(f"Unknown device '{device}': use auto, cpu, cuda, cuda:<index> or mps.")
    try:
        import torch
    except ImportError:
        if kind == "auto":
            return "cpu"
        raise PotentialError(
            f"The device '{device}' was asked for, but torch, which finds it, is not installed: use device cpu, or run "
            "pip install torch"
        ) from None

    if kind == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise PotentialError("The device 'mps' was asked for but is not available here: use device auto or cpu.")
        return "mps"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(index or 0) >= count:
        raise PotentialError(
            f"The device '{device}' was asked for but torch sees {count} CUDA devices here: use device auto or cpu."
        )
    return f"cuda:{int(index or 0)}"


def check_device(device: str) -> None:
    """Refuse a device that does not exist here; the usual ones are there, and torch is not asked for them.

    Parameters
    ----------
    device : str
        As for `resolve_device`.

    Raises
    ------
    PotentialError
        When the device does not exist here.
    """
    if device not in {"auto", "cpu"}:
        resolve_device(device)
