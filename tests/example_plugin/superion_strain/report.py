"""The document in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from superion.workflows.report.html_parts import Markup, escape, facts, section
from superion.workflows.report.provenance_rows import document_rows, software_rows
from superion.workflows.report.sections.section import ReportSection


class VolumeStrainSection(ReportSection):
    """The numbers and where they come from."""

    def article(self, document: Any, *, name: str, related: Sequence[Any] = (), command: str | None = None) -> Markup:
        """Build the article."""
        numbers = [
            ("Volume strain, %", f"{document.volume_strain_percent:.2f}"),
            ("Discharged, Å³ per framework atom", f"{document.discharged_angstrom3:.2f}"),
            ("Charged, Å³ per framework atom", f"{document.charged_angstrom3:.2f}"),
        ]
        origin = [*software_rows(document.provenance), *document_rows(document.provenance), ("Command", command)]
        return Markup(
            f'<article id="{escape(name)}"><header><h1>{escape(self.title(document))}</h1></header>'
            f"{section('Result', facts(numbers, caption='How much the host swells.'))}"
            f"{section('Provenance', facts(origin, caption='Where these numbers come from.'))}</article>"
        )
