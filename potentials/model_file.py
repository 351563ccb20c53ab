"""Model files: the weights of a potential and what is known of it, without any pickled code.

A model file is a safetensors file. Its tensors are the weights; the key ``superion`` of its metadata holds a
`ModelHeader` as JSON.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..errors import PotentialError
from ..files import write_bytes_atomically
from .model_header import FORMAT_VERSION, ModelHeader

if TYPE_CHECKING:
    import torch

SUFFIX = ".safetensors"
"""Ending of the name of a model file."""

_METADATA = "__metadata__"
_KEY = "superion"
_LENGTH_BYTES = 8
_LONGEST_HEADER_BYTES = 100_000_000


def is_model_file(path: str | Path) -> bool:
    """Say whether a file is a model file, by its first bytes.

    Parameters
    ----------
    path : str or Path
        An existing file.

    Returns
    -------
    bool
        True for a safetensors file, whoever wrote it.
    """
    with Path(path).open("rb") as stream:
        start = stream.read(_LENGTH_BYTES + 1)
    return len(start) > _LENGTH_BYTES and start[_LENGTH_BYTES:] == b"{" and start[:2] != b"PK"


def write_model_file(path: str | Path, model: torch.nn.Module, header: ModelHeader | dict[str, Any]) -> ModelHeader:
    """Write a MACE model in one step: a kill leaves the old file or the new one.

    Parameters
    ----------
    path : str or Path
        File to write; its name should end in ``.safetensors``.
    model : torch.nn.Module
        A `ScaleShiftMACE`; its weights are written in float32.
    header : ModelHeader or dict
        What is known of the model. The architecture, the elements and the digest of the weights are taken from the
        model itself.

    Returns
    -------
    ModelHeader
        As written.

    Raises
    ------
    PotentialError
        If the model is not one that a model file can hold.
    """
    from ase.data import chemical_symbols
    from safetensors.torch import save

    from .mace_architecture import describe_architecture

    given = header.model_dump() if isinstance(header, ModelHeader) else dict(header)
    tensors = _plain_tensors(model)
    architecture = describe_architecture(model) | {"dtype": "float32"}
    complete = ModelHeader.model_validate(
        given
        | {
            "architecture": architecture,
            "elements": [chemical_symbols[number] for number in architecture["atomic_numbers"]],
            "weights_sha256": _tensors_sha256(tensors),
        }
    )
    write_bytes_atomically(Path(path), save(tensors, metadata={_KEY: complete.model_dump_json()}))
    return complete


def read_model_header(path: str | Path) -> ModelHeader:
    """Read what a model file says of itself, without torch and without the weights.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    ModelHeader
        Its header.

    Raises
    ------
    PotentialError
        If the file is no model file, is damaged, or has a layout of another version.
    """
    path = Path(path)
    metadata = _read_raw_header(path).get(_METADATA, {})
    try:
        content = json.loads(metadata[_KEY])
        version = content.get("format_version")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PotentialError(
            f"The file {path.name} holds tensors but no description by superion: give a model file that "
            "`superion potential export` wrote, or mace's own file."
        ) from error
    if version != FORMAT_VERSION:
        writer = f" ({content['superion_version']})" if content.get("superion_version") else ""
        raise PotentialError(
            f"The model file {path.name} has layout version {version}, and this superion reads version "
            f"{FORMAT_VERSION}: use the version of superion that wrote it{writer}, or train it again."
        )
    try:
        return ModelHeader.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise PotentialError(
            f"The model file {path.name} is damaged at '{'.'.join(map(str, first['loc']))}' of its header: "
            "get it again from where it came."
        ) from error


def load_model(path: str | Path, device: str = "cpu") -> torch.nn.Module:
    """Build the model of a model file and load its weights.

    Parameters
    ----------
    path : str or Path
        The file.
    device : str
        Device as torch names it.

    Returns
    -------
    torch.nn.Module
        A `ScaleShiftMACE`, ready to compute.

    Raises
    ------
    PotentialError
        If the file cannot be read, or the installed mace-torch cannot build the model.
    """
    from safetensors.torch import load_file

    from .mace_architecture import build_model

    path = Path(path)
    header = read_model_header(path)
    model = build_model(header.architecture)
    try:
        tensors = load_file(path)
        model.load_state_dict(tensors, strict=True)
    except Exception as error:
        raise PotentialError(
            f"The weights in {path.name} do not fit the model that it describes ({type(error).__name__}): get the "
            f"file again, or install mace-torch {header.package_version or 'of the version that trained it'}."
        ) from error
    if _tensors_sha256(tensors) != header.weights_sha256:
        raise PotentialError(
            f"The weights in {path.name} are not those that its header names: get the file again from where it came."
        )
    return model.to(device)


def change_model_header(path: str | Path, target: str | Path, **changes: Any) -> ModelHeader:
    """Copy a model file with another header and the same weights, for example once it is validated.

    Parameters
    ----------
    path : str or Path
        The file.
    target : str or Path
        File to write; may be the same.
    **changes
        Fields of `ModelHeader` with their new values; not what describes the weights.

    Returns
    -------
    ModelHeader
        The new header.
    """
    path = Path(path)
    current = read_model_header(path)
    fixed = {name: getattr(current, name) for name in ("architecture", "elements", "weights_sha256", "format_version")}
    header = ModelHeader.model_validate(current.model_dump() | changes | fixed)
    raw = _read_raw_header(path)
    raw[_METADATA] = raw[_METADATA] | {_KEY: header.model_dump_json()}
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:_LENGTH_BYTES])
    encoded = json.dumps(raw, separators=(",", ":")).encode("utf-8")
    encoded += b" " * (-len(encoded) % _LENGTH_BYTES)
    tensors = content[_LENGTH_BYTES + length :]
    write_bytes_atomically(Path(target), struct.pack("<Q", len(encoded)) + encoded + tensors)
    return header


def _read_raw_header(path: Path) -> dict[str, Any]:
    """Read the JSON at the beginning of a safetensors file."""
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(_LENGTH_BYTES))
            if length > _LONGEST_HEADER_BYTES:
                raise ValueError("no length of a header")
            raw = json.loads(stream.read(length))
    except OSError as error:
        raise PotentialError(
            f"The model file {path} cannot be read ({error.strerror or error}): correct the path."
        ) from error
    except (ValueError, struct.error) as error:
        raise PotentialError(
            f"The file {path.name} is no model file, or only a part of one: get it again from where it came."
        ) from error
    if not isinstance(raw, dict):
        raise PotentialError(f"The file {path.name} is no model file: correct the path.")
    return raw


def _plain_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Give parameters and buffers on the CPU, floating-point ones in float32, each with memory of its own."""
    import torch

    return {
        name: (tensor.float() if tensor.is_floating_point() else tensor)
        .detach()
        .to("cpu", copy=True)
        .contiguous()
        .to(torch.float32 if tensor.is_floating_point() else tensor.dtype)
        for name, tensor in sorted(model.state_dict().items())
    }


def _tensors_sha256(tensors: dict[str, torch.Tensor]) -> str:
    """Digest of names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
