"""Connections to the embedded store's file: one per process and thread, durable, patient."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from ..errors import StoreError
from .file_system import file_system_of, is_network_file_system

APPLICATION_ID = 0x53504E31
"""Marks the file as a superion store ("SPN1")."""

SCHEMA_VERSION = 1
"""Version of the tables; a file with a greater one was written by a newer superion."""

OLDEST_SQLITE = (3, 38, 0)
"""The first SQLite whose JSON functions are always there."""

_SERVER_ADVICE = (
    "keep the project on a local disk, or let SUPERION_STORE name a MongoDB server such as mongodb://host/database"
)

Result = TypeVar("Result")


class SqliteDatabase:
    """The file of an embedded store.

    Nothing is opened before the first use.  Every thread of every process gets its own connection;
    a process that was forked opens new ones, for SQLite's cannot be carried over a fork.

    Parameters
    ----------
    path : str or Path
        The file; created when missing, in a folder that must exist.
    timeout_s : float
        How long to wait for other writers, in s.
    file_system : callable
        path -> kind of file system; replaced in tests.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        timeout_s: float = 60.0,
        file_system: Callable[[Path], str] = file_system_of,
    ) -> None:
        self.path = Path(path)
        self.timeout_s = timeout_s
        self._file_system = file_system
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[tuple[int, sqlite3.Connection]] = []

    def connection(self) -> sqlite3.Connection:
        """Give this thread's connection, opening it where needed.

        Returns
        -------
        sqlite3.Connection
            In autocommit mode; transactions are begun explicitly.

        Raises
        ------
        StoreError
            If the file cannot be opened, is no superion store, or lies on a network file system.
        """
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None and self._local.process_id == os.getpid():
            return connection
        connection = self._open()
        self._local.connection = connection
        self._local.process_id = os.getpid()
        with self._lock:
            # Connections of a parent process stay referenced: closing them here would break its locks.
            self._opened.append((os.getpid(), connection))
        return connection

    def close(self) -> None:
        """Close all connections of this process."""
        with self._lock:
            mine = [connection for process_id, connection in self._opened if process_id == os.getpid()]
            self._opened = [entry for entry in self._opened if entry[0] != os.getpid()]
        for connection in mine:
            with suppress(sqlite3.Error):
                # Renew the statistics of the indexes where they are out of date and nobody else is writing.
                connection.execute("PRAGMA busy_timeout=100")
                connection.execute("PRAGMA analysis_limit=400")
                connection.execute("PRAGMA optimize")
            connection.close()
        self._local = threading.local()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock for a block; commit at its end, roll back if it fails.

        Blocks may be nested; the outermost one commits.

        Yields
        ------
        sqlite3.Connection
            The connection, inside its transaction.
        """
        connection = self.connection()
        if connection.in_transaction:
            yield connection
            return
        self.patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
        try:
            yield connection
            self.patiently(lambda: connection.execute("COMMIT"))
        except BaseException:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold one unchanging view of the data for a block.

        Yields
        ------
        sqlite3.Connection
            The connection, inside a transaction that only reads.
        """
        connection = self.connection()
        if connection.in_transaction:
            yield connection
            return
        self.patiently(lambda: connection.execute("BEGIN"))
        try:
            yield connection
        finally:
            if connection.in_transaction:
                # Nothing was written; a failure to end the view says nothing that reading did not.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")

    def patiently(self, action: Callable[[], Result]) -> Result:
        """Repeat an action while another process holds the lock that it needs.

        Parameters
        ----------
        action : callable
            A single SQLite statement.

        Returns
        -------
        object
            What the action returns.

        Raises
        ------
        StoreError
            If it fails for another reason, or the lock is not given within `timeout_s`.
        """
        deadline = time.monotonic() + self.timeout_s
        pause_s = 0.005
        while True:
            try:
                return action()
            except sqlite3.Error as error:
                if not _is_busy(error):
                    raise explain(error, self.path) from error
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"The store {self.path} stayed locked by another process for {self.timeout_s:g} s: "
                        "end the process that holds it, or try again later."
                    ) from error
            time.sleep(pause_s * random.uniform(0.5, 1.5))
            pause_s = min(2 * pause_s, 0.25)

    def _open(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StoreError(
                f"The embedded store needs SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer, but this Python has "
                f"{sqlite3.sqlite_version}: use a newer Python, or let SUPERION_STORE name a MongoDB server."
            )
        kind = self._file_system(self.path)
        if is_network_file_system(kind):
            raise StoreError(
                f"The embedded store {self.path} would lie on a network file system ({kind}), where a write-ahead "
                f"log can lose data: {_SERVER_ADVICE}."
            )
        if not self.path.parent.is_dir():
            raise StoreError(f"The folder {self.path.parent} of the store {self.path.name} does not exist: create it.")
        if self.path.is_dir():
            raise StoreError(f"The store {self.path} is a folder: name a file, such as {self.path / 'superion.db'}.")
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(
                self.path, timeout=min(5.0, self.timeout_s), isolation_level=None, check_same_thread=False
            )
            self._prepare(connection)
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise explain(error, self.path) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Check what the file is, mark a new one, and set what makes writes durable."""

        def pragma(statement: str) -> Any:
            row = self.patiently(lambda: connection.execute(f"PRAGMA {statement}").fetchone())
            return row[0] if row else None

        self._check_owner(pragma("application_id"), pragma("user_version"), connection)
        if str(pragma("journal_mode=WAL")).lower() != "wal":
            raise StoreError(f"The disk under {self.path} does not allow a write-ahead log: {_SERVER_ADVICE}.")
        # FULL: a commit is on the disk before it is acknowledged, even if the power fails.
        pragma("synchronous=FULL")
        pragma("wal_autocheckpoint=2000")
        if pragma("application_id") != APPLICATION_ID:
            self.patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            # Another process may have been faster; both write the same.
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            self.patiently(lambda: connection.execute("COMMIT"))

    def _check_owner(self, application_id: int, version: int, connection: sqlite3.Connection) -> None:
        if application_id == APPLICATION_ID:
            if version > SCHEMA_VERSION:
                raise StoreError(
                    f"The store {self.path} has layout {version} and was written by a newer superion, while this one "
                    f"reads layouts up to {SCHEMA_VERSION}: update superion."
                )
            return
        is_empty = self.patiently(lambda: connection.execute("SELECT count(*) FROM sqlite_master").fetchone())[0] == 0
        if application_id or version or not is_empty:
            # A store that is being made this moment is marked by now.
            if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
                return
            raise StoreError(
                f"The file {self.path} is an SQLite database of another program: name another file for the store."
            )


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def explain(error: sqlite3.Error, path: Path) -> StoreError:
    """Say in one sentence what an SQLite error means for the user.

    Parameters
    ----------
    error : sqlite3.Error
        The error.
    path : Path
        File of the store.

    Returns
    -------
    StoreError
        To be raised in its place.
    """
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(f"The file {path} is not a superion store: name another file, or move this one away.")
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreError(f"The store {path} is damaged: restore it from a copy, or move it away to begin a new one.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StoreError(
            f"The store {path} cannot be opened for writing: make the file and its folder {path.parent} writable, "
            "or choose another folder."
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f"The disk under {path} is full: make room; nothing stored before is lost.")
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(f"The disk under {path} failed ({error}): check it; what was stored may still be read.")
    return StoreError(f"The store {path} refused a request ({error}).")
