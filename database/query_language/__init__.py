"""A small expression language for questions about candidates: parsed by hand, nothing is evaluated."""

from __future__ import annotations

from .criteria import query_criteria
from .error import QueryError
from .parser import parse_query
from .writer import write_query

__all__ = ["QueryError", "parse_query", "query_criteria", "write_query"]
