"""The part of the report that is about one material."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .figures import arrhenius_figure, collective_figure, exclusion_notes, msd_figure
from .html_parts import (
    Column,
    Markup,
    bullets,
    charge_text,
    escape,
    facts,
    figure,
    formula_markup,
    section,
    table,
)
from .numbers import NOT_AVAILABLE, format_bound, format_interval, format_list, format_number, format_with_error
from .provenance_rows import document_rows, software_rows
from .structure_text import poscar_details
from .svg import figure_svg

if TYPE_CHECKING:
    from ...database.documents import ConductivityDoc, DiffusionDoc
    from ...transport.results import ArrheniusResult, DiffusionResult, DiffusivityEstimate

STATE_TEXT = {
    "completed": "complete",
    "partial": "partial: some runs are not finished",
    "failed": "some runs failed",
}
"""What the state of a document means, for the badge."""


def material_article(
    document: ConductivityDoc, *, name: str, diffusion: Sequence[DiffusionDoc] = (), command: str | None = None
) -> Markup:
    """Build everything the report says about one material.

    Parameters
    ----------
    document : ConductivityDoc
        The material.
    name : str
        A word that is unique on the page.
    diffusion : sequence of DiffusionDoc
        Documents of its temperatures.
    command : str, optional
        The command that repeats the calculation.

    Returns
    -------
    Markup
        HTML.
    """
    results = sorted(document.temperatures, key=lambda result: result.temperature_k)
    parts = [
        _header(document),
        _cards(document),
        _verdict(document),
        _systematic_section(document),
        _arrhenius_section(document, name),
        _temperature_section(document, results),
        _msd_section(results, name),
        _correlation_section(results),
        section("Notes", bullets(document.notes)),
        _provenance_section(document, diffusion, results),
        _reproduction_section(document, command),
    ]
    return Markup(f'<article id="{escape(name)}">{"".join(parts)}</article>')


def reproduction_command(document: ConductivityDoc, structure_file: str = "STRUCTURE") -> str:
    """Put the command together that repeats a calculation.

    Parameters
    ----------
    document : ConductivityDoc
        The result.
    structure_file : str
        Name of the structure file.

    Returns
    -------
    str
        A `superion run` command for a POSIX shell.
    """
    recorded = document.extra.get("command")
    if isinstance(recorded, str) and recorded:
        return recorded
    words = ["superion", "run", "conductivity", structure_file, "--mobile-ion", document.mobile_ion]
    potential = document.provenance.potential
    if potential is not None:
        words += ["--potential", f"{potential.name}:{potential.model}" if potential.model else potential.name]
        words += ["--runtime", potential.runtime] if potential.runtime else []
    temperatures = sorted(
        {result.temperature_k for result in document.temperatures}
        | {float(text) for text in document.temperature_failures if _is_number(text)}
    )
    if temperatures:
        words += ["--temperatures", ",".join(f"{value:g}" for value in temperatures)]
    replicas = {result.n_replicas for result in document.temperatures}
    if replicas and max(replicas) > 1:
        words += ["--replicas", str(max(replicas))]
    return shlex.join(words)


def _header(document: ConductivityDoc) -> Markup:
    """Name, formula, cell and state."""
    label = document.label or document.formula
    state = STATE_TEXT.get(document.state, document.state)
    title = formula_markup(label) if label == document.formula else escape(label)
    ion = f"{document.mobile_ion}{_superscript_charge(document.ion_charge)}"
    potential = document.provenance.potential
    words = [
        f"{formula_markup(document.formula)}",
        f"mobile ion {ion}",
        f"{document.n_atoms} atoms, smallest edge {document.minimum_edge_angstrom:.1f} Å",
    ]
    if potential is not None:
        name = potential.name if not potential.model else f"{potential.name} ({potential.model})"
        words.append(f"potential {escape(name)}")
        if potential.runtime:
            words.append(f"evaluated by {escape(potential.runtime)}")
    words.append(f"{document.provenance.created_at:%Y-%m-%d}")
    return Markup(
        f'<header><h1>{title}<span class="badge {escape(document.state)}">{escape(state)}</span></h1>'
        f'<p class="subtitle">{" · ".join(words)}</p></header>'
    )


def _superscript_charge(charge: float) -> Markup:
    return Markup(f"<sup>{escape(charge_text(charge))}</sup>")


def _cards(document: ConductivityDoc) -> Markup:
    """Give the answer at a glance: σ(300 K), activation energy, range of temperatures."""
    cards = []
    if document.sigma_300k_ms_cm is not None:
        value = format_number(document.sigma_300k_ms_cm)
        details = [
            f"68 %: {format_interval(document.sigma_300k_interval_68_ms_cm)}",
            f"95 %: {format_interval(document.sigma_300k_interval_95_ms_cm)}",
            "statistical intervals, mS/cm",
        ]
    elif document.sigma_300k_upper_bound_ms_cm is not None:
        value = format_bound(document.sigma_300k_upper_bound_ms_cm)
        is_impossible = document.activation_energy_ev is not None and document.activation_energy_ev <= 0.0
        why = "no positive activation energy to extrapolate by" if is_impossible else "too few hops for a value"
        details = [f"95 % upper bound: {why}"]
    else:
        value, details = NOT_AVAILABLE, ["the runs do not support an extrapolation"]
    cards.append(_card("Conductivity at 300 K, by the Arrhenius line (Nernst–Einstein)", value, "mS/cm", details))

    arrhenius = document.arrhenius
    if document.activation_energy_ev is not None:
        used = len([point for point in arrhenius.points if point.used]) if arrhenius else 0
        details = ["± one standard error, statistical", f"from {used} temperatures"]
        value = format_with_error(document.activation_energy_ev, document.activation_energy_error_ev)
    else:
        value, details = NOT_AVAILABLE, ["needs at least two usable temperatures"]
    cards.append(_card("Activation energy", value, "eV", details))

    if document.temperatures:
        hops = sum(result.effective_hops for result in document.temperatures)
        duration = sum(result.duration_ps for result in document.temperatures)
        temperatures = sorted(result.temperature_k for result in document.temperatures)
        span = f"{temperatures[0]:g}–{temperatures[-1]:g}" if len(temperatures) > 1 else f"{temperatures[0]:g}"
        details = [f"{format_number(duration)} ps analysed", f"{hops:.0f} effective hops in all"]
        cards.append(_card("Temperatures with a result", span, "K", details))
    return Markup(f'<dl class="cards">{"".join(cards)}</dl>')


def _card(name: str, value: str, unit: str, details: Sequence[str]) -> str:
    lines = "".join(f'<dd class="detail">{escape(line)}</dd>' for line in details)
    shown_unit = f' <span class="unit">{escape(unit)}</span>' if value != NOT_AVAILABLE else ""
    return f'<div class="card"><dt>{escape(name)}</dt><dd class="value">{escape(value)}{shown_unit}</dd>{lines}</div>'


def _verdict(document: ConductivityDoc) -> Markup:
    return Markup(
        '<div class="verdict" role="note"><strong>What a result of this size is worth</strong>'
        f"<p>{escape(document.verdict)}</p></div>"
    )


def _arrhenius_section(document: ConductivityDoc, name: str) -> Markup:
    """Arrhenius figure with caption, and what the fit says of itself."""
    arrhenius = document.arrhenius
    if arrhenius is None:
        return section(
            "Temperature dependence",
            Markup("<p>No Arrhenius line could be fitted: it needs at least two usable temperatures.</p>"),
        )
    bounds = {
        result.temperature_k: bound
        for result in document.temperatures
        if (bound := result.nernst_einstein.upper_bound_95_ms_cm) is not None
    }
    svg = figure_svg(
        arrhenius_figure(arrhenius, upper_bounds=bounds, collective=document.arrhenius_collective),
        name=f"{name}-arrhenius",
        title="Arrhenius plot of the conductivity times temperature",
        description=_arrhenius_description(arrhenius),
    )
    caption = (
        "Nernst–Einstein conductivity times temperature against inverse temperature. Filled points enter the fit, with "
        "one standard error; hollow points stand outside it, a triangle marking a 95 % upper bound. "
        "Bands: 68 % and 95 % statistical intervals with the covariance of slope and intercept; "
        "the line is dashed where it extrapolates."
    )
    remarks: list[object] = [arrhenius.curvature.note]
    if arrhenius.reduced_chi_squared is not None:
        remarks.append(f"Reduced χ² of the fit: {format_number(arrhenius.reduced_chi_squared)}.")
    remarks += [f"Not in the fit – {note}" for note in exclusion_notes(arrhenius)]
    if document.arrhenius_collective is not None and document.arrhenius_collective.extrapolated_value is not None:
        collective = document.arrhenius_collective
        remarks.append(
            f"Collective conductivity at {collective.extrapolation_temperature_k:g} K: "
            f"{format_number(collective.extrapolated_value)} mS/cm, "
            f"68 % {format_interval(collective.extrapolated_interval_68)}, activation energy "
            f"{format_with_error(collective.activation_energy_ev, collective.activation_energy_error_ev)} eV "
            "(statistical)."
        )
    # A curved line says so in its flags too.
    remarks += [flag for flag in arrhenius.flags if flag != arrhenius.curvature.note]
    return section("Temperature dependence", figure(svg, caption, css_class="narrow"), bullets(remarks))


def _arrhenius_description(arrhenius: ArrheniusResult) -> str:
    used = [f"{point.temperature_k:g}" for point in arrhenius.points if point.used]
    text = f"Straight line through {len(used)} temperatures ({', '.join(used)} K)"
    if arrhenius.activation_energy_ev is not None:
        text += f" with an activation energy of {format_number(arrhenius.activation_energy_ev)} eV"
    if arrhenius.extrapolated_value is not None:
        text += (
            f", extrapolated to {format_number(arrhenius.extrapolated_value)} at "
            f"{arrhenius.extrapolation_temperature_k:g} K"
        )
    return text + "."


def _temperature_section(document: ConductivityDoc, results: Sequence[DiffusionResult]) -> Markup:
    """Build the table of temperatures."""
    columns = [
        Column("T", "K", True),
        Column("Length", "ps (replicas)", True),
        Column("Effective hops", "from the largest MSD", True),
        Column("D, tracer", "cm²/s", True),
        Column("68 % interval", "cm²/s, statistical", True),
        Column("σ, Nernst–Einstein", "mS/cm", True),
        Column("95 % interval", "mS/cm, statistical", True),
    ]
    rows: list[list[object]] = []
    excluded = set()
    for number, result in enumerate(results):
        conductivity = result.nernst_einstein
        withheld = result.tracer.value_cm2_s is None
        if not result.usable:
            excluded.add(number)
        rows.append(
            [
                f"{result.temperature_k:g}",
                f"{format_number(result.duration_ps)} ({result.n_replicas})",
                f"{result.effective_hops:.0f}" if result.effective_hops >= 10 else f"{result.effective_hops:.1f}",
                format_bound(result.tracer.upper_bound_95_cm2_s)
                if withheld
                else format_with_error(result.tracer.value_cm2_s, result.tracer.standard_error_cm2_s),
                format_interval(result.tracer.interval_68_cm2_s, 2),
                format_bound(conductivity.upper_bound_95_ms_cm)
                if conductivity.value_ms_cm is None
                else format_number(conductivity.value_ms_cm),
                format_interval(conductivity.interval_95_ms_cm),
            ]
        )
    failures = [
        f"{temperature} K has no result: {reason}" for temperature, reason in document.temperature_failures.items()
    ]
    content = table(
        columns,
        rows,
        caption="Tracer diffusivity D ± one standard error and conductivity at each temperature; "
        "“<” marks a 95 % upper bound in place of a value. Effective hops count whatever moves an ion (He and Mo); the "
        "diffusive hops that a remark may name are those that D itself amounts to.",
        excluded_rows=frozenset(excluded),
        notes={number: "; ".join(temperature_flags(result)) for number, result in enumerate(results)},
    )
    return section("Results at each temperature", content if rows else "", bullets(failures, css_class="flags"))


def temperature_flags(result: DiffusionResult) -> list[str]:
    """Everything a reader should know of one temperature, without repetition.

    Parameters
    ----------
    result : DiffusionResult
        The temperature.

    Returns
    -------
    list of str
        Flags, the reason for exclusion first.
    """
    candidates = [result.exclusion_reason, *result.flags, *result.tracer.flags, result.tracer.withheld_reason]
    flags: list[str] = []
    for text in candidates:
        # An exclusion reason often repeats the reason for withholding the value.
        if text and not any(text in kept for kept in flags):
            flags.append(text)
    return flags


def _msd_section(results: Sequence[DiffusionResult], name: str) -> Markup:
    """Figures of the displacements."""
    shown = [result for result in results if len(result.msd.lag_ps) > 1]
    if not shown:
        return Markup("")
    windows = "; ".join(
        f"{result.temperature_k:g} K: {result.tracer.fit_window_ps[0]:.3g}–{result.tracer.fit_window_ps[1]:.3g} ps"
        for result in shown
        if result.tracer.fit_window_ps is not None
    )
    tracer = figure_svg(
        msd_figure(shown),
        name=f"{name}-msd",
        title="Mean-squared displacement of the mobile ions",
        description="Tracer mean-squared displacement against lag time on logarithmic and linear axes, one curve per "
        f"temperature: {', '.join(f'{result.temperature_k:g} K' for result in shown)}.",
    )
    collective = figure_svg(
        collective_figure(shown),
        name=f"{name}-collective",
        title="Collective and framework displacement",
        description="Collective mean-squared displacement per ion and framework displacement against lag time.",
    )
    caption = (
        "Tracer mean-squared displacement, averaged over ions and time origins; bands are one standard error. "
        "Thick lines: fitted slope 6D over the lag times used. " + (f"Fit windows: {windows}." if windows else "")
    )
    return section(
        "Displacements",
        figure(tracer, caption),
        figure(
            collective,
            "Left: displacement of all mobile ions together, whose slope gives the collective conductivity; it has far "
            "poorer statistics than the tracer curve. Right: the framework, whose displacement must stay flat.",
        ),
    )


def _correlation_section(results: Sequence[DiffusionResult]) -> Markup:
    """Per-axis diffusivities, charge diffusivity, Haven ratio, and the He-Mo error for comparison."""
    if not results:
        return Markup("")
    columns = [
        Column("T", "K", True),
        Column("D along x, y, z", "cm²/s, 68 %", True),
        Column("D, charge", "cm²/s", True),
        Column("σ, collective", "mS/cm", True),
        Column("Haven ratio", "68 %, statistical", True),
        Column("Rel. error of D", "ours", True),
        Column("Rel. error of D", "He–Mo rule", True),
    ]
    rows = [
        [
            f"{result.temperature_k:g}",
            _per_axis(result.tracer),
            _charge_cell(result.charge),
            format_bound(result.collective.upper_bound_95_ms_cm)
            if result.collective.value_ms_cm is None
            else format_number(result.collective.value_ms_cm),
            _haven_cell(result),
            _percent(result.tracer.relative_error),
            _percent(result.he_mo_relative_error),
        ]
        for result in results
    ]
    withheld = list(
        dict.fromkeys(
            f"Haven ratio withheld at {result.temperature_k:g} K: {result.haven_ratio.withheld_reason}"
            for result in results
            if result.haven_ratio.value is None and result.haven_ratio.withheld_reason
        )
    )
    return section(
        "Directions and correlation",
        table(
            columns,
            rows,
            caption="Diffusivity along the Cartesian axes of the cell, correlation between ions, and the error "
            "estimate of He, Zhu, Epstein and Mo (2018) for comparison.",
        ),
        bullets(withheld),
    )


def _per_axis(estimate: DiffusivityEstimate) -> str:
    if estimate.per_axis_cm2_s is None:
        return NOT_AVAILABLE
    values = format_list(estimate.per_axis_cm2_s, 2)
    if estimate.per_axis_interval_68_cm2_s is None:
        return values
    return " ".join([values, *(format_interval(bounds, 2) for bounds in estimate.per_axis_interval_68_cm2_s)])


def _charge_cell(estimate: DiffusivityEstimate) -> str:
    if estimate.value_cm2_s is None:
        return format_bound(estimate.upper_bound_95_cm2_s)
    return format_with_error(estimate.value_cm2_s, estimate.standard_error_cm2_s)


def _haven_cell(result: DiffusionResult) -> str:
    haven = result.haven_ratio
    if haven.value is None:
        return "withheld"
    return f"{haven.value:.2f} {format_interval(haven.interval_68, 2)}"


def _percent(value: float | None) -> str:
    return NOT_AVAILABLE if value is None else f"{100.0 * value:.0f} %"


def _systematic_section(document: ConductivityDoc) -> Markup:
    """Errors that no length of run removes."""
    items = [
        Markup(
            f'<span class="source">{escape(error.source.replace("_", " "))}</span>'
            f"<span>{escape(error.statement)}</span>"
        )
        for error in document.systematic_errors
    ]
    if not items:
        return Markup("")
    return section(
        "Systematic errors",
        Markup("<p>The intervals above are statistical: they say nothing of the following.</p>"),
        bullets(items, css_class="sources"),
    )


def _provenance_section(
    document: ConductivityDoc, diffusion: Sequence[DiffusionDoc], results: Sequence[DiffusionResult]
) -> Markup:
    """Say what made the numbers, down to versions, weights and seeds."""
    provenance = document.provenance
    rows = [
        *software_rows(provenance),
        ("Frame interval", ", ".join(sorted({f"{result.frame_interval_ps:g} ps" for result in results}))),
        ("Equilibration cut", ", ".join(sorted({f"{result.equilibration_ps:g} ps" for result in results}))),
        *document_rows(provenance),
    ]
    content = facts(rows, caption="Where these numbers come from.")
    keys = [
        [f"{item.temperature_k:g}", key, reason, format_number(length)]
        for item in sorted(diffusion, key=lambda item: item.temperature_k)
        for key, reason, length in zip(item.trajectory_keys, item.stop_reasons, item.completed_ps, strict=False)
    ]
    trajectories = (
        table(
            [Column("T", "K", True), Column("Trajectory key"), Column("Ended as"), Column("Length", "ps", True)],
            keys,
            caption="Trajectories behind the numbers; the key is also the name of the folder.",
        )
        if keys
        else Markup("")
    )
    return section("Provenance", content, trajectories)


def _reproduction_section(document: ConductivityDoc, command: str | None) -> Markup:
    """Give the command that repeats the calculation, and the simulated cell itself."""
    text = command or reproduction_command(document)
    identifier = document.provenance.job_uuid
    lines = [text] + ([f"superion show {identifier}"] if identifier else [])
    raw = poscar_details(document.structure, "The simulated cell (POSCAR)")
    return section("How to repeat it", Markup(f"<pre>{escape(chr(10).join(lines))}</pre>"), raw)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
