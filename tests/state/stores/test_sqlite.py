import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import rule

from state.stores.base import KEEP_ALL, Keeping, Point, Store, StoreBusyError, StoredEvent, StoreError
from state.stores.sqlite import SqliteStore
from state.stores.sqlite_schema import SCHEMA_VERSION
from tests.conftest import Golden
from tests.contracts.store import StoreContract
from tests.contracts.store_machine import FEW, StoreMachine
from tests.contracts.store_values import a_key, a_reference, an_event, from_start, starting


class TestSqliteStore(StoreContract):
    def open_store(self, folder: Path, keeping: Keeping = KEEP_ALL) -> Store:
        return SqliteStore(folder / "store.db", keeping=keeping)


class SqliteMachine(StoreMachine):
    def open_store(self) -> Store:
        self.folder = tempfile.TemporaryDirectory()
        return SqliteStore(Path(self.folder.name) / "store.db", keeping=FEW)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SqliteStore(Path(self.folder.name) / "store.db", keeping=FEW)

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


TestSqliteBesideTheModel = SqliteMachine.TestCase
TestSqliteBesideTheModel.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_reopening_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as store:
        store.put_reference(a_reference())
        store.activate("fraud", "1", from_start("v1"))
        store.add_events([an_event("a")])
        store.add_points([Point(a_key(), 1, 0.5)])
    with closing(SqliteStore(path)) as store:
        assert store.reference("fraud", "v1") == a_reference()
        assert store.activations("fraud", "1") == (from_start("v1"),)
        assert store.events("fraud") == [an_event("a")]
        assert store.series(a_key()) == [(1, 0.5)]


def test_file_of_the_first_layout_is_brought_up_to_date(tmp_path: Path, golden: Golden) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(golden("store.v1.sqlite", lambda: pytest.fail("only the first release writes it")))
    for _ in range(2):
        with closing(SqliteStore(path)) as store:
            assert store.references() == [a_reference("v1").info, a_reference("v2", created_ms=2).info]
            assert store.events("fraud") == [an_event("a")]
            assert store.series(a_key()) == [(1, 0.5)]
            # What was active for the whole model is so for each of its versions.
            assert store.activations("fraud", "1") == (from_start("v1"),)
            assert store.activations("fraud", "7") == (from_start("v1"),)
            assert store.activated_versions("fraud") == []
    with closing(SqliteStore(path)) as store:
        store.activate("fraud", "1", starting("v2", 5))
        store.activate("fraud", "2", from_start("v2"))
        assert store.activations("fraud", "1") == (from_start("v1"), starting("v2", 5))
        assert store.activations("fraud", "2") == (from_start("v2"),)
        assert store.activations("fraud", "3") == (from_start("v1"),)


@pytest.mark.crash
def test_what_a_call_stored_survives_kill_9(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from state.stores.sqlite import SqliteStore
from tests.contracts.store_values import an_event
store = SqliteStore(Path(sys.argv[1]))
for number in range(20):
    store.add_events([an_event(str(number), end=number)])
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "store.db"], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        assert store.events("fraud") == [an_event(str(number), end=number) for number in range(20)]


def test_tables_and_settings_are_as_promised(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as store:
        connection = store._file.connection
        # 1 is NORMAL: https://sqlite.org/pragma.html#pragma_synchronous
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        tables = connection.execute("SELECT name, strict, wr FROM pragma_table_list WHERE schema = 'main'")
        strict = {
            name: (strict, without_rowid) for name, strict, without_rowid in tables if "sqlite" not in name
        }
    assert strict == {
        "reference": (1, 0),
        "active_reference": (1, 1),
        "acknowledgement": (1, 1),
        "activation": (1, 1),
        "alert_claim": (1, 1),
        "alert_progress": (1, 0),
        "episode": (1, 0),
        "event": (1, 0),
        "notice": (1, 0),
        "pane": (1, 0),
        "series": (1, 0),
        "point": (1, 1),
    }


def test_events_of_a_span_are_found_by_index(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        statements: list[str] = []
        connection = store._file.connection
        connection.set_trace_callback(statements.append)
        store.events("fraud", feature="amount", start=1, end=5, limit=3)
        connection.set_trace_callback(None)
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {statements[0]}").fetchall())
    assert "SEARCH event USING INDEX event_by_end (model=? AND end>? AND end<?)" in plan
    assert "TEMP B-TREE" not in plan


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere/store\.db: the folder .*nowhere does not exist"):
        SqliteStore(tmp_path / "nowhere" / "store.db")


def test_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"{tmp_path}: unable to open database file"):
        SqliteStore(tmp_path)


def test_memory_name_is_a_file_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    SqliteStore(Path(":memory:")).close()
    assert (tmp_path / ":memory:").stat().st_size > 0


def test_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"model,amount\n" * 100)
    with pytest.raises(StoreError, match=r"store\.db: file is not a database: name another file"):
        SqliteStore(path)
    assert path.read_bytes() == b"model,amount\n" * 100


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as store:
        store.add_events(an_event(str(number), body=b"x" * 1000) for number in range(100))
    data = path.read_bytes()
    # The first page holds the header, https://sqlite.org/fileformat.html
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    # The list of tables takes more than one page, so that it is missed when the file is opened.
    with pytest.raises(StoreError, match=r"store\.db: .*malformed: restore"):
        SqliteStore(path)


