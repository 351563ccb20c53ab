"""`superion potential check`: whether a potential works here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import completion
from ..console import results_console, write_json
from ..options import ForceOption, JsonOption, StoreOption, parse_potential

if TYPE_CHECKING:
    from pymatgen.core import Structure


def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME[:MODEL]",
            help="Potential: chgnet, mace:MODEL, ase:DOTTED.PATH, …, or the name of one trained here.",
            autocompletion=completion.potential_and_student_names,
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
    force: ForceOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load a potential, compute energy and forces on a small crystal, and time a step."""
    import os

    # One thread is the fastest for small cells; it must be set before torch loads.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from ...potentials.check import check_potential
    from ...workflows.student_names import StudentNames

    specification = parse_potential(name, device=device, dtype=dtype)
    if options:
        from ...flows.settings import parse_assignment

        given = dict(parse_assignment(text) for text in options)
        specification = specification.model_copy(update={"options": given})
    specification = StudentNames(location=store, force=force).resolve(specification)
    checked = check_potential(specification, None if structure is None else _ordered(structure))
    if as_json:
        write_json(checked)
        return
    console = results_console()
    provenance = checked.provenance
    known = checked.known_elements
    rows = [
        ("potential", f"{provenance.name}{f', model {provenance.model}' if provenance.model else ''}"),
        ("package", f"{provenance.package} {provenance.package_version}"),
        ("weights, sha256", provenance.weights_sha256),
        ("precision, device", f"{provenance.dtype} on {provenance.device}"),
        ("elements", "it does not say" if known is None else f"{len(known)} known"),
        ("stress", "yes" if checked.has_stress else "no: it cannot relax a cell or run NPT"),
        ("torch-sim", "yes" if checked.supports_torch_sim else "no"),
        ("tried on", f"{checked.formula}, {checked.n_atoms} atoms, shaken a little"),
        ("energy", f"{checked.energy_ev_per_atom:.4f} eV/atom"),
        ("largest force", f"{checked.largest_force_ev_per_angstrom:.4f} eV/Å"),
        ("time to load", f"{checked.seconds_to_load:.2g} s"),
        ("time for a step", f"{1e3 * checked.seconds_per_step:.3g} ms"),
    ]
    for title, text in rows:
        console.print(f"{title:<18} {text}", markup=False, soft_wrap=True)


def _ordered(path: Path) -> Structure:
    """Read a crystal and order its partial occupancies, which no potential can handle."""
    from ...structures.order import order_structure
    from ...structures.read import read_structure

    return order_structure(read_structure(path)).structure
