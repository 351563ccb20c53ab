"""Reading a query: recursive descent over its tokens.

Grammar, weakest binding first::

    query      = and_part { "or" and_part }
    and_part   = unary { "and" unary }
    unary      = "not" unary | "(" query ")" | ("surely" | "possibly") "(" query ")" | condition
    condition  = column ( sign value | "between" value "and" value | "is" ["not"] ("known" | "missing")
                        | "in" "(" text { "," text } ")" | "contains" text )
               | "elements" ( "has" ["any" "of"] symbols | "within" symbols )
    symbols    = symbol { "," symbol } | "(" symbol { "," symbol } ")"
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from functools import cache

from ..units import UnitError, plain_unit, to_unit
from .columns import Column, ColumnKind, find_column, nearest_column
from .error import QueryError
from .tokens import KEYWORDS, Token, TokenKind, tokenize
from .tree import (
    And,
    Certainty,
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
    Operator,
    Or,
    Scalar,
)

DEEPEST_NESTING = 50
"""How deep brackets and negations may be nested."""

_CERTAINTIES: tuple[Certainty, ...] = ("surely", "possibly")
_SIGNS: dict[str, Operator] = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "=", "==": "=", "!=": "!="}


def parse_query(text: str) -> Node:
    """Read a query.

    Parameters
    ----------
    text : str
        For example ``sigma_300k > 0.1 mS/cm and elements has Li and not (energy_above_hull > 30 meV)``.

    Returns
    -------
    Node
        What it means.

    Raises
    ------
    QueryError
        If it cannot be understood; the message names the column and what is near.

    Examples
    --------
    >>> parse_query("sigma_300k > 1e-4 S/cm").value
    0.1
    """
    return _Parser(tokenize(text)).query_to_the_end()


_UNSTORABLE = frozenset(["\x00", *map(chr, range(0xD800, 0xE000))])
"""NUL, and halves of surrogate pairs: no store takes them."""


class _Parser:
    """A position in a list of tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._index = 0
        self._depth = 0
        self._certainty: Certainty | None = None

    # -- structure -------------------------------------------------------------------------------------------

    def query_to_the_end(self) -> Node:
        node = self._query()
        if self._here.kind is not TokenKind.END:
            raise self._expected("'and', 'or' or the end")
        return node

    def _query(self) -> Node:
        parts = [self._and_part()]
        while self._take_word("or"):
            parts.append(self._and_part())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and_part(self) -> Node:
        parts = [self._unary()]
        while self._take_word("and"):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise QueryError(f"it is nested deeper than {DEEPEST_NESTING} times; write it flatter", self._here.position)
        node = self._nested()
        self._depth -= 1
        return node

    def _nested(self) -> Node:
        if self._take_word("not"):
            return Not(self._unary())
        if self._here.is_sign("("):
            return self._bracketed()
        for certainty in _CERTAINTIES:
            if self._take_word(certainty):
                outer, self._certainty = self._certainty, certainty
                inside = self._bracketed()
                self._certainty = outer
                return Judged(certainty, inside)
        return self._condition()

    def _bracketed(self) -> Node:
        self._expect_sign("(")
        node = self._query()
        self._expect_sign(")")
        return node

    # -- conditions ------------------------------------------------------------------------------------------

    def _condition(self) -> Node:
        token = self._here
        if token.kind is not TokenKind.WORD or token.text.lower() in KEYWORDS:
            raise self._expected("the name of a column")
        self._index += 1
        found = find_column(token.text) or find_column(token.text.lower())
        if found is None:
            raise QueryError(
                f"there is no column '{token.text}'; did you mean '{nearest_column(token.text)}'?", token.position
            )
        column, has_unit = found
        if self._certainty and column.is_measured:
            raise QueryError(
                f"'{self._certainty}' is for computed properties, and '{column.name}' is measured", token.position
            )
        if self._take_word("is"):
            return self._known_or_missing(column)
        return _CONDITIONS[column.kind](self, column, has_unit)

    def _known_or_missing(self, column: Column) -> Node:
        negated = self._take_word("not")
        if self._take_word("known"):
            return Not(IsKnown(column)) if negated else IsKnown(column)
        if self._take_word("missing"):
            return IsKnown(column) if negated else Not(IsKnown(column))
        raise self._expected("'known' or 'missing'")

    def number_condition(self, column: Column, has_unit: bool) -> Node:
        if self._take_word("between"):
            low = self._number(column, has_unit)
            if not self._take_word("and"):
                raise self._expected("'and' and the upper end")
            return And((Comparison(column, ">=", low), Comparison(column, "<=", self._number(column, has_unit))))
        position = self._here.position
        operator = self._operator("'<', '>', '=', 'between' or 'is known'")
        if self._certainty and operator in ("=", "!=") and column.kind is ColumnKind.ESTIMATE:
            raise QueryError(f"'{self._certainty}' knows < and >, not {operator}", position)
        return Comparison(column, operator, self._number(column, has_unit))

    def text_condition(self, column: Column, has_unit: bool) -> Node:
        if self._take_word("contains"):
            return Contains(column, self._text(column, any_part=True))
        if self._take_word("in"):
            self._expect_sign("(")
            texts = [self._text(column)]
            while self._take_sign(","):
                texts.append(self._text(column))
            self._expect_sign(")")
            return OneOf(column, tuple(dict.fromkeys(texts)))
        position = self._here.position
        operator = self._operator("'=', '!=', 'in', 'contains' or 'is known'")
        if operator not in ("=", "!="):
            raise QueryError(f"'{column.name}' is a text and takes = and !=, not {operator}", position)
        return Comparison(column, operator, self._text(column))

    def flag_condition(self, column: Column, has_unit: bool) -> Node:
        position = self._here.position
        operator = self._operator("'=' or '!='")
        if operator not in ("=", "!="):
            raise QueryError(f"'{column.name}' is true or false and takes = and !=, not {operator}", position)
        if self._take_word("true"):
            return Comparison(column, operator, True)
        if self._take_word("false"):
            return Comparison(column, operator, False)
        raise self._expected("'true' or 'false'")

    def elements_condition(self, column: Column, has_unit: bool) -> Node:
        if self._take_word("has"):
            if self._take_word("any"):
                if not self._take_word("of"):
                    raise self._expected("'of'")
                return HasAnyElement(self._symbols())
            return HasElements(self._symbols())
        if self._take_word("within"):
            return OnlyElements(self._symbols())
        raise self._expected("'has', 'has any of' or 'within' and element symbols")

    # -- values ----------------------------------------------------------------------------------------------

    def _operator(self, expected: str) -> Operator:
        token = self._here
        if token.kind is not TokenKind.SIGN or token.text not in _SIGNS:
            raise self._expected(expected)
        self._index += 1
        return _SIGNS[token.text]

    def _number(self, column: Column, has_unit: bool) -> Scalar:
        token = self._here
        if token.kind is not TokenKind.QUANTITY:
            raise self._expected(f"a number in {plain_unit(column.unit)}" if column.unit else "a number")
        self._index += 1
        number = float(token.text)
        if column.unit and has_unit and not token.unit and math.isfinite(number):
            # The name of the column says the unit.
            return number
        try:
            return to_unit(number, token.unit, column.unit, what=f"'{column.name}'")
        except UnitError as error:
            raise QueryError(str(error).rstrip("."), token.position) from None

    def _text(self, column: Column, *, any_part: bool = False) -> str:
        token = self._here
        quoted = token.kind is TokenKind.STRING
        if not quoted and (token.kind is not TokenKind.WORD or token.text.lower() in KEYWORDS):
            raise self._expected("a text, in quotes if it is not one word")
        self._index += 1
        if any_part or not column.choices or token.text in column.choices:
            if not _UNSTORABLE.isdisjoint(token.text):
                raise QueryError("a text cannot hold the letter NUL or half a letter", token.position)
            return token.text
        near = difflib.get_close_matches(token.text, column.choices, n=1, cutoff=0.0)[0]
        raise QueryError(f"'{column.name}' is never '{token.text}'; did you mean '{near}'?", token.position)

    def _symbols(self) -> tuple[str, ...]:
        bracketed = self._take_sign("(")
        symbols = [self._symbol()]
        while self._take_sign(","):
            symbols.append(self._symbol())
        if bracketed:
            self._expect_sign(")")
        return tuple(sorted(set(symbols)))

    def _symbol(self) -> str:
        token = self._here
        if token.kind not in (TokenKind.WORD, TokenKind.STRING):
            raise self._expected("an element symbol")
        self._index += 1
        if token.text not in element_symbols():
            near = difflib.get_close_matches(token.text.capitalize(), element_symbols(), n=1, cutoff=0.0)[0]
            raise QueryError(f"'{token.text}' is no element; did you mean '{near}'?", token.position)
        return token.text

    # -- tokens ----------------------------------------------------------------------------------------------

    @property
    def _here(self) -> Token:
        return self._tokens[self._index]

    def _take_word(self, word: str) -> bool:
        taken = self._here.is_word(word)
        self._index += taken
        return taken

    def _take_sign(self, sign: str) -> bool:
        taken = self._here.is_sign(sign)
        self._index += taken
        return taken

    def _expect_sign(self, sign: str) -> None:
        if not self._take_sign(sign):
            raise self._expected(f"'{sign}'")

    def _expected(self, what: str) -> QueryError:
        token = self._here
        found = "the end" if token.kind is TokenKind.END else f"'{token.text[:40]}'"
        return QueryError(f"{what} is wanted, not {found}", token.position)


_CONDITIONS: dict[ColumnKind, Callable[[_Parser, Column, bool], Node]] = {
    ColumnKind.ESTIMATE: _Parser.number_condition,
    ColumnKind.NUMBER: _Parser.number_condition,
    ColumnKind.TEXT: _Parser.text_condition,
    ColumnKind.FLAG: _Parser.flag_condition,
    ColumnKind.ELEMENTS: _Parser.elements_condition,
}


@cache
def element_symbols() -> tuple[str, ...]:
    """List the symbols of all elements.

    Returns
    -------
    tuple of str
        By atomic number.

    Examples
    --------
    >>> element_symbols()[2]
    'Li'
    """
    from pymatgen.core import Element

    return tuple(Element.from_Z(number).symbol for number in range(1, 119))
