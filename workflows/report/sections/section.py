"""What a report says of one kind of document."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..html_parts import Markup

if TYPE_CHECKING:
    from maggma.core import Store

    from ....database.documents import SuperionDocument


class ReportSection(ABC):
    """Documents of one kind in HTML: in the report of a result, and on the pages of a campaign's report.

    A subclass is found by its entry point in the group `superion.report_sections`, under the `doc_type` of its
    documents. A kind that registers none has no report.
    """

    def title(self, document: Any) -> str:
        """Name a page about a document.

        Parameters
        ----------
        document : SuperionDocument
            A document of this kind.

        Returns
        -------
        str
            Plain text.
        """
        return f"{document.doc_type.replace('_', ' ').capitalize()} of {document.label or document.formula}"

    def related(self, document: Any, store: Store) -> list[SuperionDocument]:
        """Find the documents that stand behind one and that its article tells of.

        Parameters
        ----------
        document : SuperionDocument
            A document of this kind.
        store : JobStore
            A connected store.

        Returns
        -------
        list of SuperionDocument
            Of any kinds; none unless a subclass looks for some.
        """
        return []

    @abstractmethod
    def article(
        self, document: Any, *, name: str, related: Sequence[SuperionDocument] = (), command: str | None = None
    ) -> Markup:
        """Build everything that a report says about a document.

        Parameters
        ----------
        document : SuperionDocument
            A document of this kind.
        name : str
            A word that is unique on the page, for ids.
        related : sequence of SuperionDocument
            Documents that stand behind those of the page; those that do not belong to this one are left out.
        command : str, optional
            The command that repeats the calculation, where it is known.

        Returns
        -------
        Markup
            One `article` element of HTML, in which all text from outside is escaped.
        """

    def brief(self, documents: Sequence[Any], *, name: str) -> Markup | None:
        """Build what the section of a campaign's stage shows of the documents that it sums up.

        Parameters
        ----------
        documents : sequence of SuperionDocument
            Documents of this kind behind one stage document.
        name : str
            A word that is unique on the page, for ids.

        Returns
        -------
        Markup or None
            HTML in place of the articles; None where each document has its whole article on the page.
        """
        return None
