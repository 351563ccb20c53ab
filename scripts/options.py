"""Options that several commands share, and the parsing of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import SettingsError
from . import completion

if TYPE_CHECKING:
    from ..potentials.specification import PotentialSpecification

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="WHERE",
        envvar="SUPERION_STORE",
        help="Result store: a mongodb:// address or the path of a JobStore file; the project's own where not given.",
        show_default=False,
    ),
]

MobileIonOption = Annotated[
    str | None,
    typer.Option("--mobile-ion", metavar="ELEMENT", help="Mobile ion, such as Li; guessed where not given."),
]

ChargeOption = Annotated[
    float | None,
    typer.Option(
        "--ion-charge", metavar="CHARGE", help="Its formal charge, such as 1; from its element where not given."
    ),
]

PotentialOption = Annotated[
    str | None,
    typer.Option(
        "--potential",
        metavar="NAME[:MODEL]",
        help="Potential: chgnet, mace:MODEL or mace:FILE, ase:DOTTED.PATH, …, or the name of one trained here.",
        autocompletion=completion.potential_and_student_names,
    ),
]

ForceOption = Annotated[
    bool, typer.Option("--force", help="Use a potential trained here though its validation rejected it.")
]


DeviceOption = Annotated[str | None, typer.Option("--device", help="Device: auto, cpu, cuda, cuda:1, mps.")]

PresetOption = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME", help="Settings to begin with.", autocompletion=completion.preset_names),
]

SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any other setting, such as md.time_step_fs=1; `superion flow show FLOW` lists them; may be repeated.",
    ),
]

WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; one per core by default.")]

DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Check inputs, settings, potential, device, name and store, and print the plan; compute nothing.",
    ),
]


def parse_numbers(text: str, *, option: str, unit: str) -> list[float]:
    """Read positive numbers separated by commas or blanks.

    Parameters
    ----------
    text : str
        For example ``800,1000,1200``.
    option : str
        The option it came with, for messages.
    unit : str
        Its unit, for messages.

    Returns
    -------
    list of float
        The numbers.

    Raises
    ------
    SettingsError
        If something in it is not a positive number.

    Examples
    --------
    >>> parse_numbers("800, 1000", option="--temperatures", unit="K")
    [800.0, 1000.0]
    """
    numbers = []
    for word in text.replace(",", " ").split():
        try:
            number = float(word)
        except ValueError:
            raise SettingsError(
                f"{option} wants numbers in {unit} separated by commas, such as 800,1000, and '{word}' is not one."
            ) from None
        if not 0.0 < number < float("inf"):
            raise SettingsError(f"{option} wants numbers above zero in {unit}, and {word} is not; give another.")
        numbers.append(number)
    if not numbers:
        raise SettingsError(f"{option} is empty; give numbers in {unit}, such as 800,1000.")
    return numbers


def parse_potential(text: str, *, device: str | None = None, dtype: str | None = None) -> PotentialSpecification:
    """Read ``name`` or ``name:model``.

    Parameters
    ----------
    text : str
        For example ``chgnet`` or ``mace:medium-mpa-0``.
    device : str, optional
        Device, ``auto`` where not given.
    dtype : str, optional
        Precision, ``auto`` where not given.

    Returns
    -------
    PotentialSpecification
        What was asked for.

    Examples
    --------
    >>> parse_potential("mace:medium-mpa-0").model
    'medium-mpa-0'
    """
    from ..potentials.specification import potential_specification

    if not text.partition(":")[0].strip():
        raise SettingsError(f"--potential wants a name such as chgnet or mace:MODEL, and '{text}' has none.")
    named = potential_specification(text).model_dump()
    chosen = {"device": device, "dtype": dtype}
    return potential_specification(named | {key: value for key, value in chosen.items() if value is not None})
