"""Labelled frames: configurations with energy, forces and stress, as extended XYZ files that mace-torch reads."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import TrainingError
from ...files import write_bytes_atomically
from .frame_digest import frame_digest, rounded

if TYPE_CHECKING:
    from ase import Atoms

ENERGY, FORCES, STRESS = "REF_energy", "REF_forces", "REF_stress"
"""mace-torch's names of the labels."""

TEACHER, ORIGIN = "teacher", "origin"
"""Entries of a frame's `info`: who labelled it, and where its positions come from."""

_FEWEST_FRAMES = 10


@dataclass(frozen=True)
class Labels:
    """What a teacher computes for a frame.

    Attributes
    ----------
    energy_ev : float
        Energy of the cell in eV.
    forces_ev_per_angstrom : ndarray, shape (n_atoms, 3)
        Forces in eV/Å.
    stress_ev_per_angstrom3 : ndarray, shape (6,), or None
        Stress in eV/Å³ in Voigt order (xx, yy, zz, yz, xz, xy), positive under tension; None where
        the teacher has none.
    """

    energy_ev: float
    forces_ev_per_angstrom: np.ndarray
    stress_ev_per_angstrom3: np.ndarray | None = None


def with_labels(atoms: Atoms, labels: Labels, *, teacher: str = "", origin: str = "") -> Atoms:
    """Attach labels to a configuration.

    Parameters
    ----------
    atoms : ase.Atoms
        The configuration; left as it is.
    labels : Labels
        Energy, forces and stress.
    teacher : str
        Who computed them: a potential with the first digits of its digest, or a level of theory.
    origin : str
        Where the positions come from.

    Returns
    -------
    ase.Atoms
        A copy with the labels under mace-torch's names.
    """
    frame = rounded(atoms)
    frame.info[ENERGY] = float(labels.energy_ev)
    frame.arrays[FORCES] = np.array(labels.forces_ev_per_angstrom, dtype=float)
    if labels.stress_ev_per_angstrom3 is not None:
        frame.info[STRESS] = np.array(labels.stress_ev_per_angstrom3, dtype=float)
    frame.info |= {key: value for key, value in ((TEACHER, teacher), (ORIGIN, origin)) if value}
    return frame


def labels_of(frame: Atoms) -> Labels | None:
    """Read the labels of a frame.

    Parameters
    ----------
    frame : ase.Atoms
        As `read_labelled_frames` gives it.

    Returns
    -------
    Labels or None
        None where energy or forces are missing.
    """
    if ENERGY not in frame.info or FORCES not in frame.arrays:
        return None
    stress = frame.info.get(STRESS)
    return Labels(float(frame.info[ENERGY]), frame.arrays[FORCES], None if stress is None else _voigt(stress))


def read_labelled_frames(path: str | Path) -> list[Atoms]:
    """Read labelled frames under mace-torch's names (``REF_energy``, …) or ASE's (``energy``, …).

    Parameters
    ----------
    path : str or Path
        An extended XYZ file.

    Returns
    -------
    list of ase.Atoms
        The frames, with the labels under mace-torch's names. Frames without labels are kept: `check_labelled_frames`
        names them.

    Raises
    ------
    TrainingError
        If the file is missing, empty or unreadable.
    """
    import ase.io

    path = Path(path)
    if not path.is_file():
        raise TrainingError(f"There is no file of labelled frames '{path}': correct the path.")
    try:
        frames: list[Atoms] = ase.io.read(path, index=":", format="extxyz")
    except Exception as error:
        raise TrainingError(
            f"The file {path} cannot be read as extended XYZ ({type(error).__name__}: {error}): give labelled frames "
            "in that format."
        ) from error
    return [_with_mace_names(frame) for frame in frames]


def write_labelled_frames(path: str | Path, frames: Iterable[Atoms]) -> Path:
    """Write frames as extended XYZ, in one step.

    Parameters
    ----------
    path : str or Path
        File to write.
    frames : iterable of ase.Atoms
        Labelled or not; only positions, cell, labels, teacher and origin are written.

    Returns
    -------
    Path
        The file.
    """
    import ase.io

    text = io.StringIO()
    for frame in frames:
        plain = rounded(frame)
        plain.info = {key: frame.info[key] for key in (ENERGY, STRESS, TEACHER, ORIGIN) if key in frame.info}
        if FORCES in frame.arrays:
            plain.arrays[FORCES] = frame.arrays[FORCES]
        ase.io.write(text, plain, format="extxyz", append=True)
    write_bytes_atomically(Path(path), text.getvalue().encode("utf-8"))
    return Path(path)


