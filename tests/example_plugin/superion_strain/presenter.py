"""The document in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from superion.workflows.presenters.presenter import Presenter


class VolumeStrainPresenter(Presenter):
    """One line."""

    def print(self, document: Any, console: Any) -> None:
        """Print the strain with the volumes behind it."""
        console.print(
            f"{document.label}: volume strain {document.volume_strain_percent:.2f} % "
            f"({document.discharged_angstrom3:.2f} to {document.charged_angstrom3:.2f} Å³ per framework atom)",
            markup=False,
        )

    def result(self, values: Mapping[str, Any]) -> str:
        """Write the strain."""
        return f"strain {values['volume_strain_percent']:.2f} %" if values else ""
