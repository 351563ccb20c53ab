"""The report: one self-contained HTML page about the conductivity of one or several materials."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import StoreError
from .html_parts import Markup, escape
from .material import material_article

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
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    articles = "".join(
        material_article(document, name=f"m{number}", diffusion=diffusion, command=command)
        for number, document in enumerate(materials)
    )
    first = materials[0]
    title = f"Ionic conductivity of {first.label or first.formula}"
    if len(materials) > 1:
        title += f" and {len(materials) - 1} more"
    version = first.provenance.superion_version
    return Markup(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="superion {escape(version)}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{articles}\n"
        f"<footer>Made by superion {escape(version)}. All intervals are statistical; "
        "systematic errors are listed beside them.</footer>\n</main>\n</body>\n</html>\n"
    )


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
    target = Path(path).expanduser().absolute()
    page = render_report(documents, diffusion=diffusion, command=command)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as stream:
            temporary = stream.name
            stream.write(page)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise StoreError(
            f"The report cannot be written to {target}: {error.strerror or error}; give another place with --output."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return target
