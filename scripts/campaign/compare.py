"""`superion campaign compare`: how well computed values agree with measured ones."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import SettingsError
from ..console import results_console, write_json
from ..options import JsonOption, StoreOption
from .opened import CampaignArgument, opened_campaigns

if TYPE_CHECKING:
    from rich.console import Console

    from ...database.agreement import AgreementReport, WithInterval

_SHOWN_MISSING = 20


def compare(
    campaign: CampaignArgument = None,
    computed: Annotated[
        str | None,
        typer.Option(
            "--computed",
            metavar="PROPERTY",
            help="Computed property to judge. If not given: the first that campaigns rank by.",
        ),
    ] = None,
    measured: Annotated[
        str | None,
        typer.Option(
            "--measured",
            metavar="PROPERTY",
            help="Measured property to judge it by. If not given: the first that campaigns rank by.",
        ),
    ] = None,
    baselines: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            metavar="PROPERTY",
            help="Property it has to beat; may be repeated. If not given: density of mobile ions, 1D barrier.",
        ),
    ] = None,
    stand_in: Annotated[
        str | None,
        typer.Option(
            "--stand-in",
            metavar="PROPERTY",
            help="Property of the same unit to take where the computed one is missing, such as a bound from a shorter "
            "run.",
        ),
    ] = None,
    redraw_errors: Annotated[
        bool, typer.Option("--redraw-errors", help="Let the intervals hold the errors of the values, too.")
    ] = False,
    bootstrap: Annotated[
        int, typer.Option("--bootstrap", min=100, metavar="N", help="Bootstrap samples, for intervals.")
    ] = 2000,
    permutations: Annotated[
        int, typer.Option("--permutations", min=100, metavar="N", help="Random pairings, for p values.")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same numbers.")] = 0,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correlate a computed with a measured property, bounds taken as bounds, beside chance and simple baselines.

    It works on any state of a campaign; rows without a computed value are listed with the reason.
    """
    from ...database.agreement import DEFAULT_BASELINES, agreement_in_words, compare_rows
    from ...database.property_names import usual_order

    names = [_full_name(name or usual_order()[0]) for name in (computed, measured)]
    others = [_full_name(name) for name in (DEFAULT_BASELINES if baselines is None else dict.fromkeys(baselines))]
    substitute = None if stand_in is None else _full_name(stand_in)
    with opened_campaigns(store) as opened:
        name = opened.find(campaign).campaign_id
        rows = list(opened.collections.iter_rows(name))
    found = compare_rows(
        rows,
        *names,
        baselines=others,
        stand_in=substitute,
        n_bootstrap=bootstrap,
        n_permutations=permutations,
        seed=seed,
        redraw_errors=redraw_errors,
    )
    if not found.n_measured:
        raise SettingsError(
            f"No candidate of the campaign {name} has a measured {names[1]}: name the column that holds it under "
            "`measured` of a table among the candidates of the campaign file."
        )
    if as_json:
        write_json({"campaign": name, **asdict(found), "in_words": agreement_in_words(found)})
        return
    _print(name, found, agreement_in_words(found), results_console())


def _full_name(given: str) -> str:
    """Find the property that is meant, with its unit or without it."""
    from ...database.property_names import full_name, nearest_property

    found = full_name(given)
    if found is None:
        raise SettingsError(f"There is no property '{given}' to compare; did you mean '{nearest_property(given)}'?")
    return found


def _print(name: str, found: AgreementReport, words: str, console: Console) -> None:
    """Print a comparison for a reader."""
    from rich.table import Table

    from ...database.agreement import quantity

    table = Table(show_edge=False, pad_edge=False, header_style="bold", title_justify="left")
    table.title = f"campaign {name}: order of measured {quantity(found.measured)}"
    titles = (
        "ordered by",
        "n",
        "bounds",
        "decided pairs",
        "ρ (95 %)",
        "p",
        "τ (95 %)",
        "p",
        "ρ by chance",
        "Δρ (95 %)",
    )
    for title in titles:
        table.add_column(title, justify="left" if title == "ordered by" else "right", overflow="fold")
    differences = ["", *(_with_interval(entry.rho_difference, sign="+") for entry in found.baselines)]
    all_agreements = [found.agreement, *(entry.agreement for entry in found.baselines)]
    for agreement, difference in zip(all_agreements, differences, strict=True):
        rho, tau, pairs = agreement.spearman_rho, agreement.kendall_tau, agreement.pairs
        turned = "" if agreement.direction > 0 else " (low first)"
        table.add_row(
            f"{quantity(agreement.property)}{turned}",
            str(agreement.n),
            f"{agreement.n_bounds}, {agreement.n_measured_bounds}",
            f"{pairs.n_decided} of {pairs.n_pairs}",
            *(_with_interval(rho), _p_value(rho.p_value), _with_interval(tau), _p_value(tau.p_value)),
            "" if rho.null_95 is None else f"{rho.null_95[0]:.2f} … {rho.null_95[1]:.2f}",
            difference,
        )
    console.print(table)
    console.print()
    _print_errors(found, console)
    _print_missing(found, console)
    for note in found.notes:
        _line(console, "note", note)
    _line(console, "in words", words)


def _print_errors(found: AgreementReport, console: Console) -> None:
    errors = found.errors
    if errors is None or errors.root_mean_square.value is None:
        return
    unit = "decades" if errors.unit == "log10" else errors.unit
    rms, median = _with_interval(errors.root_mean_square), _with_interval(errors.median_absolute)
    mean = _with_interval(errors.mean, sign="+")
    _line(console, "errors", f"{unit}, n = {errors.n}: root mean square {rms}, median {median}, mean {mean}")
    if errors.constant_root_mean_square is not None and errors.constant_median_absolute is not None:
        text = f"root mean square {errors.constant_root_mean_square:.2f}, median {errors.constant_median_absolute:.2f}"
        _line(console, "constant", f"{text}, each predicted as the mean of the others")
    if errors.n_bounds:
        worst = "" if errors.greatest_violation is None else f", by {errors.greatest_violation:.2f} {unit} at most"
        _line(console, "bounds", f"{errors.n_bounds} left out, {errors.n_bounds_violated} of them violated{worst}")
    if errors.n_without_logarithm:
        _line(console, "left out", f"{errors.n_without_logarithm} rows with a number that is not above zero")


def _print_missing(found: AgreementReport, console: Console) -> None:
    if found.n_stand_ins:
        _line(console, "stand-ins", f"{found.n_stand_ins} rows with {found.stand_in}")
    n_unmeasured = found.n_rows - found.n_measured
    if n_unmeasured:
        _line(console, "unmeasured", f"{n_unmeasured} of {found.n_rows} rows")
    for row in found.missing[:_SHOWN_MISSING]:
        _line(console, "missing", f"{row.label}: {row.reason}")
    if len(found.missing) > _SHOWN_MISSING:
        _line(console, "", f"… and {len(found.missing) - _SHOWN_MISSING} more; --json lists all")


def _line(console: Console, title: str, text: str) -> None:
    console.print(f"{title:<10} {text}", markup=False, soft_wrap=True)


def _with_interval(number: WithInterval, sign: str = "") -> str:
    """Write a number with its interval."""
    if number.value is None:
        return "–"
    interval = number.interval_95
    return f"{number.value:{sign}.2f}" + ("" if interval is None else f" ({interval[0]:.2f} … {interval[1]:.2f})")


def _p_value(p_value: float | None) -> str:
    return "–" if p_value is None else f"{p_value:.2g}"
