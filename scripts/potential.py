"""`superion potential`: which potentials there are, and whether one works here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion
from .console import results_console, write_json
from .options import JsonOption, parse_potential

if TYPE_CHECKING:
    from ..potentials.potential import Potential

app = typer.Typer(help="List the neural-network potentials, or check one.", no_args_is_help=True)


@app.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """List the registered potentials, installed or not."""
    from rich.markup import escape
    from rich.table import Table

    from ..potentials.registry import list_potentials

    infos = list_potentials()
    if as_json:
        write_json(infos)
        return
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for title in ("name", "installed", "torch-sim", "description", "to install"):
        table.add_column(title, overflow="fold")
    for info in infos:
        table.add_row(
            info.name,
            f"{info.package_version or 'yes'}" if info.installed else "no",
            "yes" if info.supports_torch_sim else "no",
            escape(info.description),
            "" if info.installed else escape(info.install_command),
        )
    results_console().print(table)


@app.command("check")
def check_command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME[:MODEL]",
            help="Potential: chgnet, mace:MODEL, ase:DOTTED.PATH, …",
            autocompletion=completion.potential_names,
        ),
    ],
    structure: Annotated[
        Path | None,
        typer.Option("--structure", metavar="FILE", help="Also compute energy, forces and speed of this crystal."),
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help="auto, float32 or float64.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Load a potential, say where it comes from, and try it on a crystal if one is given."""
    import os

    # One thread is the fastest for small cells; it must be set before torch loads.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from ..potentials.registry import load_potential

    potential = load_potential(parse_potential(name, device=device, dtype=dtype))
    known = potential.known_elements()
    answer: dict[str, Any] = {
        "provenance": potential.provenance,
        "supports_torch_sim": potential.supports_torch_sim,
        "n_known_elements": None if known is None else len(known),
    }
    if structure is not None:
        answer["structure"] = _try_on(potential, structure)
    if as_json:
        write_json(answer)
        return
    console = results_console()
    provenance = potential.provenance
    rows = [
        ("potential", f"{provenance.name}{f', model {provenance.model}' if provenance.model else ''}"),
        ("package", f"{provenance.package} {provenance.package_version}"),
        ("weights, sha256", provenance.weights_sha256),
        ("precision, device", f"{provenance.dtype} on {provenance.device}"),
        ("elements", "any, or unknown" if known is None else f"{len(known)} known"),
        ("torch-sim", "yes" if potential.supports_torch_sim else "no"),
    ]
    if structure is not None:
        tried = answer["structure"]
        rows += [
            ("crystal", f"{tried['formula']}, {tried['n_atoms']} atoms"),
            ("energy", f"{tried['energy_ev_per_atom']:.4f} eV/atom"),
            ("largest force", f"{tried['max_force_ev_per_angstrom']:.4f} eV/Å"),
            ("time for a step", f"{1e3 * tried['seconds_per_step']:.3g} ms"),
        ]
    for title, text in rows:
        console.print(f"{title:<18} {text}", markup=False)


def _try_on(potential: Potential, path: Path) -> dict[str, Any]:
    """Compute energy and forces of a crystal, twice, to time the second."""
    import time

    import numpy as np

    from ..structures.read import read_structure
    from ..structures.validate import validate_structure

    structure = read_structure(str(path))
    validate_structure(structure)
    atoms = _ordered(structure).to_ase_atoms()
    potential.check_elements(atoms.get_chemical_symbols())
    atoms.calc = potential.calculator()
    energy = float(atoms.get_potential_energy())
    forces = atoms.get_forces()
    atoms.positions = atoms.positions + 1.0e-3
    atoms.positions[0] += 1.0e-3
    start = time.perf_counter()
    atoms.get_forces()
    return {
        "formula": structure.composition.reduced_formula,
        "n_atoms": len(atoms),
        "energy_ev_per_atom": energy / len(atoms),
        "max_force_ev_per_angstrom": float(np.abs(forces).max()),
        "seconds_per_step": time.perf_counter() - start,
    }


def _ordered(structure: Any) -> Any:
    """Order partial occupancies, which no potential can handle."""
    if structure.is_ordered:
        return structure
    from ..structures.order import order_structure

    return order_structure(structure).structure
