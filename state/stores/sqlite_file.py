"""One SQLite file of ours: whose it is, its transactions, and what its errors mean."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.stores.base import StoreBusyError, StoreError
from state.stores.sqlite_schema import APPLICATION_ID, LAYOUTS, SCHEMA_VERSION

# One statement, because another process may be laying out the tables between two.
_WHOSE = """
    SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
    FROM pragma_application_id, pragma_user_version
"""

_NEWEST_END = """
    SELECT "end" FROM event WHERE model = ? AND model_version = ? ORDER BY "end" DESC LIMIT 1
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
            # A pool lends one connection to many threads, one after the other.
            self.connection = sqlite3.connect(
                path.absolute(), timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
            )
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
        """Check whose file it is, lay out a new one, and bring an old one up to date."""
        version = self._version()
        self._use_log()
        if version == SCHEMA_VERSION:
            return
        with self.transaction():
            # Another process may have been first.
            for layout in LAYOUTS[self._version() :]:
                for statement in layout:
                    self.connection.execute(statement)
            self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _version(self) -> int:
        """Return the version of our tables in the file; 0 for an empty one."""
        application, version, tables = self.connection.execute(_WHOSE).fetchone()
        if application == APPLICATION_ID:
            if not 1 <= version <= SCHEMA_VERSION:
                raise StoreError(
                    f"store {self._path}: its tables have version {version}, this program reads 1 to "
                    f"{SCHEMA_VERSION}: use the release that wrote it, or name another file"
                )
            return int(version)
        if application or version or tables:
            raise StoreError(
                f"store {self._path}: it is a database of another program (application_id {application}, "
                f"{tables} tables and indexes): name another file"
            )
        return 0

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


def newest_end(file: SqliteFile, model: str, model_version: str) -> int | None:
    """Return the largest end of a model version's events: what the age of things is counted from."""
    row = file.connection.execute(_NEWEST_END, (model, model_version)).fetchone()
    return None if row is None else int(row[0])
