"""H5MD files, ours and those of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import TrajectoryError
from .species import kinds_in_order, plain_symbol, stated_species
from .temperature import KineticTemperature
from .trajectory import RawTrajectory, ReadOptions, atomic_masses_amu
from .unwrap import FRAMES_PER_BLOCK

_LENGTH_ANGSTROM = {"angstrom": 1.0, "a": 1.0, "å": 1.0, "nm": 10.0, "pm": 0.01}
_TIME_FS = {"fs": 1.0, "ps": 1e3, "ns": 1e6}


def recognises(head: bytes, file_name: str) -> bool:
    """Say whether these are the first bytes of an HDF5 file.

    Parameters
    ----------
    head : bytes
        First bytes.
    file_name : str
        Name of the file.

    Returns
    -------
    bool
        True if so.
    """
    return head.startswith(b"\x89HDF\r\n\x1a\n")


def read(path: Path, options: ReadOptions) -> RawTrajectory:
    """Read the particles of an H5MD file.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        `species_order`: elements of the sorted species numbers, where these are no atomic numbers.

    Returns
    -------
    RawTrajectory
        Unwrapped where the file has image flags.

    Raises
    ------
    TrajectoryError
        The file is damaged or no H5MD, or has no cell, or unknown units or species.

    References
    ----------
    P. de Buyl, P. H. Colberg and F. Höfling, Comput. Phys. Commun. 185, 1546 (2014), 10.1016/j.cpc.2014.01.018.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _read(file, path, options)
    except TrajectoryError:
        raise
    except KeyError as error:
        raise TrajectoryError(
            f"{path} is no complete H5MD file ({error.args[0]}); it needs particles with position, box and species."
        ) from None
    except (OSError, RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise TrajectoryError(
            f"The HDF5 file {path} is damaged or was still being written "
            f"({str(error).partition(chr(10))[0]}); copy it again."
        ) from None


def _read(file: Any, path: Path, options: ReadOptions) -> RawTrajectory:
    groups = [group for group in file["particles"].values() if "position" in group]
    if len(groups) != 1:
        raise TrajectoryError(f"{path} has {len(groups)} groups of particles with positions; one is needed.")
    particles = groups[0]
    notes: list[str] = []
    position = particles["position"]
    factor = _unit(position["value"], _LENGTH_ANGSTROM, "Å", notes)
    fractional = np.asarray(position["value"], dtype=np.float64)
    n_frames, n_atoms, _ = fractional.shape
    if n_frames == 0:
        raise TrajectoryError(f"{path} holds no frame; was the run stopped at its start?")
    cells = _cells(particles["box"], n_frames, path, notes)
    symbols = _symbols(particles, n_atoms, options, path, notes)
    to_fractional = np.linalg.inv(cells) * factor
    images = _dataset(particles["image"]) if "image" in particles else None
    ids = _ids(particles, (n_frames, n_atoms), path)
    for start in range(0, n_frames, FRAMES_PER_BLOCK):  # in place: no second copy of the trajectory
        block = slice(start, start + FRAMES_PER_BLOCK)
        fractional[block] = fractional[block] @ to_fractional[block]
        if images is not None:
            fractional[block] += images[block] if images.ndim == 3 else images[...]
        if ids is not None:
            order = np.argsort(ids[block], axis=1, kind="stable")
            fractional[block] = np.take_along_axis(fractional[block], order[:, :, None], axis=1)
    is_unwrapped = images is not None or _is_ours(file)
    steps, stride = _axis(position.get("step"), n_frames, path)
    times, time_gap = _axis(position.get("time"), n_frames, path)
    time_unit = _time_unit(position["time"]) if "time" in position else None
    if times is None and time_gap is not None:
        times = np.arange(n_frames, dtype=np.float64) * time_gap
    if steps is None and stride is not None and n_frames:
        steps = np.arange(n_frames, dtype=np.float64) * stride
    return RawTrajectory(
        symbols=symbols,
        fractional=fractional,
        cells_angstrom=cells,
        is_unwrapped=is_unwrapped,
        steps=steps,
        times=times,
        time_rounding=_rounding(position.get("time"), times),
        time_unit_fs=time_unit,
        kinetic_temperature_k=_temperature(file, particles, symbols),
        notes=tuple(notes),
    )


def _ids(particles: Any, shape: tuple[int, int], path: Path) -> NDArray[np.int64] | None:
    """Return the id of each atom in each frame, where the order of the atoms changes."""
    if "id" not in particles or _dataset(particles["id"]).shape != shape:
        return None
    ids = np.asarray(_dataset(particles["id"]), dtype=np.int64)
    if np.all(ids == ids[0]):
        return None
    species = np.asarray(_dataset(particles["species"]))
    places = np.sort(ids, axis=1)
    if np.any(places != places[0]) or np.any(places[0, 1:] == places[0, :-1]):
        raise TrajectoryError(f"The ids of the atoms of {path} are not the same in every frame; write the same atoms.")
    kinds = species[:, None] if species.ndim == 0 else species
    if kinds.ndim != 1 or kinds.size != shape[1] or np.any(kinds[np.argsort(ids, axis=1, kind="stable")] != kinds):
        raise TrajectoryError(
            f"The atoms of {path} change their order, and it is not clear which species belongs to which id; write the "
            "atoms in one order."
        )
    return ids


def _dataset(element: Any) -> Any:
    """Return the values of an H5MD element, whether it changes in time (a group) or not (a dataset)."""
    import h5py

    return element if isinstance(element, h5py.Dataset) else element["value"]


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:  # some writers keep an attribute as an array of one
        value = value.item()
    return value.decode() if isinstance(value, bytes) else str(value)


def _unit(dataset: Any, known: dict[str, float], default: str, notes: list[str]) -> float:
    """Return the factor of a dataset's `unit` attribute."""
    if "unit" not in dataset.attrs:
        notes.append(f"{dataset.name} states no unit; {default} is assumed.")
        return 1.0
    unit = _text(dataset.attrs["unit"]).strip()
    if unit.lower() not in known:
        raise TrajectoryError(f"The unit {unit!r} of {dataset.name} is not known here; use one of {', '.join(known)}.")
    return known[unit.lower()]


def _cells(box: Any, n_frames: int, path: Path, notes: list[str]) -> NDArray[np.float64]:
    if "edges" not in box:
        raise TrajectoryError(f"{path} has no cell (box/edges); write it with the positions.")
    boundary = [_text(entry) for entry in np.atleast_1d(box.attrs.get("boundary", ["periodic"] * 3))]
    if boundary != ["periodic"] * 3:
        raise TrajectoryError(f"The box of {path} is not periodic in all directions; a conductivity needs a crystal.")
    edges = box["edges"]
    dataset = _dataset(edges)
    values = np.asarray(dataset, dtype=np.float64) * _unit(dataset, _LENGTH_ANGSTROM, "Å", notes)
    if dataset is edges:
        values = np.repeat(values[None], n_frames, axis=0)
    if values.shape[0] != n_frames:
        raise TrajectoryError(f"{path} has {values.shape[0]} cells for {n_frames} frames; write one for each frame.")
    if values.ndim == 2:  # edge lengths of an orthogonal box
        values = values[:, :, None] * np.eye(3)
    if np.any(np.abs(np.linalg.det(values)) < 1e-6):
        raise TrajectoryError(f"A cell of {path} has no volume; write the three cell vectors.")
    return values


def _symbols(particles: Any, n_atoms: int, options: ReadOptions, path: Path, notes: list[str]) -> tuple[str, ...]:
    import h5py
    from ase.data import chemical_symbols

    species = particles["species"]
    dataset = _dataset(species)
    values = np.asarray(dataset)
    if values.ndim == 2:
        if np.any(values != values[0]):
            raise TrajectoryError(f"The species of {path} change during the run; atoms must keep their element.")
        values = values[0]
    values = np.atleast_1d(values)
    if values.size != n_atoms:
        raise TrajectoryError(f"{path} has {values.size} species for {n_atoms} atoms; write one for each atom.")
    names = h5py.check_enum_dtype(dataset.dtype)
    if names or values.dtype.kind in "SO":
        by_number = {number: name for name, number in (names or {}).items()}
        labels = [by_number.get(int(value), str(value)) if names else _text(value) for value in values]
        if options.species_order is not None:
            return stated_species(labels, kinds_in_order(labels), options, path, notes, "species")
        return tuple(plain_symbol(label) for label in labels)
    kinds = np.unique(values)
    order = options.species_order
    if order is not None:
        if len(order) != kinds.size:
            raise TrajectoryError(f"{path} has {kinds.size} species, but species_order names {len(order)}; name each.")
        return tuple(order[int(index)] for index in np.searchsorted(kinds, values))
    if kinds.min() < 1 or kinds.max() >= len(chemical_symbols):
        raise TrajectoryError(
            f"The species numbers of {path} ({kinds.min()} to {kinds.max()}) are no atomic numbers; "
            "give species_order (--species-order)."
        )
    symbols = tuple(chemical_symbols[int(value)] for value in values)
    notes.append(f"Species numbers are read as atomic numbers: {', '.join(sorted(set(symbols)))}.")
    return symbols


def _is_ours(file: Any) -> bool:
    """Whether superion wrote the file: its positions are unwrapped."""
    return "h5md/creator" in file and _text(file["h5md/creator"].attrs.get("name", "")) == "superion"


def _time_unit(dataset: Any) -> float | None:
    """Return the unit of time in fs; None where the file does not state one."""
    return None if "unit" not in dataset.attrs else _unit(dataset, _TIME_FS, "fs", [])


def _axis(dataset: Any, n_frames: int, path: Path) -> tuple[NDArray[np.float64] | None, float | None]:
    """Return an explicit (one entry per frame) H5MD time axis, or the increment of a fixed one."""
    if dataset is None:
        return None, None
    if dataset.shape == ():
        return None, float(dataset[()])
    values = np.asarray(dataset[:n_frames], dtype=np.float64)
    if values.shape != (n_frames,) or not np.isfinite(values).all():
        raise TrajectoryError(
            f"{dataset.name} of {path} has not one number for each of {n_frames} frames; copy it again."
        )
    return values, None


def _rounding(dataset: Any, times: NDArray[np.float64] | None) -> float:
    """Return the distance of neighbouring numbers in the type that stores the times."""
    if dataset is None or times is None or dataset.shape == () or dataset.dtype.kind != "f" or not times.size:
        return 0.0
    return float(np.spacing(np.abs(times).max().astype(dataset.dtype)))


def _temperature(file: Any, particles: Any, symbols: tuple[str, ...]) -> float | None:
    """Return the mean kinetic temperature: observed, or from velocities with a stated unit."""
    from ase.data import atomic_numbers

    observed = file.get("observables/temperature/value")
    if observed is not None and _text(observed.attrs.get("unit", "")) == "K" and observed.size:
        return float(np.mean(observed[...]))
    if "velocity" not in particles:
        return None
    dataset = particles["velocity"]["value"]
    length, _, time = _text(dataset.attrs.get("unit", "")).partition(" ")
    factor = _LENGTH_ANGSTROM.get(length.lower())
    per_time = _TIME_FS.get(time.removesuffix("-1").removesuffix("^").strip())
    if factor is None or per_time is None:
        return None
    if any(atomic_numbers.get(symbol, 0) < 1 for symbol in symbols):
        return None
    measured = KineticTemperature(atomic_masses_amu(symbols))
    frames = range(0, dataset.shape[0], max(1, dataset.shape[0] // 1000))  # a thousand frames say it well enough
    for frame in frames:
        measured.add(np.asarray(dataset[frame], dtype=np.float64) * factor / per_time)
    return measured.value_k()