def test_newer_tables_are_refused_by_version(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 8")
    with pytest.raises(StoreError, match=r"store\.db: its tables have version 8, this program reads 1 to 7"):
        SqliteStore(path)


def test_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE event (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="database of another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_busy_store_says_so_and_takes_the_call_later(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as holder, closing(SqliteStore(path, busy_timeout_s=0.01)) as store:
        with holder._file.transaction():
            with pytest.raises(StoreBusyError, match=r"store\.db: database is locked: another process"):
                store.add_events([an_event("a")])
            assert store.events("fraud") == []
        assert store.add_events([an_event("a")]) == 1


def test_two_writers_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as one, closing(SqliteStore(path)) as two:
        assert one.add_events([an_event("a")]) == 1
        assert two.add_events([an_event("a"), an_event("b")]) == 1
        two.add_points([Point(a_key(), 1, 1.0)])
        one.add_points([Point(a_key(), 1, 2.0)])
        assert one.events("fraud") == two.events("fraud") == [an_event("a"), an_event("b")]
        assert two.series(a_key()) == [(1, 2.0)]


def test_new_file_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def open_and_write(path: Path, barrier: threading.Barrier, name: str) -> None:
        barrier.wait()
        try:
            with closing(SqliteStore(path)) as store:
                store.add_events([an_event(name)])
        except StoreError as error:
            failures.append(error)

    for turn in range(10):
        path = tmp_path / f"{turn}.db"
        barrier = threading.Barrier(4)
        threads = [threading.Thread(target=open_and_write, args=(path, barrier, name)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        with closing(SqliteStore(path)) as store:
            assert sorted(event.id for event in store.events("fraud")) == list("abcd")


def test_new_file_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, holder.execute, ["COMMIT"])
        release.start()
        with closing(SqliteStore(path)) as store:
            assert store.add_events([an_event("a")]) == 1
        release.join()


def test_block_that_fails_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store.db")) as store:

        def fail_in_the_middle() -> None:
            with store._file.transaction():
                store._file.connection.execute("INSERT INTO activation VALUES ('fraud', '1', 0, 'v1', NULL)")
                raise KeyError

        with pytest.raises(KeyError):
            fail_in_the_middle()
        assert store.activations("fraud", "1") == ()
        assert store.add_events([an_event("a")]) == 1


def test_full_disk_keeps_nothing_of_the_call(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        store.add_events([an_event("a")])
        pages = store._file.connection.execute("PRAGMA page_count").fetchone()[0]
        # SQLite answers with SQLITE_FULL as it does on a full disk: https://sqlite.org/pragma.html#pragma_max_page_count
        store._file.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(
            StoreError, match=r"store\.db: database or disk is full: nothing of this call"
        ) as caught:
            store.add_events([an_event("b"), an_event("c", body=b"x" * 100_000)])
        assert not isinstance(caught.value, StoreBusyError)
        assert store.events("fraud") == [an_event("a")]
        assert store.add_events([an_event("d")]) == 1


def test_threads_may_use_one_connection_one_after_the_other(tmp_path: Path) -> None:
    found: list[StoredEvent] = []
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        store.add_events([an_event("a")])
        thread = threading.Thread(target=lambda: found.extend(store.events("fraud")))
        thread.start()
        thread.join()
    assert found == [an_event("a")]
