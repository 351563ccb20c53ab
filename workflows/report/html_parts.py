"""Small pieces of HTML.  Whatever comes from outside is escaped here, in one place."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_AMOUNT = re.compile(r"(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)")


class Markup(str):
    """Text that is already HTML and must not be escaped again."""

    __slots__ = ()


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    title : str
        Heading.
    unit : str
        Unit, written under the heading; empty where there is none.
    is_number : bool
        Whether the column is aligned to the right.
    """

    title: str
    unit: str = ""
    is_number: bool = False


def escape(text: object) -> Markup:
    """Escape text for HTML; leave `Markup` as it is.

    Parameters
    ----------
    text : object
        Anything with a string form.

    Returns
    -------
    Markup
        Safe HTML.

    Examples
    --------
    >>> escape("<b>")
    '&lt;b&gt;'
    """
    return text if isinstance(text, Markup) else Markup(html.escape(str(text), quote=True))


def formula_markup(formula: str) -> Markup:
    """Write a chemical formula with lowered amounts.

    Parameters
    ----------
    formula : str
        For example ``Li6PS5Cl``.

    Returns
    -------
    Markup
        HTML.

    Examples
    --------
    >>> formula_markup("Li6PS5Cl")
    'Li<sub>6</sub>PS<sub>5</sub>Cl'
    """
    return Markup(_AMOUNT.sub(r"<sub>\1</sub>", escape(formula)))


def charge_text(charge: float) -> str:
    """Write a charge as chemists do.

    Parameters
    ----------
    charge : float
        Charge in elementary charges.

    Returns
    -------
    str
        For example ``2+``, ``-`` or ``+``.

    Examples
    --------
    >>> charge_text(1.0), charge_text(-2.0), charge_text(0.5)
    ('+', '2−', '0.5+')
    """
    sign = "+" if charge >= 0 else "−"
    size = abs(charge)
    return sign if size == 1.0 else f"{size:g}{sign}"


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    *,
    caption: str,
    excluded_rows: frozenset[int] = frozenset(),
    notes: Mapping[int, str] | None = None,
) -> Markup:
    """Build a table with a caption, units under the headings and the first cell of each row as its heading.

    Parameters
    ----------
    columns : sequence of Column
        The columns.
    rows : iterable of sequences
        The cells, one for each column.
    caption : str
        What the table shows.
    excluded_rows : frozenset of int
        Numbers of rows to print in the colour of excluded results.
    notes : mapping of int to str, optional
        Number of a row to a remark that is printed under it; empty remarks are left out.

    Returns
    -------
    Markup
        HTML.
    """
    head = "".join(
        f'<th scope="col"{_number_class(column)}>{escape(column.title)}'
        + (f'<span class="unit">{escape(column.unit)}</span>' if column.unit else "")
        + "</th>"
        for column in columns
    )
    body = []
    for number, row in enumerate(rows):
        cells = [
            f'<th scope="row"{_number_class(column)}>{escape(cell)}</th>'
            if position == 0
            else f"<td{_number_class(column)}>{escape(cell)}</td>"
            for position, (column, cell) in enumerate(zip(columns, row, strict=True))
        ]
        note = (notes or {}).get(number, "")
        classes = [name for name, holds in (("excluded", number in excluded_rows), ("noted", bool(note))) if holds]
        body.append(f"<tr{_class_attribute(classes)}>{''.join(cells)}</tr>")
        if note:
            body.append(f'<tr class="note"><td colspan="{len(columns)}">{escape(note)}</td></tr>')
    return Markup(
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def facts(rows: Iterable[tuple[str, object]], *, caption: str) -> Markup:
    """Build a two-column table of names and values; rows whose value is None or empty are left out.

    Parameters
    ----------
    rows : iterable of (str, object)
        Names and values.
    caption : str
        What the table shows.

    Returns
    -------
    Markup
        HTML.
    """
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="long">{escape(value)}</td></tr>'
        for name, value in rows
        if value is not None and value != ""
    )
    return Markup(
        f'<div class="scroll"><table class="facts"><caption>{escape(caption)}</caption>'
        f"<tbody>{body}</tbody></table></div>"
    )


def bullets(sentences: Iterable[object], *, css_class: str = "") -> Markup:
    """Build a list.

    Parameters
    ----------
    sentences : iterable
        The items.
    css_class : str
        A further class of the list.

    Returns
    -------
    Markup
        HTML; empty where there are no items.
    """
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return Markup(f'<ul class="plain {css_class}">{items}</ul>' if items else "")


def section(title: str, *parts: object) -> Markup:
    """Build a section with a heading; empty where all its parts are.

    Parameters
    ----------
    title : str
        Heading.
    *parts : object
        Contents; text is escaped, `Markup` is not.

    Returns
    -------
    Markup
        HTML.
    """
    content = "".join(escape(part) for part in parts)
    return Markup(f"<section><h2>{escape(title)}</h2>{content}</section>" if content else "")


def figure(svg: str, caption: object, *, css_class: str = "") -> Markup:
    """Wrap an SVG with its caption.

    Parameters
    ----------
    svg : str
        The SVG element.
    caption : object
        Text under the figure.
    css_class : str
        A further class of the figure.

    Returns
    -------
    Markup
        HTML.
    """
    return Markup(f'<figure class="{css_class}">{svg}<figcaption>{escape(caption)}</figcaption></figure>')


def _number_class(column: Column) -> str:
    """Class attribute of cells that hold numbers."""
    return _class_attribute(["number"] if column.is_number else [])


def _class_attribute(names: Sequence[str]) -> str:
    """Class attribute with these names; nothing where there are none."""
    return f' class="{" ".join(names)}"' if names else ""
