"""Writing a query down again from what it means."""

from __future__ import annotations

from .tree import (
    And,
    Comparison,
    Contains,
    HasAnyElement,
    HasElements,
    IsKnown,
    Judged,
    Node,
    Not,
    OneOf,
    OnlyElements,
    Or,
    Scalar,
)


def write_query(node: Node) -> str:
    """Write a query that means the same: full names of columns, numbers in their units, brackets around groups.

    Parameters
    ----------
    node : Node
        As `parse_query` returns it.

    Returns
    -------
    str
        `parse_query` reads the same from it.

    Examples
    --------
    >>> from superion.database.query_language.parser import parse_query
    >>> write_query(parse_query("not sigma_300k>1e-4 S/cm or elements has Li,P"))
    'not sigma_300k_ms_cm > 0.1 or elements has Li, P'
    """
    match node:
        case Comparison(column, operator, value):
            return f"{column.name} {operator} {_scalar(value)}"
        case IsKnown(column):
            return f"{column.name} is known"
        case Contains(column, text):
            return f"{column.name} contains {_scalar(text)}"
        case OneOf(column, texts):
            return f"{column.name} in ({', '.join(map(_scalar, texts))})"
        case HasElements(symbols):
            return f"elements has {', '.join(symbols)}"
        case HasAnyElement(symbols):
            return f"elements has any of {', '.join(symbols)}"
        case OnlyElements(symbols):
            return f"elements within {', '.join(symbols)}"
        case Not(inside):
            return f"not {_grouped(inside)}"
        case Judged(certainty, inside):
            return f"{certainty} ({write_query(inside)})"
        case And(parts):
            return " and ".join(_grouped(part) for part in parts)
        case Or(parts):
            return " or ".join(write_query(part) if isinstance(part, And) else _grouped(part) for part in parts)


def _grouped(node: Node) -> str:
    return f"({write_query(node)})" if isinstance(node, And | Or) else write_query(node)


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return repr(value)
