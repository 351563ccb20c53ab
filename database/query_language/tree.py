"""What a query means: a tree of conditions on the columns of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .columns import Column

Operator = Literal["<", "<=", ">", ">=", "=", "!="]
Certainty = Literal["surely", "possibly"]
Scalar = float | str | bool


@dataclass(frozen=True)
class Comparison:
    """A column compared with a number in the unit of the column, a text, or true and false."""

    column: Column
    operator: Operator
    value: Scalar


@dataclass(frozen=True)
class IsKnown:
    """Whether anything is known of a column."""

    column: Column


@dataclass(frozen=True)
class Contains:
    """A text that contains another one, capitals or not."""

    column: Column
    text: str


@dataclass(frozen=True)
class OneOf:
    """A text that is one of several."""

    column: Column
    texts: tuple[str, ...]


@dataclass(frozen=True)
class HasElements:
    """All of some elements."""

    symbols: tuple[str, ...]


@dataclass(frozen=True)
class HasAnyElement:
    """At least one of some elements."""

    symbols: tuple[str, ...]


@dataclass(frozen=True)
class OnlyElements:
    """No element but some."""

    symbols: tuple[str, ...]


@dataclass(frozen=True)
class Not:
    """The contrary: a row in which nothing is known of a column matches neither."""

    inside: Node


@dataclass(frozen=True)
class And:
    """All of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """At least one of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Judged:
    """Comparisons judged by the 95 % range of properties and not by their best estimates."""

    certainty: Certainty
    inside: Node


Node = Comparison | IsKnown | Contains | OneOf | HasElements | HasAnyElement | OnlyElements | Not | And | Or | Judged
"""A condition."""
