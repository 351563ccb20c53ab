"""The report: one self-contained HTML page about the conductivity of one or several materials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .html_parts import Markup
from .material import material_article
from .standalone_page import standalone_page, write_page

if TYPE_CHECKING:
    from ...database.documents import ConductivityDoc, DiffusionDoc


def render_report(
    documents: ConductivityDoc | Sequence[ConductivityDoc],
    *,
    diffusion: Sequence[DiffusionDoc] = (),
    command: str | None = None,
) -> str:
    """Build the HTML page.

    The page needs no network: style and figures are inside it.  All text that comes from users is escaped.

    Parameters
    ----------
    documents : ConductivityDoc or sequence of ConductivityDoc
        One material, or several to be shown one after another.
    diffusion : sequence of DiffusionDoc
        Documents of the temperatures, for the keys of their trajectories.
    command : str, optional
        The command that repeats the calculation; put together from the document where it is not given.

    Returns
    -------
    str
        The page.
    """
    materials = [documents] if not isinstance(documents, Sequence) else list(documents)
    if not materials:
        raise ValueError("a report needs at least one document")
    articles = "".join(
        material_article(document, name=f"m{number}", diffusion=diffusion, command=command)
        for number, document in enumerate(materials)
    )
    first = materials[0]
    title = f"Ionic conductivity of {first.label or first.formula}"
    if len(materials) > 1:
        title += f" and {len(materials) - 1} more"
    return standalone_page(title, Markup(articles), version=first.provenance.superion_version)


def write_report(
    documents: ConductivityDoc | Sequence[ConductivityDoc],
    path: str | Path,
    *,
    diffusion: Sequence[DiffusionDoc] = (),
    command: str | None = None,
) -> Path:
    """Write the HTML report of one or several materials into one file.

    Parameters
    ----------
    documents : ConductivityDoc or sequence of ConductivityDoc
        One material, or several to be shown one after another.
    path : str or pathlib.Path
        The file to write; it is replaced as a whole or not at all.
    diffusion : sequence of DiffusionDoc
        Documents of the temperatures, for the keys of their trajectories.
    command : str, optional
        The command that repeats the calculation; put together from the document where it is not given.

    Returns
    -------
    pathlib.Path
        Absolute path of the file.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    return write_page(render_report(documents, diffusion=diffusion, command=command), path)
