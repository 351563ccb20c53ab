"""A matplotlib figure as inline SVG: accessible, reproducible, and safe beside others on one page."""

from __future__ import annotations

import html
import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ID = re.compile(r'\bid="([^"]+)"')
_LINK = re.compile(r'((?:xlink:)?href)="#([^"]+)"')
_URL = re.compile(r"url\(#([^)]+)\)")
_OPEN_TAG = re.compile(r"<svg\b[^>]*>", re.DOTALL)
_VIEW_BOX = re.compile(r'viewBox="([^"]+)"')


def figure_svg(figure: Figure, *, name: str, title: str, description: str) -> str:
    """Turn a figure into an ``<svg>`` element that can stand in an HTML page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    name : str
        A word that is unique on the page; it prefixes every id inside the SVG, so figures do not mix up
        their clip paths.
    title : str
        Short title, read out by screen readers.
    description : str
        What the figure shows, in a sentence or two, read out by screen readers.

    Returns
    -------
    str
        The SVG element, without XML declaration, time stamp or fixed size.
    """
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Text is drawn as paths; matplotlib repeats it in comments, where no text from outside has to be.
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = _ID.sub(rf'id="{name}-\1"', text)
    text = _LINK.sub(rf'\1="#{name}-\2"', text)
    text = _URL.sub(rf"url(#{name}-\1)", text)
    view_box = _VIEW_BOX.search(text)
    box = view_box.group(1) if view_box else "0 0 100 100"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{box}" '
        f'role="img" aria-labelledby="{name}-title {name}-description">'
        f'<title id="{name}-title">{html.escape(title)}</title>'
        f'<desc id="{name}-description">{html.escape(description)}</desc>'
    )
    return _OPEN_TAG.sub(lambda _match: head, text, count=1).strip()
