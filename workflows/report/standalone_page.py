"""A whole HTML page that needs nothing else, and writing one so that it is there as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from importlib.resources import files
from pathlib import Path

from ...errors import StoreError
from .html_parts import Markup, escape

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may load or run for the page: its own style, and nothing else."""


STATISTICAL = "All intervals are statistical; systematic errors are listed beside them."
"""What the foot of a page says of its intervals unless the page says it otherwise."""


def standalone_page(
    title: str, body: object, *, version: str, is_wide: bool = False, footnote: str = STATISTICAL
) -> str:
    """Put a page together.

    The style is inside the page; the browser is told to load nothing and to run no script.

    Parameters
    ----------
    title : str
        Title of the page.
    body : object
        Contents; text is escaped, `Markup` is not.
    version : str
        Version of superion that made the page.
    is_wide : bool
        Whether wide tables may use more of the window.
    footnote : str
        What stands at the foot of the page.

    Returns
    -------
    str
        The page.
    """
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    main = '<main class="wide">' if is_wide else "<main>"
    return Markup(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="superion {escape(version)}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{main}\n{escape(body)}\n"
        f"<footer>Made by superion {escape(version)}. {escape(footnote)}</footer>\n</main>\n</body>\n</html>\n"
    )


def write_page(page: str, path: str | Path) -> Path:
    """Write a page into a file.

    Parameters
    ----------
    page : str
        The page.
    path : str or pathlib.Path
        The file to write; it is replaced as a whole or not at all, and its folder is made where it is missing.

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
