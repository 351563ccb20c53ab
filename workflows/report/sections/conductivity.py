"""Conductivities in reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....database.documents.diffusion import DiffusionDoc
from ..html_parts import Markup
from ..material import material_article
from .section import ReportSection

if TYPE_CHECKING:
    from maggma.core import Store

    from ....database.documents import SuperionDocument
    from ....database.documents.conductivity import ConductivityDoc


class ConductivitySection(ReportSection):
    """The answer, the Arrhenius line, displacements, tables, provenance, and how to repeat it."""

    def title(self, document: ConductivityDoc) -> str:
        """Name a page about a conductivity.

        Parameters
        ----------
        document : ConductivityDoc
            The result.

        Returns
        -------
        str
            Plain text.
        """
        return f"Ionic conductivity of {document.label or document.formula}"

    def related(self, document: ConductivityDoc, store: Store) -> list[SuperionDocument]:
        """Find the documents of the temperatures, which name the trajectories.

        Parameters
        ----------
        document : ConductivityDoc
            The result.
        store : JobStore
            A connected store.

        Returns
        -------
        list of DiffusionDoc
            The newest at each temperature, the coldest first.
        """
        from ....database.queries import iterate_documents

        found: dict[float, SuperionDocument] = {}
        named = iterate_documents(store, DiffusionDoc, formula=document.formula, label=document.label or None)
        for diffusion in named:
            if is_behind(diffusion, document):
                found.setdefault(diffusion.temperature_k, diffusion)
        return [found[temperature] for temperature in sorted(found)]

    def article(
        self,
        document: ConductivityDoc,
        *,
        name: str,
        related: Sequence[SuperionDocument] = (),
        command: str | None = None,
    ) -> Markup:
        """Build everything that a report says about a conductivity.

        Parameters
        ----------
        document : ConductivityDoc
            The result.
        name : str
            A word that is unique on the page.
        related : sequence of SuperionDocument
            Among them the documents of its temperatures.
        command : str, optional
            The command that repeats the calculation; put together from the document where it is not given.

        Returns
        -------
        Markup
            HTML.
        """
        diffusion = [one for one in related if isinstance(one, DiffusionDoc) and is_behind(one, document)]
        return material_article(document, name=name, diffusion=diffusion, command=command)


def is_behind(diffusion: DiffusionDoc, document: ConductivityDoc) -> bool:
    """Tell whether a conductivity sums up a document of one temperature.

    Parameters
    ----------
    diffusion : DiffusionDoc
        Diffusion at one temperature.
    document : ConductivityDoc
        A conductivity.

    Returns
    -------
    bool
        Whether it holds this very result, or names this very failure.
    """
    if (diffusion.formula, diffusion.label) != (document.formula, document.label):
        return False
    if diffusion.result is not None:
        return diffusion.result in document.temperatures
    return document.temperature_failures.get(f"{diffusion.temperature_k:g}") == str(diffusion.failure)
