"""A conductivity in the terminal: table, answer with intervals, verdict, systematic errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from .presenter import Presenter

if TYPE_CHECKING:
    from rich.console import Console

    from ...database.documents.conductivity import ConductivityDoc


class ConductivityPresenter(Presenter):
    """Conductivities."""

    def print(self, document: ConductivityDoc, console: Console) -> None:
        """Print a conductivity for a reader.

        Parameters
        ----------
        document : ConductivityDoc
            The result.
        console : rich.console.Console
            Where to.
        """
        from rich.markup import escape
        from rich.table import Table

        from ..report.material import temperature_flags
        from ..report.numbers import (
            NOT_AVAILABLE,
            format_bound,
            format_interval,
            format_number,
            format_with_error,
        )

        ion = f"{document.mobile_ion} (charge {document.ion_charge:+g})"
        potential = document.provenance.potential
        heading = [f"{document.formula}", f"{document.n_atoms} atoms", f"mobile ion {ion}"]
        if potential is not None:
            words = (potential.name, potential.model, f"by {potential.runtime}" if potential.runtime else None)
            heading.append(" ".join(word for word in words if word))
        label = f"{document.label}: " if document.label and document.label != document.formula else ""
        # Sentences wrap in a terminal and stay whole in a file.
        line = partial(console.print, soft_wrap=not console.is_terminal)
        line(f"[bold]{escape(label + ', '.join(heading))}[/]")

        table = Table(show_edge=False, pad_edge=False, header_style="bold")
        table.add_column("T (K)", justify="right")
        table.add_column("D (cm²/s)", justify="right", no_wrap=True)
        table.add_column("σ (mS/cm)", justify="right", no_wrap=True)
        table.add_column("68 % (statistical)", justify="right", no_wrap=True)
        table.add_column("eff. hops", justify="right")
        table.add_column("flags", overflow="fold")
        for result in sorted(document.temperatures, key=lambda item: item.temperature_k):
            sigma = result.nernst_einstein
            withheld = result.tracer.value_cm2_s is None
            table.add_row(
                f"{result.temperature_k:g}",
                format_bound(result.tracer.upper_bound_95_cm2_s)
                if withheld
                else format_with_error(result.tracer.value_cm2_s, result.tracer.standard_error_cm2_s),
                format_bound(sigma.upper_bound_95_ms_cm)
                if sigma.value_ms_cm is None
                else format_number(sigma.value_ms_cm),
                format_interval(sigma.interval_68_ms_cm),
                f"{result.effective_hops:.0f}" if result.effective_hops >= 10 else f"{result.effective_hops:.1f}",
                escape("; ".join(temperature_flags(result))) or NOT_AVAILABLE,
            )
        for temperature, reason in document.temperature_failures.items():
            table.add_row(
                escape(temperature), NOT_AVAILABLE, NOT_AVAILABLE, NOT_AVAILABLE, NOT_AVAILABLE, escape(reason)
            )
        console.print(table)
        if any("diffusive hops" in (result.tracer.withheld_reason or "") for result in document.temperatures):
            line("effective hops count whatever moves an ion, diffusive hops are those that D itself amounts to")
        line()

        if document.activation_energy_ev is not None:
            energy = format_with_error(document.activation_energy_ev, document.activation_energy_error_ev)
            line(f"activation energy  [bold]{energy} eV[/]  (statistical)")
        if document.sigma_300k_ms_cm is not None:
            # Square brackets are markup to rich unless they are escaped.
            narrow = escape(format_interval(document.sigma_300k_interval_68_ms_cm))
            wide = escape(format_interval(document.sigma_300k_interval_95_ms_cm))
            line(
                f"σ(300 K)           [bold]{format_number(document.sigma_300k_ms_cm)} mS/cm[/]  "
                f"68 %: {narrow}  95 %: {wide}  (statistical)"
            )
        elif document.sigma_300k_upper_bound_ms_cm is not None:
            line(
                f"σ(300 K)           [bold]{format_bound(document.sigma_300k_upper_bound_ms_cm)} mS/cm[/]  "
                "(95 % upper bound, statistical)"
            )
        else:
            why = "too few usable temperatures to extrapolate"
            if document.activation_energy_ev is not None and document.activation_energy_ev <= 0.0:
                why = "no positive activation energy to extrapolate by, and no temperature that bounds it"
            line(f"σ(300 K)           not available: {why}")
        if document.arrhenius is not None:
            line(f"curvature          {escape(document.arrhenius.curvature.note)}")
            # A curved line says so in its flags too.
            for flag in (flag for flag in document.arrhenius.flags if flag != document.arrhenius.curvature.note):
                line(f"                   {escape(flag)}")
        line()
        for error in document.systematic_errors:
            line(f"systematic ({error.source.replace('_', ' ')}): {escape(error.statement)}")
        for note in document.notes:
            line(f"note: {escape(note)}")
        line(f"\n[bold]Worth:[/] {escape(document.verdict)}")

    def result(self, values: Mapping[str, Any]) -> str:
        """Write σ(300 K) and the activation energy.

        Parameters
        ----------
        values : mapping of str to object
            Listed columns.

        Returns
        -------
        str
            As far as they are known.

        Examples
        --------
        >>> ConductivityPresenter().result({"sigma_300k_ms_cm": 1.2, "activation_energy_ev": 0.25})
        'σ(300 K) 1.20 mS/cm, 0.250 eV'
        """
        from ..report.numbers import format_number

        parts = []
        if "sigma_300k_ms_cm" in values:
            parts.append(f"σ(300 K) {format_number(values['sigma_300k_ms_cm'])} mS/cm")
        if "activation_energy_ev" in values:
            parts.append(f"{format_number(values['activation_energy_ev'])} eV")
        return ", ".join(parts)
