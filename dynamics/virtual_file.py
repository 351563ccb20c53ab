"""One small H5MD file whose datasets are views of the segments."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import h5py

from .durable import TEMPORARY_SUFFIX
from .segment_file import PARTICLES, open_segment


def write_virtual_file(target: Path, segments: Sequence[Path]) -> None:
    """Write the virtual file of a chain of segments.

    Parameters
    ----------
    target : Path
        The file to write; replaced if it exists.
    segments : sequence of Path
        The segments in order, each with at least one frame.

    References
    ----------
    .. [1] HDF5 Virtual Dataset feature, HDF Group RFC (2014).
    """
    temporary = target.with_name(target.name + TEMPORARY_SUFFIX)
    temporary.unlink(missing_ok=True)
    lengths = []
    for path in segments:
        with open_segment(path) as source:
            lengths.append(len(source[f"{PARTICLES}/position/step"]))
    with h5py.File(temporary, "w", libver="latest") as file, open_segment(segments[0]) as model:
        model.copy("h5md", file)
        skipped = {"superion", "h5md"}

        def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if name.split("/")[0] in skipped:
                return
            if isinstance(item, h5py.Group):
                made: h5py.Group | h5py.Dataset = file.require_group(name)
            elif name.endswith(("/value", "/step", "/time")):
                made = _joined(file, name, item, target, segments, lengths)
            else:
                made = file.create_dataset(name, data=item[()])
            for key, value in item.attrs.items():
                made.attrs[key] = value

        # h5py visits an object that has several names once, so shared steps and times are walked by hand
        _walk(model, "", add)
    os.replace(temporary, target)


def _walk(group: h5py.Group, prefix: str, visit: object) -> None:
    for name, item in group.items():
        path = f"{prefix}{name}"
        visit(path, item)  # type: ignore[operator]
        if isinstance(item, h5py.Group) and path != "superion":
            _walk(item, f"{path}/", visit)


def _joined(
    file: h5py.File,
    name: str,
    item: h5py.Dataset,
    target: Path,
    segments: Sequence[Path],
    lengths: Sequence[int],
) -> h5py.Dataset:
    layout = h5py.VirtualLayout(shape=(sum(lengths), *item.shape[1:]), dtype=item.dtype)
    start = 0
    for path, length in zip(segments, lengths, strict=True):
        relative = os.path.relpath(path, target.parent)
        source = h5py.VirtualSource(relative, name, shape=(length, *item.shape[1:]), dtype=item.dtype)
        layout[start : start + length] = source
        start += length
    return file.create_virtual_dataset(name, layout)
