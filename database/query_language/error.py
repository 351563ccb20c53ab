"""The one error that reading a query raises."""

from __future__ import annotations

from ...errors import SettingsError


class QueryError(SettingsError):
    """A query that cannot be understood.

    Attributes
    ----------
    column : int
        Where in the query, counted from 1.
    """

    def __init__(self, problem: str, position: int) -> None:
        self.column = position + 1
        end = "" if problem.endswith(("?", ".")) else "."
        super().__init__(f"In the query at column {self.column}: {problem}{end}")