def check_labelled_frames(
    frames: Sequence[Atoms],
    source: str | Path = "the training set",
    *,
    fewest_frames: int = _FEWEST_FRAMES,
    known_elements: Iterable[str] | None = None,
    model: str = "model",
) -> None:
    """Refuse frames from which no potential should be trained.

    Parameters
    ----------
    frames : sequence of ase.Atoms
        The frames.
    source : str or Path
        Where they come from, for the message.
    fewest_frames : int
        Smallest number of frames allowed.
    known_elements : iterable of str, optional
        Elements of the model that is to be trained further; None for a model from scratch.
    model : str
        Its name, for the message.

    Raises
    ------
    TrainingError
        If there are too few frames, a label is missing or is not a number, only some frames have a stress, frames were
        labelled by different teachers, or an element is not the model's.
    """
    if len(frames) < fewest_frames:
        raise TrainingError(
            f"There are {len(frames)} labelled frames in {source}, and a training needs at least {fewest_frames}: "
            "label more frames."
        )
    labels = [labels_of(frame) for frame in frames]
    for number, found in enumerate(labels, start=1):
        if found is None:
            raise TrainingError(
                f"Frame {number} in {source} has no energy or no forces: label it (as REF_energy and REF_forces, or "
                "energy and forces), or remove it."
            )
        wrong = _not_finite(found)
        if wrong:
            raise TrainingError(
                f"The {wrong} of frame {number} in {source} is not a number: label the frame again, or remove it."
            )
    complete = [found for found in labels if found is not None]
    _check_one_level(frames, complete, source)
    if known_elements is not None:
        unknown = sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()} - set(known_elements))
        if unknown:
            raise TrainingError(
                f"The {model} does not know {', '.join(unknown)}, which {source} holds: train from scratch, or remove "
                "those frames."
            )


def dataset_sha256(frames: Iterable[Atoms]) -> str:
    """Digest of labelled frames, whatever their order.

    Parameters
    ----------
    frames : iterable of ase.Atoms
        The frames.

    Returns
    -------
    str
        Hexadecimal sha256.
    """
    lines = []
    for frame in frames:
        found = labels_of(frame)
        parts: list[Any] = [frame_digest(frame)]
        if found is not None:
            parts.append(f"{found.energy_ev:.8f}")
            parts.append(np.round(found.forces_ev_per_angstrom, 6).tolist())
            if found.stress_ev_per_angstrom3 is not None:
                parts.append(np.round(found.stress_ev_per_angstrom3, 8).tolist())
        lines.append(str(parts))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _check_one_level(frames: Sequence[Atoms], labels: Sequence[Labels], source: str | Path) -> None:
    """Refuse a mixture of levels of theory."""
    with_stress = [found.stress_ev_per_angstrom3 is not None for found in labels]
    if any(with_stress) and not all(with_stress):
        raise TrainingError(
            f"Only {sum(with_stress)} of {len(frames)} frames in {source} have a stress: give all frames one, or none."
        )
    teachers = sorted({str(frame.info.get(TEACHER, "")) for frame in frames})
    if len(teachers) > 1:
        named = " and ".join(f"'{name}'" if name else "an unnamed teacher" for name in teachers)
        raise TrainingError(
            f"The frames in {source} were labelled by {named}, whose energies cannot be compared: keep the frames of "
            "one teacher."
        )


def _not_finite(labels: Labels) -> str | None:
    """Name the first label that is NaN or infinite."""
    parts = {
        "energy": labels.energy_ev,
        "force": labels.forces_ev_per_angstrom,
        "stress": 0.0 if labels.stress_ev_per_angstrom3 is None else labels.stress_ev_per_angstrom3,
    }
    return next((name for name, value in parts.items() if not np.isfinite(value).all()), None)


def _with_mace_names(frame: Atoms) -> Atoms:
    """Give the frame with its labels under mace-torch's names, wherever the file had them."""
    results = {} if frame.calc is None else frame.calc.results
    plain = rounded(frame)
    energy = frame.info.get(ENERGY, frame.info.get("energy", results.get("energy")))
    forces = frame.arrays.get(FORCES, frame.arrays.get("forces", results.get("forces")))
    stress = frame.info.get(STRESS, frame.info.get("stress", results.get("stress")))
    plain.info = {key: frame.info[key] for key in (TEACHER, ORIGIN) if key in frame.info}
    if energy is not None:
        plain.info[ENERGY] = float(energy)
    if forces is not None:
        plain.arrays[FORCES] = np.array(forces, dtype=float)
    if stress is not None:
        plain.info[STRESS] = _voigt(stress)
    return plain


def _voigt(stress: Any) -> np.ndarray:
    """Give a stress in ASE's Voigt order, from six numbers or a 3 × 3 matrix."""
    values = np.asarray(stress, dtype=float).ravel()
    return values if values.size == 6 else values[[0, 4, 8, 5, 2, 1]]
