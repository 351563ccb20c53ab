"""`superion potential`: which potentials there are, and whether one works here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import completion
from .console import results_console, write_json
from .options import JsonOption, parse_potential

if TYPE_CHECKING:
    from pymatgen.core import Structure

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
        typer.Option("--structure", metavar="FILE", help="Crystal to try it on; a small salt if not given."),
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help="auto, float32 or float64.")] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Argument of the calculator; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Load a potential, compute energy and forces on a small crystal, and time a step."""
    import os

    # One thread is the fastest for small cells; it must be set before torch loads.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from ..potentials.check import check_potential

    specification = parse_potential(name, device=device, dtype=dtype)
    if options:
        from ..flows.settings import parse_assignment

        given = dict(parse_assignment(text) for text in options)
        specification = specification.model_copy(update={"options": given})
    check = check_potential(specification, None if structure is None else _ordered(structure))
    if as_json:
        write_json(check)
        return
    console = results_console()
    provenance = check.provenance
    known = check.known_elements
    rows = [
        ("potential", f"{provenance.name}{f', model {provenance.model}' if provenance.model else ''}"),
        ("package", f"{provenance.package} {provenance.package_version}"),
        ("weights, sha256", provenance.weights_sha256),
        ("precision, device", f"{provenance.dtype} on {provenance.device}"),
        ("elements", "it does not say" if known is None else f"{len(known)} known"),
        ("stress", "yes" if check.has_stress else "no: it cannot relax a cell or run NPT"),
        ("torch-sim", "yes" if check.supports_torch_sim else "no"),
        ("tried on", f"{check.formula}, {check.n_atoms} atoms, shaken a little"),
        ("energy", f"{check.energy_ev_per_atom:.4f} eV/atom"),
        ("largest force", f"{check.largest_force_ev_per_angstrom:.4f} eV/Å"),
        ("time to load", f"{check.seconds_to_load:.2g} s"),
        ("time for a step", f"{1e3 * check.seconds_per_step:.3g} ms"),
    ]
    for title, text in rows:
        console.print(f"{title:<18} {text}", markup=False, soft_wrap=True)


def _ordered(path: Path) -> Structure:
    """Read a crystal and order its partial occupancies, which no potential can handle."""
    from ..structures.order import order_structure
    from ..structures.read import read_structure

    return order_structure(read_structure(path)).structure
