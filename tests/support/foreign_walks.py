"""A random walk of known diffusivity, and the files that many programs would write of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

EDGE = 14.0
N_EACH = 16
SYMBOLS = ("Li",) * N_EACH + ("S",) * N_EACH
STEP_ANGSTROM = 0.05  # per axis and frame of 20 fs: D = 0.05² / (2 · 0.02) Å²/ps = 6.25e-6 cm²/s


def walk(n_frames: int = 60, seed: int = 1, step: float = STEP_ANGSTROM) -> np.ndarray:
    """Unwrapped positions in Å: Li walks, S rattles about its site."""
    generator = np.random.default_rng(seed)
    sites = np.array(list(itertools.product(range(4), repeat=3)))[: 2 * N_EACH] * (EDGE / 4)
    moves = generator.normal(0.0, step, (n_frames, N_EACH, 3))
    moves[0] = 0.0
    positions = np.repeat(sites[None].astype(float), n_frames, axis=0)
    positions[:, :N_EACH] += np.cumsum(moves, axis=0)
    positions[:, N_EACH:] += generator.normal(0.0, 0.02, (n_frames, N_EACH, 3))
    return positions


def assert_same_motion(read: np.ndarray, true: np.ndarray, tolerance: float = 2e-4) -> None:
    """Displacements agree; the starting image is free."""
    np.testing.assert_allclose(read - read[0], true - true[0], atol=tolerance)


def xdatcar(
    positions: np.ndarray,
    marks: Sequence[str] | None = None,
    *,
    header: str = "Li S\n16 16\n",
    scale: str = "1.0",
    edge: float = EDGE,
    behind: Sequence[str] | None = None,
    number: str = "{:12.8f}",
    join: str = "",
) -> str:
    """An XDATCAR with these lines before its configurations."""
    text = f"sys\n {scale}\n {edge:g} 0 0\n 0 {edge:g} 0\n 0 0 {edge:g}\n{header}"
    marks = marks or [f"Direct configuration={index + 1:6d}" for index in range(len(positions))]
    for mark, frame in zip(marks, positions / EDGE, strict=True):
        rows = (join.join(number.format(value) for value in row) for row in frame - np.floor(frame))
        tails = behind or ("",) * len(frame)
        text += f"{mark}\n" + "".join(f"{row}{tail}\n" for row, tail in zip(rows, tails, strict=True))
    return text


def lammps(positions: np.ndarray, columns: str = "id element xu yu zu", **options: object) -> str:
    """A LAMMPS dump of a cube; options: steps, times, units, velocities, types."""
    steps = options.get("steps", 10 * np.arange(len(positions)))
    types = options.get("types", [1 + (symbol == "S") for symbol in SYMBOLS])
    elements = options.get("elements", SYMBOLS)
    velocities = options.get("velocities")
    times = options.get("times")
    text = f"ITEM: UNITS\n{options['units']}\n" if "units" in options else ""
    for index, frame in enumerate(positions):
        text += f"ITEM: TIMESTEP\n{steps[index]}\n"
        if times is not None:
            text += f"ITEM: TIME\n{times[index]:.6g}\n"
        text += f"ITEM: NUMBER OF ATOMS\n{len(frame)}\nITEM: BOX BOUNDS pp pp pp\n" + f"0 {EDGE:g}\n" * 3
        text += f"ITEM: ATOMS {columns}\n"
        wrapped = frame - EDGE * np.floor(frame / EDGE)
        for atom in range(len(frame)):
            values = {
                "id": atom + 1,
                "type": types[atom],
                "element": elements[atom],
                **{f"{axis}u": f"{value:.6f}" for axis, value in zip("xyz", frame[atom], strict=True)},
                **{axis: f"{value:.6f}" for axis, value in zip("xyz", wrapped[atom], strict=True)},
            }
            if velocities is not None:
                values |= {f"v{axis}": f"{value:.6g}" for axis, value in zip("xyz", velocities[atom], strict=True)}
            text += " ".join(str(values[column]) for column in columns.split()) + "\n"
    return text


def extxyz(positions: np.ndarray, info: Sequence[str] | None = None, symbols: Sequence[str] = SYMBOLS) -> str:
    """An extended XYZ file of a cube, positions as they are."""
    text = ""
    for index, frame in enumerate(positions):
        lattice = f"{EDGE} 0 0 0 {EDGE} 0 0 0 {EDGE}"
        text += f'{len(frame)}\nLattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T" '
        text += (info[index] if info is not None else "") + "\n"
        rows = zip(symbols, frame, strict=True)
        text += "".join(f"{symbol} {x:.8f} {y:.8f} {z:.8f}\n" for symbol, (x, y, z) in rows)
    return text


def vasprun(
    positions: np.ndarray,
    *,
    settings: str = "",
    is_learned: Sequence[bool] | None = None,
    labels: Sequence[str] = SYMBOLS,
    kinetic: float | None = 2.8,
) -> str:
    """A vasprun.xml; machine-learned steps stand outside the calculations."""
    incar = f'<i type="int" name="IBRION">0</i><i name="POTIM">20</i><i name="TEBEG">700</i>{settings}'
    atoms = "".join(f"<rc><c>{label:2}</c><c>{1 + (label != labels[0])}</c></rc>\n" for label in labels)
    text = f'<?xml version="1.0"?>\n<modeling>\n<incar>{incar}</incar>\n<parameters>{incar}</parameters>\n'
    text += f'<atominfo><array name="atoms"><set>{atoms}</set></array></atominfo>\n'
    energy = "" if kinetic is None else f'<energy><i name="kinetic"> {kinetic} </i></energy>\n'
    basis = "".join(f"<v> {row[0]} {row[1]} {row[2]} </v>" for row in EDGE * np.eye(3))
    for index, frame in enumerate(positions / EDGE):
        rows = "".join(f"<v> {x:.8f} {y:.8f} {z:.8f} </v>\n" for x, y, z in frame - np.floor(frame))
        structure = (
            f'<structure><crystal><varray name="basis">{basis}</varray></crystal>\n'
            f'<varray name="positions">\n{rows}</varray></structure>\n{energy}'
        )
        text += (
            structure if is_learned is not None and is_learned[index] else f"<calculation>{structure}</calculation>\n"
        )
    return text + "</modeling>\n"
