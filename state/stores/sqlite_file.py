"""One SQLite file of ours: its schema, its transactions, and what its errors mean."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.stores.base import StoreBusyError, StoreError

SCHEMA_VERSION = 1
"""Layout of the tables, kept in `PRAGMA user_version`."""

_APPLICATION_ID = int.from_bytes(b"DFLO", "big")
"""Marks the file as ours in `PRAGMA application_id`, so that no other program's database is written to."""

_SCHEMA = (
    """
    CREATE TABLE reference (
        model TEXT NOT NULL, version TEXT NOT NULL, created_ms INTEGER NOT NULL, rows INTEGER NOT NULL,
        start_ms INTEGER, end_ms INTEGER, source TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (model, version)
    ) STRICT
    """,
    "CREATE TABLE active_reference (model TEXT PRIMARY KEY, version TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """
    CREATE TABLE event (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, model TEXT NOT NULL,
        model_version TEXT NOT NULL, "window" TEXT NOT NULL, feature TEXT, episode TEXT,
        "end" INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT
    """,
    'CREATE INDEX event_by_end ON event (model, "end", position)',
    """
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, model TEXT NOT NULL, model_version TEXT NOT NULL, "window" TEXT NOT NULL,
        feature TEXT NOT NULL, segment TEXT NOT NULL, metric TEXT NOT NULL,
        UNIQUE (model, model_version, "window", feature, segment, metric)
    ) STRICT
    """,
    """
    CREATE TABLE point (
        series INTEGER NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, time)
    ) STRICT, WITHOUT ROWID
    """,
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)

# One statement, because another process may be laying out the tables between two.
_WHOSE = """
    SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
    FROM pragma_application_id, pragma_user_version
"""

_LOG_TRIES = 20
_BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_HINTS = {
    sqlite3.SQLITE_BUSY: "another process is writing to it; try again when it has finished",
    sqlite3.SQLITE_LOCKED: "another process is writing to it; try again when it has finished",
    sqlite3.SQLITE_FULL: "nothing of this call was kept; free space and start again",
    sqlite3.SQLITE_NOTADB: "name another file, or move this one away",
    sqlite3.SQLITE_CORRUPT: "restore it from a copy, or move it away",
}


class SqliteFile:
    """An open connection to a file that has our tables; `state.stores.sqlite.SqliteStore` says the rest.

    Attributes
    ----------
    connection
        In autocommit mode: a statement outside `transaction` is one of its own.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self._path = path
        if not path.parent.is_dir():
            raise StoreError(f"store {path}: the folder {path.parent} does not exist: create it first")
        with self.errors():
            # Absolute, because SQLite takes ":memory:" for something else than a file.
            self.connection = sqlite3.connect(path.absolute(), timeout=busy_timeout_s, isolation_level=None)
        try:
            with self.errors():
                self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        """Close the file; called once."""
        with self.errors():
            self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all of the block or nothing."""
        with self.errors():
            # A transaction that begins as a reader cannot wait for another writer.
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after some errors, a full disk among them.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what the database could not do into errors of the store; wrong use of it stays as it is."""
        try:
            yield
        except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
            raise
        except sqlite3.Error as error:
            # The low byte is the primary code (https://sqlite.org/rescode.html).
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            hint = _HINTS.get(code, "check that the file and its folder can be written")
            kind = StoreBusyError if code in _BUSY_CODES else StoreError
            raise kind(f"store {self._path}: {error}: {hint}") from error

    def _prepare(self) -> None:
        """Check whose file it is, and lay out a new one."""
        if self._is_ours():
            self._use_log()
            return
        self._use_log()
        with self.transaction():
            # Another process may have been first.
            if not self._is_ours():
                for statement in _SCHEMA:
                    self.connection.execute(statement)

    def _is_ours(self) -> bool:
        """Return whether the file has our tables; False for an empty one."""
        application, version, tables = self.connection.execute(_WHOSE).fetchone()
        if application == _APPLICATION_ID:
            if version != SCHEMA_VERSION:
                raise StoreError(
                    f"store {self._path}: its tables have version {version}, this program reads "
                    f"{SCHEMA_VERSION}: use the release that wrote it, or name another file"
                )
            return True
        if application or version or tables:
            raise StoreError(
                f"store {self._path}: it is a database of another program (application_id {application}, "
                f"{tables} tables and indexes): name another file"
            )
        return False

    def _use_log(self) -> None:
        mode = self._journal_mode()
        if mode != "wal":
            raise StoreError(
                f"store {self._path}: the file system allows no write-ahead log (journal mode is {mode}): "
                "put the file on a local disk"
            )
        self.connection.execute("PRAGMA synchronous = NORMAL")

    def _journal_mode(self) -> str:
        """Turn the write-ahead log on; return the mode that is in force then."""
        for _ in range(_LOG_TRIES):
            try:
                return str(self.connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _BUSY_CODES:
                    raise
            # Of two processes that open a new file, one is refused at once, whatever the time-out; a
            # transaction that wants the file to itself does wait.
            self.connection.execute("BEGIN EXCLUSIVE")
            self.connection.execute("COMMIT")
        return str(self.connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
