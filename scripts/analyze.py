"""`superion analyze`: transport from trajectories that are already there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import results_console, say, write_json
from .options import ChargeOption, JsonOption, MobileIonOption, parse_numbers


def analyze(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="vasprun.xml, XDATCAR, LAMMPS dump, extxyz, .traj, H5MD, or our trajectory folders."
        ),
    ],
    mobile_ion: MobileIonOption = None,
    ion_charge: ChargeOption = None,
    temperature: Annotated[
        str | None,
        typer.Option("--temperature", metavar="K[,K…]", help="Temperature in K: one for all files, or one for each."),
    ] = None,
    time_step_fs: Annotated[
        float | None, typer.Option("--time-step-fs", metavar="FS", help="Time step in fs, where the file counts steps.")
    ] = None,
    frame_interval_fs: Annotated[
        float | None, typer.Option("--frame-interval-fs", metavar="FS", help="Time between frames in fs.")
    ] = None,
    equilibration_ps: Annotated[
        float | None,
        typer.Option("--equilibration-ps", metavar="PS", help="Time cut from the start of each run in ps."),
    ] = None,
    species_order: Annotated[
        str | None,
        typer.Option("--species-order", metavar="EL,EL,…", help="Elements of the types or names in the files: Li,P,S."),
    ] = None,
    unwrapped: Annotated[
        bool, typer.Option("--unwrapped", help="The positions follow each atom across the boundaries already.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Also write the HTML report to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Derive diffusivity and conductivity from existing trajectories.

    Files at the same temperature count as replicas; several temperatures give the Arrhenius result.
    """
    from ..workflows.existing import ReadingOptions, analyze_existing
    from ..workflows.presenters.registry import presenter_of

    document = analyze_existing(
        files,
        ReadingOptions(
            time_step_fs=time_step_fs,
            frame_interval_fs=frame_interval_fs,
            temperatures_k=tuple(parse_numbers(temperature, option="--temperature", unit="K")) if temperature else (),
            species_order=tuple(species_order.replace(",", " ").split()) if species_order else (),
            unwrapped=unwrapped,
        ),
        mobile_ion=mobile_ion,
        ion_charge=ion_charge,
        equilibration_ps=equilibration_ps,
    )
    if as_json:
        write_json(document)
    else:
        presenter_of(document.doc_type).print(document, results_console())
    if report is not None:
        from ..workflows.report import write_report

        say(f"report   {write_report(document, report)}")
