"""An index on the texts in lists: SQLite has none, so a table beside the documents serves, kept by triggers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .mongo_sql import Condition
from .stored_json import encode

COMMON_ABOVE = 50_000
"""An item that more documents hold is not counted further: an order of its own leads to its documents."""

RARE_UP_TO = 2_000
"""So few documents are sorted after they were found, rather than found while walking in order."""

_PREFIX = "items_"

Stream = Callable[[str, Sequence[Any]], Generator[tuple[Any, ...], None, None]]


@dataclass(frozen=True)
class ItemParts:
    """What criteria ask of the items of a list.

    Attributes
    ----------
    all_of : tuple of str
        All of them are in it.
    any_of : tuple of tuple of str
        Of each group, at least one is.
    none_of : tuple of str
        None of them is.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    none_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class ItemIndex:
    """The index on the items of one field of one collection.

    Attributes
    ----------
    collection : str
        Name of the collection.
    path : str
        The field, at the top of the documents.
    """

    collection: str
    path: str

    @classmethod
    def all_of(cls, collection: str, tables: Sequence[str]) -> Iterator[ItemIndex]:
        """Find the indexes of a collection among the tables of a file.

        Parameters
        ----------
        collection : str
            Name of the collection.
        tables : sequence of str
            Names of tables.

        Yields
        ------
        ItemIndex
            Indexes.
        """
        prefix = f"{_PREFIX}{collection}:"
        for name in sorted(tables):
            if name.startswith(prefix):
                yield cls(collection, name.removeprefix(prefix))

    @property
    def table(self) -> str:
        """Name of the table, quoted."""
        return f'"{_PREFIX}{self.collection}:{self.path}"'

    def creation(self, documents: str) -> list[str]:
        """Write the statements that make the index and fill it.

        Parameters
        ----------
        documents : str
            Table of the documents, quoted.

        Returns
        -------
        list of str
            SQL; triggers keep the index from then on.
        """
        where = f"'$.\"{self.path}\"'"

        def items(row: str) -> str:
            return f"SELECT DISTINCT value FROM json_each({row}.body,{where}) WHERE type='text'"

        def trigger(name: str, event: str, body: str) -> str:
            full_name = f'"{_PREFIX}{self.collection}:{self.path}:{name}"'
            return f"CREATE TRIGGER IF NOT EXISTS {full_name} AFTER {event} ON {documents} BEGIN {body} END"

        remove = f"DELETE FROM {self.table} WHERE id=OLD.id AND item IN ({items('OLD')});"
        add = f"INSERT OR IGNORE INTO {self.table} SELECT value, NEW.id FROM ({items('NEW')});"
        changed = f"WHEN json_extract(OLD.body,{where}) IS NOT json_extract(NEW.body,{where})"
        return [
            f"CREATE TABLE IF NOT EXISTS {self.table} "
            "(item TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (item, id)) WITHOUT ROWID",
            f"INSERT OR IGNORE INTO {self.table} SELECT value, d.id FROM {documents} AS d, "
            f"json_each(d.body,{where}) WHERE type='text'",
            trigger("insert", "INSERT", add),
            trigger("delete", "DELETE", remove),
            f'CREATE TRIGGER IF NOT EXISTS "{_PREFIX}{self.collection}:{self.path}:update" AFTER UPDATE OF body '
            f"ON {documents} {changed} BEGIN {remove} {add} END",
        ]

    def split(self, condition: Any) -> ItemParts | None:
        """Read a condition on the field.

        Parameters
        ----------
        condition : object
            What stands beside the field in criteria.

        Returns
        -------
        ItemParts or None
            None where the index cannot tell.

        Examples
        --------
        >>> ItemIndex("rows", "elements").split({"$all": ["Li", "S"], "$nin": ["O"]})
        ItemParts(all_of=('Li', 'S'), any_of=(), none_of=('O',))
        """
        if isinstance(condition, str):
            condition = {"$eq": condition}
        if not isinstance(condition, Mapping) or not condition:
            return None
        all_of: list[str] = []
        any_of: list[tuple[str, ...]] = []
        none_of: list[str] = []
        for operator, argument in condition.items():
            texts = [argument] if operator in ("$eq", "$ne") else argument
            if not (isinstance(texts, list | tuple) and texts and all(_is_plain(text) for text in texts)):
                return None
            if operator in ("$all", "$eq"):
                all_of += texts
            elif operator == "$in":
                any_of.append(tuple(texts))
            elif operator in ("$nin", "$ne"):
                none_of += texts
            else:
                return None
        return ItemParts(tuple(dict.fromkeys(all_of)), tuple(any_of), tuple(none_of))

    def is_rare(self, items: Sequence[str], stream: Stream) -> bool:
        """Tell whether few documents hold all of some items.

        Parameters
        ----------
        items : sequence of str
            Items.
        stream : callable
            (SQL, parameters) -> rows.

        Returns
        -------
        bool
            Whether at most `RARE_UP_TO` do.
        """
        counts = {item: self._count("SELECT 1 FROM {table} WHERE item=?", (item,), stream) for item in items}
        rarest = min(items, key=lambda item: counts[item])
        if counts[rarest] <= RARE_UP_TO or counts[rarest] > COMMON_ABOVE:
            return counts[rarest] <= RARE_UP_TO
        others = [item for item in items if item != rarest]
        sql = f"SELECT 1 {self._together(others)}"
        return self._count(sql, (rarest, *others), stream, at_most=RARE_UP_TO + 1) <= RARE_UP_TO

    def condition(self, parts: ItemParts, documents: str, *, leads: bool) -> Condition:
        """Write the SQL condition.

        Parameters
        ----------
        parts : ItemParts
            What is asked for.
        documents : str
            Table of the documents, quoted.
        leads : bool
            Whether documents are found by their items; else items are checked while walking by another index.

        Returns
        -------
        Condition
            Exact for fields at the top of the documents.
        """
        conditions: list[str] = []
        parameters: list[str] = []
        checked = list(parts.all_of)
        if leads and checked:
            conditions.append(f"{documents}.id IN (SELECT a.id {self._together(checked[1:])})")
            parameters += checked
            checked = []
        for item in checked:
            conditions.append(self._held("item=?", documents))
            parameters.append(item)
        for group in parts.any_of:
            conditions.append(self._held("item IN (SELECT value FROM json_each(?))", documents))
            parameters.append(encode({"": list(group)})[4:-1])
        if parts.none_of:
            conditions.append("NOT " + self._held("item IN (SELECT value FROM json_each(?))", documents))
            parameters.append(encode({"": list(parts.none_of)})[4:-1])
        return Condition("(" + " AND ".join(conditions) + ")", tuple(parameters))

    def _held(self, condition: str, documents: str) -> str:
        return f"EXISTS (SELECT 1 FROM {self.table} AS i WHERE i.{condition} AND i.id={documents}.id)"

    def _together(self, others: Sequence[str]) -> str:
        """Write which documents hold one item and all others."""
        also = " AND ".join(f"EXISTS (SELECT 1 FROM {self.table} AS b WHERE b.item=? AND b.id=a.id)" for _ in others)
        return f"FROM {self.table} AS a WHERE a.item=?{f' AND {also}' if also else ''}"

    def _count(self, sql: str, parameters: Sequence[str], stream: Stream, *, at_most: int = COMMON_ABOVE + 1) -> int:
        inner = sql.replace("{table}", self.table)
        ((number,),) = stream(f"SELECT count(*) FROM ({inner} LIMIT {at_most})", parameters)
        return int(number)


def _is_plain(text: Any) -> bool:
    return isinstance(text, str) and "\x00" not in text
