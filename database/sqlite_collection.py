"""One collection of the embedded store: documents in, documents out, with MongoDB's meaning."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from bson.objectid import ObjectId

from ..errors import StoreError
from .mongo_criteria import Predicate, compile_criteria
from .mongo_order import OrderKey, order_key
from .mongo_paths import distinct_at, sort_key_at, split_path
from .mongo_sql import (
    Condition,
    PathSql,
    combine,
    condition_from_criteria,
    has_one_rank,
    path_sql,
    paths_in,
    without_index,
)
from .sqlite_connection import SqliteDatabase, explain
from .sqlite_items import ItemIndex
from .stored_json import decode, encode

PAGE_SIZE = 256
"""Documents read at a time; no transaction stays open between pages."""

ANALYZED_SIZES = (200, 2_000, 20_000, 200_000)
"""Numbers of documents written after which the statistics of the indexes are renewed."""

_TABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]*")

SortFields = Sequence[tuple[str, int]]
"""(path, 1 or -1), the weightiest first."""


class SqliteCollection:
    """The documents of one collection, in one table.

    Parameters
    ----------
    database : SqliteDatabase
        The file.
    name : str
        Name of the collection; letters, digits, `_`, `.` and `-`.
    """

    def __init__(self, database: SqliteDatabase, name: str) -> None:
        if not _TABLE_NAME.fullmatch(name):
            raise StoreError(
                f"{name!r} cannot name a collection: start with a letter, go on with letters, digits, '_', '.' or '-'."
            )
        self.database = database
        self.name = name
        self._table = f'"documents_{name}"'
        self._indexed: frozenset[str] = frozenset()
        self._compound: frozenset[tuple[str, ...]] = frozenset()
        self._items: tuple[ItemIndex, ...] = ()
        self._single: frozenset[str] = frozenset()
        self._known_schema: int | None = None
        self._n_written = 0

    def create(self) -> None:
        """Make the table where it is missing.

        Raises
        ------
        StoreError
            If the file cannot be opened or written.
        """
        with self.database.reading():
            name = f"documents_{self.name}"
            if list(self._stream("SELECT 1 FROM sqlite_master WHERE type='table' AND name=?", (name,))):
                return
        with self.database.writing():
            self._run(f"CREATE TABLE IF NOT EXISTS {self._table} (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
            self._run(
                f'CREATE UNIQUE INDEX IF NOT EXISTS "{self._index_name("_id", "object_id")}" '
                f"ON {self._table} (json_extract(body,'$._id'))"
            )

    # -- reading ---------------------------------------------------------------------------------------------

    def find(
        self,
        criteria: Mapping[str, Any] | None = None,
        *,
        sort: SortFields = (),
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Yield the documents that match.

        Parameters
        ----------
        criteria : mapping, optional
            Query criteria.
        sort : sequence of (str, int)
            Paths and directions.  Ties stay in the order of insertion, or its reverse where the last
            direction is downward.
        skip : int
            Documents to leave out at the start.
        limit : int
            Greatest number of documents; 0 for all.

        Yields
        ------
        dict
            Whole documents.  The set of candidates is that of the first moment; each document is read
            when its page is, and left out if it was removed or no longer matches by then.

        Raises
        ------
        StoreError
            If the criteria are wrong or the file cannot be read.
        """
        if skip < 0 or limit < 0:
            raise StoreError(f"skip and limit cannot be negative (skip={skip}, limit={limit}).")
        matches = compile_criteria(criteria)
        stop = skip + limit if limit else None
        found: list[dict[str, Any]] = []
        with self.database.reading():
            condition, order = self._plan(criteria, sort)
            if order is None:
                rest = self._sort_in_python(condition, matches, sort)[skip:stop]
                skip, stop = 0, None
            else:
                source = f"FROM {self._table} WHERE {condition.sql} ORDER BY {order}"
                if condition.is_exact:
                    source += f" LIMIT {limit or -1} OFFSET {skip}"
                    skip, stop = 0, None
                rows = self._stream(f"SELECT body {source}", condition.parameters)
                rest = []
                if stop is not None and stop <= PAGE_SIZE:
                    # A page is read to its end at once, however many candidates do not match.
                    found = list(islice(filter(matches, (decode(body) for (body,) in rows)), stop))
                    rows.close()
                else:
                    bodies = [body for (body,) in islice(rows, PAGE_SIZE)]
                    rows.close()
                    found = list(filter(matches, map(decode, bodies)))
                    if len(bodies) == PAGE_SIZE and (stop is None or len(found) < stop):
                        ids = self._stream(f"SELECT id {source}", condition.parameters)
                        rest = [row_id for (row_id,) in islice(ids, PAGE_SIZE, None)]
        yield from islice(chain(found, filter(matches, self._read(rest))), skip, stop)

    def count(self, criteria: Mapping[str, Any] | None = None) -> int:
        """Count the documents that match.

        Parameters
        ----------
        criteria : mapping, optional
            Query criteria.

        Returns
        -------
        int
            Their number.
        """
        matches = compile_criteria(criteria)
        with self.database.reading():
            condition, _ = self._plan(criteria, ())
            if condition.is_exact:
                ((number,),) = self._stream(
                    f"SELECT count(*) FROM {self._table} WHERE {condition.sql}", condition.parameters
                )
                return int(number)
            rows = self._stream(f"SELECT body FROM {self._table} WHERE {condition.sql}", condition.parameters)
            return sum(matches(decode(body)) for (body,) in rows)

    def distinct(self, path: str, criteria: Mapping[str, Any] | None = None) -> list[Any]:
        """List the different values of a field.

        Parameters
        ----------
        path : str
            Dotted path; of lists, the elements count.
        criteria : mapping, optional
            Query criteria.

        Returns
        -------
        list
            Values in MongoDB's order; documents without the field add none.
        """
        parts = split_path(path)
        values: dict[OrderKey, Any] = {}
        for document in self.find(criteria):
            for value in distinct_at(document, parts):
                values.setdefault(order_key(value), value)
        return [values[key] for key in sorted(values)]

    # -- writing ---------------------------------------------------------------------------------------------

    def replace(self, documents: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
        """Replace the first document that matches each criteria, or insert; all of them or none.

        Parameters
        ----------
        documents : sequence of (criteria, document)
            What to look for, and what to put in its place.

        Raises
        ------
        StoreError
            If a document breaks a unique index, changes an `_id`, or cannot be stored.
        """
        if not documents:
            return
        with self.database.writing():
            field = _common_text_field([criteria for criteria, _ in documents])
            if field is not None and field in self.indexed_paths() and self._is_regular(field):
                self._replace_by_text(field, documents)
            else:
                for criteria, document in documents:
                    self._replace_one(criteria, document)
            before, self._n_written = self._n_written, self._n_written + len(documents)
            if any(before < size <= self._n_written for size in ANALYZED_SIZES):
                # Without statistics SQLite guesses which index narrows most.
                self._run("PRAGMA analysis_limit=400")
                self._run(f"ANALYZE {self._table}")

    def replace_if_there(self, criteria: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
        """Replace the first document that matches, and insert nothing; no other process writes in between.

        Parameters
        ----------
        criteria : mapping
            What to look for.
        document : mapping
            What to put in its place.

        Returns
        -------
        bool
            Whether there was one.

        Raises
        ------
        StoreError
            If the document breaks a unique index, changes an `_id`, or cannot be stored.
        """
        with self.database.writing():
            if self._find_first(criteria) is None:
                return False
            self._replace_one(criteria, document)
            return True

    def delete(self, criteria: Mapping[str, Any] | None) -> int:
        """Remove the documents that match.

        Parameters
        ----------
        criteria : mapping or None
            Query criteria; empty removes everything.

        Returns
        -------
        int
            How many were removed.
        """
        matches = compile_criteria(criteria)
        with self.database.writing():
            condition, _ = self._plan(criteria, ())
            if condition.is_exact:
                return self._run(f"DELETE FROM {self._table} WHERE {condition.sql}", condition.parameters).rowcount
            rows = self._stream(f"SELECT id, body FROM {self._table} WHERE {condition.sql}", condition.parameters)
            ids = [row_id for row_id, body in rows if matches(decode(body))]
            for row_id in ids:
                self._run(f"DELETE FROM {self._table} WHERE id=?", (row_id,))
            return len(ids)

    # -- indexes ---------------------------------------------------------------------------------------------

    def create_index(self, path: str, *, unique: bool = False) -> bool:
        """Index a field.

        Parameters
        ----------
        path : str
            Dotted path.
        unique : bool
            Whether no two documents may share a value; documents without the field share one,
            and a list counts as a whole.

        Returns
        -------
        bool
            Whether the index is there now; False where documents already share a value, or the path
            cannot be indexed.
        """
        sql = path_sql(path)
        if sql is None:
            return False
        self._learn_indexes()
        if not unique and path in self._single:
            # Opening a store asks for all its indexes; no lock is needed to find them there.
            return True
        try:
            with self.database.writing():
                self._run(
                    f'CREATE INDEX IF NOT EXISTS "{self._index_name(path, "values")}" '
                    f"ON {self._table} ({sql.rank}, {sql.value})"
                )
                self._index_irregular(path, sql)
                if unique:
                    self._run(
                        f'CREATE UNIQUE INDEX IF NOT EXISTS "{self._index_name(path, "unique")}" '
                        f"ON {self._table} ({sql.rank}, ifnull({sql.value},0))"
                    )
        except DuplicateValueError:
            return False
        return True

    def create_compound_index(self, paths: Sequence[str]) -> bool:
        """Index several fields together: for equality in the first ones, and a range or an order in the next.

        Parameters
        ----------
        paths : sequence of str
            Dotted paths, at least two.

        Returns
        -------
        bool
            Whether the index is there now; False where a path cannot be indexed.
        """
        sqls = [path_sql(path) for path in paths]
        if any(sql is None for sql in sqls) or any("+" in path for path in paths):
            return False
        self._learn_indexes()
        if tuple(paths) in self._compound:
            return True
        columns = ", ".join(f"{sql.rank}, {sql.value}" for sql in sqls if sql is not None)
        with self.database.writing():
            name = self._index_name("+".join(paths), "compound")
            self._run(f'CREATE INDEX IF NOT EXISTS "{name}" ON {self._table} ({columns})')
            for path, sql in zip(paths, sqls, strict=True):
                if sql is not None:
                    self._index_irregular(path, sql)
        return True

    def create_item_index(self, path: str) -> bool:
        """Index the texts in a list, so that documents are found by what their lists hold.

        Parameters
        ----------
        path : str
            A field at the top of the documents.

        Returns
        -------
        bool
            Whether the index is there now; False where the path cannot be indexed.
        """
        if "." in path or path_sql(path) is None:
            return False
        self._learn_indexes()
        index = ItemIndex(self.name, path)
        if index not in self._items:
            with self.database.writing():
                for statement in index.creation(self._table):
                    self._run(statement)
        return True

    def indexed_paths(self) -> frozenset[str]:
        """List the indexed fields.

        Returns
        -------
        frozenset of str
            Dotted paths.
        """
        self._learn_indexes()
        return self._indexed

    def explain_query(self, criteria: Mapping[str, Any] | None = None, *, sort: SortFields = ()) -> list[str]:
        """Say how SQLite would look for documents.

        Parameters
        ----------
        criteria : mapping, optional
            Query criteria.
        sort : sequence of (str, int)
            Paths and directions.

        Returns
        -------
        list of str
            Lines of SQLite's `EXPLAIN QUERY PLAN`.
        """
        with self.database.reading():
            condition, order = self._plan(criteria, sort)
            sql = f"EXPLAIN QUERY PLAN SELECT body FROM {self._table} WHERE {condition.sql} ORDER BY {order or 'id'}"
            lines = [str(row[3]) for row in self._stream(sql, condition.parameters)]
        return [*lines, *(["SORT IN PYTHON"] if order is None else [])]

    # -- inside ----------------------------------------------------------------------------------------------

    def _learn_indexes(self) -> None:
        """Read the names of the indexes, if the tables have changed since the last time."""
        ((version,),) = self._stream("PRAGMA schema_version")
        if version == self._known_schema:
            return
        rows = self._stream("SELECT name FROM sqlite_master WHERE type='index' AND tbl_name=?", (self._table[1:-1],))
        names = [name.removeprefix(f"{self.name}:") for (name,) in rows]
        self._single = frozenset(_of_kind(names, "values"))
        self._indexed = frozenset(_of_kind(names, "irregular"))
        self._compound = frozenset(tuple(paths.split("+")) for paths in _of_kind(names, "compound"))
        tables = self._stream("SELECT name FROM sqlite_master WHERE type='table'")
        self._items = tuple(ItemIndex.all_of(self.name, [name for (name,) in tables]))
        self._known_schema = version

    def _index_irregular(self, path: str, sql: PathSql) -> None:
        """Index the documents that SQL cannot judge at a path: mostly none."""
        self._run(
            f'CREATE INDEX IF NOT EXISTS "{self._index_name(path, "irregular")}" '
            f"ON {self._table} (id) WHERE {sql.irregular}"
        )

    def _index_name(self, path: str, kind: str) -> str:
        return f"{self.name}:{path}:{kind}"

    def _run(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        connection = self.database.connection()
        try:
            return connection.execute(sql, parameters)
        except sqlite3.IntegrityError as error:
            raise DuplicateValueError(
                f"A document breaks a unique index of the collection {self.name} in {self.database.path} "
                f"({error}): nothing of this update was stored."
            ) from error
        except UnicodeEncodeError as error:
            raise StoreError(f"A text in the document is not valid Unicode ({error.reason}).") from error
        except sqlite3.Error as error:
            raise explain(error, self.database.path) from error

    def _stream(self, sql: str, parameters: Sequence[Any] = ()) -> Generator[tuple[Any, ...], None, None]:
        """Yield the rows of a query; a failure on the way is one sentence, too."""
        rows = self._run(sql, parameters)
        try:
            yield from rows
        except sqlite3.Error as error:
            raise explain(error, self.database.path) from error
        finally:
            rows.close()

    def _plan(self, criteria: Mapping[str, Any] | None, sort: SortFields) -> tuple[Condition, str | None]:
        """Write the SQL condition and the SQL order; the order is None if Python has to sort."""
        indexed = self.indexed_paths()
        wanted = paths_in(criteria)
        regular = {path for path in wanted & indexed if self._is_regular(path)}
        condition = self._condition(criteria, regular, sort)
        order: list[str] = []
        for path, direction in sort:
            sql = path_sql(path)
            if sql is None:
                return condition, None
            if path not in regular and not self._is_regular(path, None if path in indexed else condition):
                return condition, None
            word = "" if direction >= 0 else " DESC"
            if not (path in regular and has_one_rank(criteria, path)):
                order.append(f"{sql.rank}{word}")
            order.append(f"{sql.value}{word}")
        # An index that is walked backwards gives ties backwards, too.
        return condition, ", ".join([*order, "id DESC" if _is_downward(sort) else "id"])

    def _condition(self, criteria: Mapping[str, Any] | None, regular: set[str], sort: SortFields) -> Condition:
        """Write the SQL condition, with the indexes on items of lists where they serve."""
        rest = dict(criteria or {})
        found: list[Condition] = []
        is_rare = False
        for index in self._items:
            parts = index.split(rest.get(index.path)) if index.path in rest else None
            if parts is None:
                continue
            del rest[index.path]
            leads = not sort
            if parts.all_of:
                is_rare = index.is_rare(parts.all_of, self._stream) or is_rare
                leads = leads or is_rare
            found.append(index.condition(parts, self._table, leads=leads))
        others = condition_from_criteria(rest, regular, self._compound)
        if is_rare:
            others = without_index(others)
        return combine([*found, others], conjoin=True) if found else others

    def _is_regular(self, path: str, among: Condition | None = None) -> bool:
        """Tell whether SQL can judge every document at this path: by its index, or among those that match."""
        sql = path_sql(path)
        if sql is None:
            return False
        if among is None:
            query = f'SELECT 1 FROM {self._table} INDEXED BY "{self._index_name(path, "irregular")}" '
            return not list(self._stream(f"{query} WHERE {sql.irregular} LIMIT 1"))
        query = f"SELECT 1 FROM {self._table} WHERE {among.sql} AND {sql.irregular} LIMIT 1"
        return not list(self._stream(query, among.parameters))

    def _sort_in_python(self, condition: Condition, matches: Predicate, sort: SortFields) -> list[int]:
        fields = [(split_path(path), direction < 0) for path, direction in sort]
        ties = "DESC" if _is_downward(sort) else "ASC"
        sql = f"SELECT id, body FROM {self._table} WHERE {condition.sql} ORDER BY id {ties}"
        rows = self._stream(sql, condition.parameters)
        keyed: list[tuple[int, list[OrderKey]]] = []
        for row_id, body in rows:
            document = decode(body)
            if matches(document):
                keys = [sort_key_at(document, parts, descending=descending) for parts, descending in fields]
                keyed.append((row_id, keys))
        for position, (_, descending) in reversed(list(enumerate(fields))):
            keyed.sort(key=_at(position), reverse=descending)
        return [row_id for row_id, _ in keyed]

    def _read(self, ids: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Read documents page by page, in the order of the ids."""
        for start in range(0, len(ids), PAGE_SIZE):
            page = ids[start : start + PAGE_SIZE]
            marks = ",".join("?" * len(page))
            with self.database.reading():
                bodies = dict(self._stream(f"SELECT id, body FROM {self._table} WHERE id IN ({marks})", page))
            yield from (decode(bodies[row_id]) for row_id in page if row_id in bodies)

    def _replace_one(self, criteria: Mapping[str, Any], document: Mapping[str, Any]) -> None:
        found = self._find_first(criteria)
        if found is None:
            body = encode({"_id": document.get("_id") or ObjectId(), **_without_id(document)})
            self._run(f"INSERT INTO {self._table} (body) VALUES (?)", (body,))
            return
        row_id, old = found
        if "_id" in document and order_key(document["_id"]) != order_key(old["_id"]):
            raise StoreError(
                f"The _id of a stored document cannot be changed (from {old['_id']} to {document['_id']} in "
                f"{self.name}): leave it out of the update."
            )
        body = encode({"_id": old["_id"], **_without_id(document)})
        self._run(f"UPDATE {self._table} SET body=? WHERE id=?", (body, row_id))

    def _replace_by_text(self, field: str, documents: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
        """Do what `_replace_one` does for all, with one look-up: each criteria asks for one text at one path."""
        wanted = {criteria[field] for criteria, _ in documents}
        condition = condition_from_criteria({field: {"$in": sorted(wanted)}}, {field})
        sql = path_sql(field)
        assert sql is not None  # only such paths are indexed
        rows = self._stream(
            f"SELECT {sql.value} FROM {self._table} WHERE {condition.sql}",
            condition.parameters,
        )
        known = {text for (text,) in rows}
        new: list[str] = []
        for criteria, document in documents:
            if criteria[field] in known:
                # What is there already, from before or from this batch, is replaced in its turn.
                self._insert(new)
                new = []
                self._replace_one(criteria, document)
            else:
                new.append(encode({"_id": document.get("_id") or ObjectId(), **_without_id(document)}))
                known.add(criteria[field])
        self._insert(new)

    def _insert(self, bodies: Sequence[str]) -> None:
        for body in bodies:
            self._run(f"INSERT INTO {self._table} (body) VALUES (?)", (body,))

    def _find_first(self, criteria: Mapping[str, Any]) -> tuple[int, dict[str, Any]] | None:
        matches = compile_criteria(criteria)
        condition, _ = self._plan(criteria, ())
        # Without ORDER BY the index on the key is used; ties are rare and settled here.
        rows = self._stream(f"SELECT id, body FROM {self._table} WHERE {condition.sql}", condition.parameters)
        found = ((row_id, decode(body)) for row_id, body in rows)
        return min(((row_id, document) for row_id, document in found if matches(document)), key=_first, default=None)


class DuplicateValueError(StoreError):
    """A document shares a value with another one where an index wants them different."""


def _common_text_field(criteria: Sequence[Mapping[str, Any]]) -> str | None:
    """Find the one field that every criteria asks a plain text of; None where they differ, or for a single one."""
    if len(criteria) < 2 or any(len(entry) != 1 for entry in criteria):
        return None
    field = next(iter(criteria[0]))
    if field.startswith("$"):
        return None
    plain = all(isinstance(entry.get(field), str) and "\x00" not in entry[field] for entry in criteria)
    return field if plain else None


def _of_kind(names: Sequence[str], kind: str) -> list[str]:
    """List what indexes of a kind are on."""
    return [name.removesuffix(f":{kind}") for name in names if name.endswith(f":{kind}")]


def _is_downward(sort: SortFields) -> bool:
    return bool(sort) and sort[-1][1] < 0


def _at(position: int) -> Callable[[tuple[int, list[OrderKey]]], OrderKey]:
    return lambda entry: entry[1][position]


def _first(entry: tuple[int, dict[str, Any]]) -> int:
    return entry[0]


def _without_id(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "_id"}
