"""Trained potentials in reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...presenters.potential import metric_rows, training_rows
from ..html_parts import Column, Markup, bullets, escape, facts, figure, section, table
from ..numbers import format_number
from ..parity_figure import parity_figure
from ..provenance_rows import document_rows, software_rows
from ..svg import figure_svg
from .section import ReportSection

if TYPE_CHECKING:
    from ....database.documents import SuperionDocument
    from ....database.documents.potential import PotentialDoc

_ROUND_COLUMNS = (
    Column("round", is_number=True),
    Column("training frames", is_number=True),
    Column("added", is_number=True),
    Column("force error", unit="meV/Å", is_number=True),
    Column("what the watch saw"),
)


class PotentialSection(ReportSection):
    """The verdict, what a potential learnt from, its errors, and the rounds of the active loop."""

    def title(self, document: PotentialDoc) -> str:
        """Name a page about a trained potential.

        Parameters
        ----------
        document : PotentialDoc
            The potential.

        Returns
        -------
        str
            Plain text.
        """
        return f"Potential {document.name}"

    def article(
        self, document: PotentialDoc, *, name: str, related: Sequence[SuperionDocument] = (), command: str | None = None
    ) -> Markup:
        """Build everything that a report says about a trained potential.

        Parameters
        ----------
        document : PotentialDoc
            The potential.
        name : str
            A word that is unique on the page.
        related : sequence of SuperionDocument
            Not used.
        command : str, optional
            The command that repeats the training.

        Returns
        -------
        Markup
            HTML.
        """
        provenance = facts(
            [*software_rows(document.provenance), *document_rows(document.provenance)],
            caption="Where this potential comes from.",
        )
        parts = [
            section("Verdict", bullets(document.reasons or [f"{document.verdict}, without a reason recorded"])),
            section("Training", facts(training_rows(document), caption="What it is and what it learnt from.")),
            section(
                "Validation", facts(metric_rows(document), caption="Against its teacher."), _parity(document, name)
            ),
            section("Active loop", _rounds(document)),
            section("Notes", bullets(document.notes)),
            section("Provenance", provenance),
            section("How to repeat it", Markup(f"<pre>{escape(command)}</pre>") if command else ""),
        ]
        colour = "" if document.verdict == "accepted" else "partial"
        badge = f'<span class="badge {colour}">{escape(document.verdict)}</span>'
        head = f"<header><h1>{escape(self.title(document))}{badge}</h1></header>"
        return Markup(f'<article id="{escape(name)}">{head}{"".join(parts)}</article>')


def _parity(document: PotentialDoc, name: str) -> Markup:
    """Draw energies, forces and stresses of student and teacher against each other."""
    data = [one for one in document.parity if one.teacher]
    if not data:
        return Markup("")
    quantities = ", ".join(one.quantity for one in data)
    quantities = ", ".join(one.quantity for one in data)
    svg = figure_svg(
        parity_figure(data),
        name=f"{name}-parity",
        title="Student against teacher",
        description=f"Values of the student against those of the teacher: {quantities}.",
    )
    shown = ", ".join(f"{len(one.teacher):,} of {one.n_total:,} values of the {one.quantity}" for one in data)
    return Markup(figure(svg, f"On the line the student gives what the teacher gives; {shown}."))


def _rounds(document: PotentialDoc) -> Markup:
    """List the rounds of the active loop."""
    if not document.rounds:
        return Markup("")
    rows = [
        (
            one.number,
            one.n_training_frames,
            one.n_frames_added,
            format_number(one.force_rmse_mev_per_angstrom),
            "; ".join(one.events) or "nothing",
        )
        for one in document.rounds
    ]
    return table(_ROUND_COLUMNS, rows, caption="Dynamics with the student, and what was labelled and added.")
