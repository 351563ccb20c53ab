"""Diffusion at single temperatures in reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..figures import msd_figure
from ..html_parts import Markup, bullets, escape, facts, figure, section
from ..material import temperature_flags
from ..provenance_rows import document_rows, software_rows
from ..svg import figure_svg
from .section import ReportSection

if TYPE_CHECKING:
    from ....database.documents import SuperionDocument
    from ....database.documents.diffusion import DiffusionDoc


class DiffusionSection(ReportSection):
    """Displacements with their fits; of several temperatures in one figure."""

    def article(
        self, document: DiffusionDoc, *, name: str, related: Sequence[SuperionDocument] = (), command: str | None = None
    ) -> Markup:
        """Build the figure of one temperature, with what it says and where it comes from.

        Parameters
        ----------
        document : DiffusionDoc
            Diffusion at one temperature.
        name : str
            A word that is unique on the page.
        related : sequence of SuperionDocument
            Not used.
        command : str, optional
            The command that repeats the calculation.

        Returns
        -------
        Markup
            HTML.
        """
        said = [document.failure] if document.failure else []
        provenance = facts(
            [*software_rows(document.provenance), *document_rows(document.provenance)],
            caption="Where these numbers come from.",
        )
        parts = [
            section("Displacements", self.brief([document], name=name)),
            section("Notes", bullets([*said, *document.notes])),
            section("Provenance", provenance),
            section("How to repeat it", Markup(f"<pre>{escape(command)}</pre>") if command else ""),
        ]
        head = f"<header><h1>{escape(self.title(document))} at {document.temperature_k:g} K</h1></header>"
        return Markup(f'<article id="{escape(name)}">{head}{"".join(parts)}</article>')

    def brief(self, documents: Sequence[DiffusionDoc], *, name: str) -> Markup:
        """Draw the displacements at several temperatures.

        Parameters
        ----------
        documents : sequence of DiffusionDoc
            Diffusion at the temperatures.
        name : str
            A word that is unique on the page.

        Returns
        -------
        Markup
            One figure and the flags; empty where there are no curves.
        """
        results = [one.result for one in documents if one.result is not None and len(one.result.msd.lag_ps) > 1]
        if not results:
            return Markup("")
        temperatures = ", ".join(f"{result.temperature_k:g} K" for result in results)
        svg = figure_svg(
            msd_figure(results),
            name=f"{name}-msd",
            title="Mean-squared displacement of the mobile ions",
            description=f"Tracer mean-squared displacement against lag time, on two kinds of axes, at {temperatures}.",
        )
        flags = [f"{result.temperature_k:g} K: {flag}" for result in results for flag in temperature_flags(result)]
        caption = (
            "Tracer mean-squared displacement; bands are one standard error, thick lines the fits over the lags used."
        )
        return Markup(figure(svg, caption) + bullets(flags, css_class="flags"))
