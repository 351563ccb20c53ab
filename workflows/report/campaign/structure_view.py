"""A crystal structure as a drawing: an orthographic view of one cell, as SVG without any script."""

from __future__ import annotations

import html
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

MOST_ATOMS = 3000
"""Atoms up to which a cell is drawn."""

MOST_LETTERED = 160
"""Atoms up to which each carries its symbol."""

_MOBILE = "#e69f00"
_OTHERS = ("#0072b2", "#f0e442", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#9aa3ab", "#3c4650")
_WIDTH, _HEIGHT, _MARGIN, _LEGEND = 640.0, 460.0, 26.0, 34.0
_AT_FACE = 0.02
_RADIUS = 0.42
_BOND = 1.18
_PIECES = 12
"""Pieces of an edge, each of which an atom may stand before or behind."""


@dataclass(frozen=True)
class _Atom:
    symbol: str
    x: float
    y: float
    depth: float
    radius: float


def structure_svg(structure: Structure, *, name: str, title: str, mobile_ion: str | None = None) -> str:
    """Draw the cell of a structure.

    Atoms at a face are drawn at the opposite face too.  Colours stand for elements, the mobile ion being orange;
    symbols are written into the atoms of small cells, so that nothing rests on colour alone.

    Parameters
    ----------
    structure : Structure
        The structure.
    name : str
        A word that is unique on the page.
    title : str
        Short title, read out by screen readers.
    mobile_ion : str, optional
        Element symbol of the mobile ion.

    Returns
    -------
    str
        The SVG element; empty for a cell of too many atoms.

    Examples
    --------
    >>> from pymatgen.core import Lattice
    >>> cell = Structure(Lattice.cubic(3.5), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> structure_svg(cell, name="cell", title="LiCl", mobile_ion="Li").count("<circle")
    11
    """
    if len(structure) > MOST_ATOMS:
        return ""
    view = _view(structure.lattice.matrix)
    symbols = [site.species.elements[0].symbol for site in structure]
    atoms = _atoms(structure, symbols, view)
    corners = np.array(list(itertools.product((0.0, 1.0), repeat=3))) @ structure.lattice.matrix @ view
    colours = _colours(symbols, mobile_ion)
    scale, shift = _fit(atoms, corners)
    parts = [_back_edges(corners, scale, shift)]
    parts += _bonds(atoms, mobile_ion, scale, shift)
    depths = [atom.depth for atom in atoms]
    nearest, furthest = max(depths), min(depths)
    lettered = len(atoms) <= MOST_LETTERED
    # An edge within an atom is hidden by it: pieces count as further away by the greatest radius.
    behind = max(atom.radius for atom in atoms)
    drawn = [(depth - behind, text) for depth, text in _front_edges(corners, scale, shift)]
    for atom in sorted(atoms, key=lambda one: (one.depth, one.symbol, one.x, one.y)):
        haze = 0.45 * (nearest - atom.depth) / (nearest - furthest) if nearest > furthest else 0.0
        drawn.append((atom.depth, _circle(atom, _mixed(colours[atom.symbol], haze), scale, shift, lettered)))
    parts += [text for _, text in sorted(drawn, key=lambda one: one[0])]
    parts.append(_legend(colours, mobile_ion))
    amounts = ", ".join(f"{symbols.count(symbol)} {symbol}" for symbol in colours)
    lattice = structure.lattice
    description = (
        f"One cell with {len(structure)} atoms ({amounts}); a, b, c = {lattice.a:.2f}, {lattice.b:.2f}, {lattice.c:.2f}"
        f" Å, angles {lattice.alpha:.1f}, {lattice.beta:.1f}, {lattice.gamma:.1f} degrees."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {_HEIGHT + _LEGEND:g}" role="img" '
        f'aria-labelledby="{name}-title {name}-description"><title id="{name}-title">{html.escape(title)}</title>'
        f'<desc id="{name}-description">{html.escape(description)}</desc>{"".join(parts)}</svg>'
    )


def _view(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the rotation to (right, up, towards the reader): c upwards, seen from a little to the side and above."""
    up = matrix[2] / np.linalg.norm(matrix[2])
    right = matrix[0] - (matrix[0] @ up) * up
    right /= np.linalg.norm(right)
    back = np.cross(right, up)
    frame = np.array([right, up, back]).T
    turn, tilt = np.radians(24.0), np.radians(14.0)
    around_up = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    around_right = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    return frame @ around_up.T @ around_right.T


def _atoms(structure: Structure, symbols: list[str], view: NDArray[np.float64]) -> list[_Atom]:
    """Place the atoms of the cell, and their images at the opposite faces."""
    atoms = []
    for symbol, fractional in zip(symbols, structure.frac_coords, strict=True):
        inside = fractional % 1.0
        inside = np.where(inside > 1.0 - _AT_FACE, inside - 1.0, inside)
        steps = [(0.0, 1.0) if f < _AT_FACE else (0.0,) for f in inside]
        for step in itertools.product(*steps):
            x, y, depth = (inside + np.array(step)) @ structure.lattice.matrix @ view
            atoms.append(_Atom(symbol, float(x), float(y), float(depth), _radius(symbol)))
    return atoms


def _radius(symbol: str) -> float:
    """Radius in Å that an atom is drawn with."""
    from ase.data import covalent_radii

    return _RADIUS * float(covalent_radii[min(Element(symbol).Z, len(covalent_radii) - 1)])


def _colours(symbols: list[str], mobile_ion: str | None) -> dict[str, str]:
    """Give every element its colour, the mobile ion first, then from metal to anion."""
    present = sorted(set(symbols), key=lambda s: (s != mobile_ion, _electronegativity(s), s))
    others = itertools.cycle(_OTHERS)
    return {symbol: _MOBILE if symbol == mobile_ion else next(others) for symbol in present}


def _electronegativity(symbol: str) -> float:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = float(Element(symbol).X)
    return value if np.isfinite(value) else 0.0


def _fit(atoms: list[_Atom], corners: NDArray[np.float64]) -> tuple[float, tuple[float, float]]:
    """Find the scale in units per Å and the shift that centre everything in the picture."""
    xs = [end for a in atoms for end in (a.x - a.radius, a.x + a.radius)] + [float(x) for x in corners[:, 0]]
    ys = [end for a in atoms for end in (a.y - a.radius, a.y + a.radius)] + [float(y) for y in corners[:, 1]]
    left, right, low, high = min(xs), max(xs), min(ys), max(ys)
    scale = min((_WIDTH - 2 * _MARGIN) / (right - left), (_HEIGHT - 2 * _MARGIN) / (high - low))
    return scale, (_WIDTH / 2 - scale * (left + right) / 2, _HEIGHT / 2 + scale * (low + high) / 2)


def _edges(corners: NDArray[np.float64]) -> list[tuple[int, int]]:
    return [(i, j) for i, j in itertools.combinations(range(len(corners)), 2) if (i ^ j).bit_count() == 1]


def _back_edges(corners: NDArray[np.float64], scale: float, shift: tuple[float, float]) -> str:
    """Draw the edges at the corner furthest from the reader, dashed."""
    furthest = int(np.argmin(corners[:, 2]))
    lines = [_line(corners[i], corners[j], scale, shift) for i, j in _edges(corners) if furthest in (i, j)]
    return f'<path d="{"".join(lines)}" fill="none" stroke="#5b6470" stroke-width="1.1" stroke-dasharray="5 4"/>'


def _front_edges(corners: NDArray[np.float64], scale: float, shift: tuple[float, float]) -> list[tuple[float, str]]:
    """Draw the other edges in pieces, each with its depth."""
    furthest = int(np.argmin(corners[:, 2]))
    pieces = []
    for i, j in _edges(corners):
        if furthest in (i, j):
            continue
        ends = np.linspace(corners[i], corners[j], _PIECES + 1)
        for first, second in itertools.pairwise(ends):
            line = f'<path d="{_line(first, second, scale, shift)}" stroke="#5b6470" stroke-width="1.1"/>'
            pieces.append((float(first[2] + second[2]) / 2.0, line))
    return pieces


def _line(first: NDArray[np.float64], second: NDArray[np.float64], scale: float, shift: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = (_place(float(end[0]), float(end[1]), scale, shift) for end in (first, second))
    return f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"


def _bonds(atoms: list[_Atom], mobile_ion: str | None, scale: float, shift: tuple[float, float]) -> list[str]:
    """Draw the bonds of the framework: pairs about as far apart as their covalent radii say."""
    framework = [atom for atom in atoms if atom.symbol != mobile_ion]
    if len(framework) < 2:
        return []
    positions = np.array([[a.x, a.y, a.depth] for a in framework])
    reach = np.array([a.radius for a in framework]) * _BOND / _RADIUS
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    symbols = np.array([a.symbol for a in framework])
    bonded = (distances < reach[:, None] + reach[None]) & (distances > 0.5) & (symbols[:, None] != symbols[None])
    lines = []
    for i, j in np.argwhere(np.triu(bonded)):
        x1, y1 = _place(framework[i].x, framework[i].y, scale, shift)
        x2, y2 = _place(framework[j].x, framework[j].y, scale, shift)
        lines.append(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}")
    width = max(1.5, 0.11 * scale)
    return [f'<path d="{"".join(lines)}" fill="none" stroke="#b9c1c9" stroke-width="{width:.1f}"/>'] if lines else []


def _circle(atom: _Atom, colour: str, scale: float, shift: tuple[float, float], lettered: bool) -> str:
    x, y = _place(atom.x, atom.y, scale, shift)
    radius = max(2.5, scale * atom.radius)
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{colour}" stroke="#22282f" stroke-width=".7"/>'
    if not lettered or radius < 6.0:
        return circle
    return circle + _letters(atom.symbol, x, y, min(15.0, 0.95 * radius), colour)


def _letters(symbol: str, x: float, y: float, size: float, colour: str) -> str:
    """Write a symbol in black or white, whichever is read better on its colour."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    ink = "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < 135 else "#10161d"
    return (
        f'<text x="{x:.1f}" y="{y + 0.35 * size:.1f}" font-size="{size:.1f}" text-anchor="middle" '
        f'font-family="sans-serif" font-weight="600" fill="{ink}">{html.escape(symbol)}</text>'
    )


def _legend(colours: dict[str, str], mobile_ion: str | None) -> str:
    """List the elements below the picture."""
    step = min(90.0, (_WIDTH - 2 * _MARGIN) / max(1, len(colours)))
    x = _WIDTH / 2 - step * (len(colours) - 1) / 2 - 12.0
    parts = []
    for symbol, colour in colours.items():
        y = _HEIGHT + _LEGEND / 2
        note = " (mobile)" if symbol == mobile_ion and step >= 60 else ""
        parts.append(
            f'<circle cx="{x - (22 if note else 0):.1f}" cy="{y:.1f}" r="8" fill="{colour}" stroke="#22282f" '
            f'stroke-width=".7"/><text x="{x + 13 - (22 if note else 0):.1f}" y="{y + 4.5:.1f}" font-size="13" '
            f'font-family="sans-serif" fill="#22282f">{html.escape(symbol + note)}</text>'
        )
        x += step
    return "".join(parts)


def _place(x: float, y: float, scale: float, shift: tuple[float, float]) -> tuple[float, float]:
    return shift[0] + scale * x, shift[1] - scale * y


def _mixed(colour: str, haze: float) -> str:
    """Mix a colour with white: what is further away is paler."""
    channels = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(c + haze * (255 - c)):02x}" for c in channels)
