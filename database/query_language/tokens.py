"""Cutting a query into its words, numbers with units, texts and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from .error import QueryError

LONGEST_QUERY = 10_000
"""Letters of the longest query that is read."""

KEYWORDS = frozenset(
    {"and", "or", "not", "between", "has", "any", "of", "within", "in", "is", "known", "missing", "contains"}
    | {"true", "false", "surely", "possibly"}
)
"""Words with a meaning of their own; they are no units and, unquoted, no texts."""


class TokenKind(Enum):
    """What a token is."""

    QUANTITY = "a number"
    WORD = "a word"
    STRING = "a text"
    SIGN = "a sign"
    END = "the end"


@dataclass(frozen=True)
class Token:
    """One token.

    Attributes
    ----------
    kind : TokenKind
        What it is.
    text : str
        A word as written; a quoted text without its quotes; a number without its unit.
    position : int
        Where it begins, from 0.
    unit : str
        Unit of a number; empty where there is none.
    """

    kind: TokenKind
    text: str
    position: int
    unit: str = ""

    def is_word(self, *words: str) -> bool:
        """Tell whether it is one of these keywords, in capitals or not.

        Parameters
        ----------
        *words : str
            Keywords in small letters.

        Returns
        -------
        bool
            Whether it is.
        """
        return self.kind is TokenKind.WORD and self.text.lower() in words

    def is_sign(self, *signs: str) -> bool:
        """Tell whether it is one of these signs.

        Parameters
        ----------
        *signs : str
            Signs.

        Returns
        -------
        bool
            Whether it is.
        """
        return self.kind is TokenKind.SIGN and self.text in signs


_BLANK = re.compile(r"\s*")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STRING = re.compile(r"\"((?:[^\"]|\"\")*)\"|'((?:[^']|'')*)'")
_SIGN = re.compile(r"<=|>=|==|!=|[<>=(),]")
_NO_KEYWORD = rf"(?!(?i:{'|'.join(sorted(KEYWORDS))})(?![A-Za-z0-9_]))"
_UNIT_FACTOR = rf"{_NO_KEYWORD}[A-Za-zµμΩÅ%]+(?:(?:\^|\*\*)?[-+]?\d+|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
_UNIT = re.compile(rf"[ \t]*((?:1?[ \t]*/[ \t]*)?{_UNIT_FACTOR}(?:(?:[ \t]*[/*·][ \t]*|[ \t]+){_UNIT_FACTOR})*)")


def tokenize(text: str) -> list[Token]:
    """Cut a query into tokens.

    Parameters
    ----------
    text : str
        The query.

    Returns
    -------
    list of Token
        Ends with a token of the kind END.

    Raises
    ------
    QueryError
        If it is too long, or something in it is no token.

    Examples
    --------
    >>> [(token.text, token.unit) for token in tokenize("sigma_300k > 0.1 mS/cm and")]
    [('sigma_300k', ''), ('>', ''), ('0.1', 'mS/cm'), ('and', ''), ('', '')]
    """
    if len(text) > LONGEST_QUERY:
        raise QueryError(f"it is longer than {LONGEST_QUERY} letters; cut it into several queries", LONGEST_QUERY)
    tokens: list[Token] = []
    position = _blank_end(text, 0)
    while position < len(text):
        token, end = _token_at(text, position)
        tokens.append(token)
        position = _blank_end(text, end)
    tokens.append(Token(TokenKind.END, "", len(text)))
    return tokens


def _blank_end(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _token_at(text: str, position: int) -> tuple[Token, int]:
    if match := _SIGN.match(text, position):
        return Token(TokenKind.SIGN, match[0], position), match.end()
    if match := _NUMBER.match(text, position):
        unit = _UNIT.match(text, match.end())
        end = unit.end() if unit else match.end()
        return Token(TokenKind.QUANTITY, match[0], position, unit[1] if unit else ""), end
    if match := _WORD.match(text, position):
        return Token(TokenKind.WORD, match[0], position), match.end()
    if match := _STRING.match(text, position):
        quote = text[position]
        return Token(TokenKind.STRING, match[0][1:-1].replace(2 * quote, quote), position), match.end()
    if text[position] in "\"'":
        raise QueryError("the text that begins here has no closing quote", position)
    raise QueryError(f"{text[position]!r} has no meaning here; put texts in quotes", position)
