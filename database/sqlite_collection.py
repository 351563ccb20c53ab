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
from .mongo_sql import Condition, condition_from_criteria, has_one_rank, path_sql, paths_in
from .sqlite_connection import SqliteDatabase, explain
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
                page_size = PAGE_SIZE
                if condition.is_exact:
                    source += f" LIMIT {limit or -1} OFFSET {skip}"
                    skip, stop = 0, None
                elif stop is not None:
                    # Candidates are mostly matches; read a few more than asked for.
                    page_size = min(PAGE_SIZE, stop + 6)
                rows = self._stream(f"SELECT body {source}", condition.parameters)
                bodies = [body for (body,) in islice(rows, page_size)]
                rows.close()
                found = list(filter(matches, map(decode, bodies)))
                rest = []
                if len(bodies) == page_size and (stop is None or len(found) < stop):
                    ids = self._stream(f"SELECT id {source}", condition.parameters)
                    rest = [row_id for (row_id,) in islice(ids, page_size, None)]
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
        if not unique and path in self.indexed_paths():
            # Opening a store asks for all its indexes; no lock is needed to find them there.
            return True
        try:
            with self.database.writing():
                self._run(
                    f'CREATE INDEX IF NOT EXISTS "{self._index_name(path, "values")}" '
                    f"ON {self._table} ({sql.rank}, {sql.value})"
                )
                self._run(
                    f'CREATE INDEX IF NOT EXISTS "{self._index_name(path, "irregular")}" '
                    f"ON {self._table} (id) WHERE {sql.irregular}"
                )
                if unique:
                    self._run(
                        f'CREATE UNIQUE INDEX IF NOT EXISTS "{self._index_name(path, "unique")}" '
                        f"ON {self._table} ({sql.rank}, ifnull({sql.value},0))"
                    )
        except DuplicateValueError:
            return False
        return True

    def indexed_paths(self) -> frozenset[str]:
        """List the indexed fields.

        Returns
        -------
        frozenset of str
            Dotted paths.
        """
        ((version,),) = self._stream("PRAGMA schema_version")
        if version != self._known_schema:
            prefix, suffix = f"{self.name}:", ":irregular"
            table = f"documents_{self.name}"
            names = self._stream("SELECT name FROM sqlite_master WHERE type='index' AND tbl_name=?", (table,))
            self._indexed = frozenset(
                name[len(prefix) : -len(suffix)]
                for (name,) in names
                if name.startswith(prefix) and name.endswith(suffix)
            )
            self._known_schema = version
        return self._indexed

    # -- inside ----------------------------------------------------------------------------------------------

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
        condition = condition_from_criteria(criteria, regular)
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


def _is_downward(sort: SortFields) -> bool:
    return bool(sort) and sort[-1][1] < 0


def _at(position: int) -> Callable[[tuple[int, list[OrderKey]]], OrderKey]:
    return lambda entry: entry[1][position]


def _first(entry: tuple[int, dict[str, Any]]) -> int:
    return entry[0]


def _without_id(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "_id"}
