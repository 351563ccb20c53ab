"""Options that the commands share that train or judge a potential."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import completion

InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Crystals to train for: structure files, shipped examples such as Li6PS5Cl, or ids of documents.",
        autocompletion=completion.structure_names,
    ),
]

NameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the trained potential; generated if omitted.")
]

RunNameOption = Annotated[
    str | None, typer.Option("--run-name", metavar="NAME", help="Name of the run, for resume; generated if omitted.")
]

TeacherOption = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        metavar="NAME[:MODEL]",
        help="Potential that labels: chgnet, mace:MODEL or mace:FILE, …, or the name of one trained here.",
        autocompletion=completion.potential_and_student_names,
    ),
]

TemperaturesOption = Annotated[
    str | None,
    typer.Option(
        "--temperature",
        "--temperatures",
        metavar="K,K,…",
        help="Temperatures in K of the molecular dynamics that the potential is for, such as 600,800,1000.",
    ),
]
