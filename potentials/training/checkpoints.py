"""The trainer's checkpoints: which are whole, which is the best, which can go."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"_epoch-(\d+)\.pt$")
_STUDENT_HEADS = ("Default", "default")


@dataclass(frozen=True)
class EpochErrors:
    """What one epoch reached on the validation frames.

    Attributes
    ----------
    epoch : int
        Number of the epoch, from 0.
    loss : float
        Validation loss.
    energy_rmse_ev_per_atom : float or None
        Root mean square error of the energy in eV per atom.
    force_rmse_ev_per_angstrom : float or None
        Root mean square error of force components in eV/Å.
    """

    epoch: int
    loss: float
    energy_rmse_ev_per_atom: float | None
    force_rmse_ev_per_angstrom: float | None


def read_epochs(metrics: Path) -> list[EpochErrors]:
    """Read the trainer's record of its epochs.

    Parameters
    ----------
    metrics : Path
        File of JSON lines, there or not; a line that a kill cut is passed over.

    Returns
    -------
    list of EpochErrors
        In order; of an epoch that was trained twice, because of an interruption, the later time.
    """
    found: dict[int, EpochErrors] = {}
    try:
        lines = metrics.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record.get("mode") != "eval" or record.get("epoch") is None:
            continue
        if record.get("head", "Default") not in _STUDENT_HEADS:
            continue
        epoch = int(record["epoch"])
        found[epoch] = EpochErrors(
            epoch=epoch,
            loss=float(record["loss"]),
            energy_rmse_ev_per_atom=record.get("rmse_e_per_atom"),
            force_rmse_ev_per_angstrom=record.get("rmse_f"),
        )
    return [found[epoch] for epoch in sorted(found)]


def checkpoint_paths(folder: Path) -> dict[int, Path]:
    """List checkpoints by their epoch.

    Parameters
    ----------
    folder : Path
        The trainer's folder of checkpoints, there or not.

    Returns
    -------
    dict of int to Path
        Sorted by epoch.
    """
    if not folder.is_dir():
        return {}
    found = {int(match[1]): path for path in folder.iterdir() if (match := _NAME.search(path.name))}
    return {epoch: found[epoch] for epoch in sorted(found)}


def remove_torn(folder: Path) -> None:
    """Remove checkpoints that a kill cut short: the trainer would begin anew without a word if it met one.

    Parameters
    ----------
    folder : Path
        The trainer's folder of checkpoints, there or not.
    """
    for path in checkpoint_paths(folder).values():
        if not _is_whole(path):
            path.unlink(missing_ok=True)


def best_epoch(epochs: list[EpochErrors], folder: Path) -> EpochErrors | None:
    """Find the epoch with the lowest validation loss whose checkpoint is there.

    Parameters
    ----------
    epochs : list of EpochErrors
        From `read_epochs`.
    folder : Path
        The trainer's folder of checkpoints.

    Returns
    -------
    EpochErrors or None
        None where there is none with a loss that is a number.
    """
    there = checkpoint_paths(folder)
    usable = [one for one in epochs if one.epoch in there and one.loss == one.loss]
    return min(usable, key=lambda one: one.loss, default=None)


def prune(epochs: list[EpochErrors], folder: Path, keep_last: int = 2) -> None:
    """Remove all checkpoints but the best and the last ones.

    Parameters
    ----------
    epochs : list of EpochErrors
        From `read_epochs`.
    folder : Path
        The trainer's folder of checkpoints.
    keep_last : int
        How many of the latest stay.
    """
    there = checkpoint_paths(folder)
    best = best_epoch(epochs, folder)
    kept = {*list(there)[-keep_last:], *([] if best is None else [best.epoch])}
    for epoch, path in there.items():
        if epoch not in kept:
            path.unlink(missing_ok=True)


def _is_whole(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, EOFError):
        return False
