"""Find the last safe state of a trajectory folder, whatever happened to its writer."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import CheckpointError
from .checkpoint import Checkpoint
from .durable import remove_leftovers
from .manifest import Manifest, load_manifest, save_manifest
from .results import SegmentRecord
from .segment_file import PARTICLES, SEGMENT_PATTERN, damaged, open_segment, read_checkpoint, segment_name
from .trajectory import check_size


def recover(folder: Path, key: str) -> tuple[Manifest, Checkpoint | None]:
    """Bring manifest and segments into agreement and read the last checkpoint.

    A segment that was renamed into place just before its writer was killed is taken up; files that were being
    written are removed; segments moved away from the end are forgotten, to be computed again. Anything else
    that does not fit is refused, and nothing is overwritten. Call it as the folder's one writer.

    Parameters
    ----------
    folder : Path
        The trajectory folder.
    key : str
        Identity of the trajectory.

    Returns
    -------
    manifest : Manifest
        What is there.
    checkpoint : Checkpoint or None
        State at the end of the last segment; None where there is no segment.

    Raises
    ------
    TrajectoryError
        If a segment is truncated, damaged, or missing before others.
    CheckpointError
        If a segment belongs to another trajectory.
    """
    remove_leftovers(folder)
    recorded = load_manifest(folder, key)
    if recorded.key != key:
        raise CheckpointError(
            f"The manifest in {folder} belongs to another trajectory ({recorded.key[:12]}…): "
            "move it away, or choose another checkpoint folder."
        )
    present = {path.name for path in folder.glob(SEGMENT_PATTERN)}
    manifest = _forget_missing_end(recorded, present)
    for segment in manifest.segments:
        check_size(folder, segment)
    manifest = _take_up_new(folder, manifest, present)
    checkpoint = None
    if manifest.segments:
        path = folder / manifest.segments[-1].file
        if _sha256(path) != manifest.segments[-1].sha256:
            raise damaged(path, "its sha256 differs from the manifest's")
        checkpoint = read_checkpoint(path)
        if checkpoint.key != key:
            raise CheckpointError(
                f"The checkpoint in {path} belongs to another structure, potential or protocol "
                f"({checkpoint.key[:12]}…): move the file away, or choose another checkpoint folder."
            )
    if manifest != recorded:
        save_manifest(folder, manifest)
    return manifest, checkpoint


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _forget_missing_end(manifest: Manifest, present: set[str]) -> Manifest:
    n_kept = len(manifest.segments)
    while n_kept and manifest.segments[n_kept - 1].file not in present:
        n_kept -= 1
    return manifest if n_kept == len(manifest.segments) else manifest.cut(n_kept)


def _take_up_new(folder: Path, manifest: Manifest, present: set[str]) -> Manifest:
    while segment_name(len(manifest.segments)) in present:
        path = folder / segment_name(len(manifest.segments))
        manifest = manifest.with_segment(_record(path))
    known = {segment.file for segment in manifest.segments}
    stray = sorted(present - known)
    if stray:
        raise damaged(folder / stray[0], "the segments before it are missing")
    return manifest


def _record(path: Path) -> SegmentRecord:
    with open_segment(path) as file:
        steps = file[f"{PARTICLES}/position/step"][()]
        last_step = int(file["superion/checkpoint"].attrs["step"])
    return SegmentRecord(
        file=path.name,
        sha256=_sha256(path),
        size_bytes=path.stat().st_size,
        first_step=int(steps[0]) if len(steps) else last_step,
        n_frames=len(steps),
        last_step=last_step,
    )
