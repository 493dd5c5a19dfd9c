import errno
import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from bytewax.outputs import StatefulSinkPartition
from hypothesis import given
from hypothesis import strategies as st

from flows.patience import FIRST_PAUSE_S, LONGEST_PAUSE_S
from flows.sinks.jsonl import JsonlFile, SinkError
from flows.sinks.store import StoreItem, StoreSink
from state.stores.base import Point, Store, StoreBusyError, StoredEvent, StoreError
from state.stores.memory import MemoryStore
from state.stores.sqlite import SqliteStore
from tests.contracts.store_values import a_key, a_pane, an_episode, an_event

LINES = [b'{"n":%d}' % number for number in range(12)]
TEXT = b"".join(line + b"\n" for line in LINES)


def write_lines(path: Path, lines: Sequence[bytes], resume: int | None = None) -> int:
    """Write, snapshot, close."""
    with closing(JsonlFile(path, resume)) as file:
        file.write(lines)
        return file.snapshot()


def test_lines_are_in_the_file_when_write_returns(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with closing(JsonlFile(path, None)) as file:
        assert file.snapshot() == 0
        file.write(LINES[:2])
        assert path.read_bytes() == b'{"n":0}\n{"n":1}\n'
        file.write([])
        file.write(LINES[2:])
        assert path.read_bytes() == TEXT
        assert file.snapshot() == len(TEXT)


def test_new_file_drops_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"something longer than a line\n")
    assert write_lines(path, LINES[:1]) == 8
    assert path.read_bytes() == b'{"n":0}\n'


@given(cut=st.integers(0, len(LINES)), torn=st.binary(max_size=30))
def test_resume_drops_what_an_unfinished_epoch_wrote(
    tmp_path_factory: pytest.TempPathFactory, cut: int, torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("resume") / "events.jsonl"
    offset = write_lines(path, LINES[:cut])
    with path.open("ab") as file:
        file.write(torn)
    assert write_lines(path, LINES[cut:], resume=offset) == len(TEXT)
    assert path.read_bytes() == TEXT


def test_snapshot_syncs_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    with closing(JsonlFile(tmp_path / "events.jsonl", None)) as file:
        monkeypatch.setattr(os, "fsync", synced.append)
        file.write(LINES[:1])
        assert file.snapshot() == file.snapshot() == 8
        assert synced == [file._file]
        file.write(LINES[1:2])
        assert file.snapshot() == 16
    assert synced == [file._file] * 2


def test_shorter_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"n":0}\n')
    with pytest.raises(
        SinkError, match=r"events\.jsonl has 8 bytes, and 16 were written.*was changed: put it back"
    ):
        JsonlFile(path, 16)
    assert path.read_bytes() == b'{"n":0}\n'


def test_file_that_is_gone_is_refused_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with pytest.raises(SinkError, match=r"has 0 bytes, and 16 were written"):
        JsonlFile(path, 16)
    assert not path.exists()


def test_empty_snapshot_of_a_file_that_is_gone_is_the_same_as_an_empty_file(tmp_path: Path) -> None:
    assert write_lines(tmp_path / "events.jsonl", LINES, resume=0) == len(TEXT)


def test_file_with_other_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"n":1000}\n' * 5)
    with pytest.raises(SinkError, match="no line ends at byte 16, where the last snapshot was taken"):
        JsonlFile(path, 16)
    assert path.read_bytes() == b'{"n":1000}\n' * 5


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"events\.jsonl cannot be opened: No such file or directory"):
        JsonlFile(tmp_path / "nowhere" / "events.jsonl", None)


@pytest.mark.parametrize("path", [Path("/dev/null"), Path("/")])
def test_what_cannot_be_cut_is_refused(path: Path) -> None:
    with pytest.raises(SinkError, match="is not a plain file"):
        JsonlFile(path, None)


def test_line_with_a_line_end_refuses_all(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with closing(JsonlFile(path, None)) as file:
        with pytest.raises(ValueError, match="a line holds a line end"):
            file.write([b"{}", b"{\n}"])
        assert path.read_bytes() == b""


def test_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    real = os.pwrite
    room = [10]

    def pwrite(file: int, data: bytes, offset: int) -> int:
        # What POSIX does when the disk fills up: first a short write, then ENOSPC.
        if room[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(file, data[: room[0]], offset)
        room[0] -= written
        return written

    with closing(JsonlFile(path, None)) as file:
        file.write(LINES[:1])
        monkeypatch.setattr(os, "pwrite", pwrite)
        with pytest.raises(SinkError, match=r"cannot be written: No space left on device"):
            file.write(LINES[1:3])
        assert path.read_bytes() == b'{"n":0}\n'
        assert file.snapshot() == 8
        room[0] = 1000
        file.write(LINES[1:3])
        assert path.read_bytes() == b'{"n":0}\n{"n":1}\n{"n":2}\n'


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: real(file, data[:5], offset))
    assert write_lines(tmp_path / "events.jsonl", LINES) == len(TEXT)
    assert (tmp_path / "events.jsonl").read_bytes() == TEXT


EVENTS = [an_event(str(number), end=number // 2) for number in range(5)]
POINTS = [Point(a_key(), number, number / 4) for number in range(5)]


class BusyStore(MemoryStore):
    """Is busy for its first calls."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals
        self.closed = False

    def add_events(self, events: Iterable[StoredEvent]) -> int:
        if self.refusals:
            self.refusals -= 1
            raise StoreBusyError("held by another")
        return super().add_events(events)

    def close(self) -> None:
        self.closed = True


def build(sink: StoreSink) -> StatefulSinkPartition[StoreItem | Sequence[StoreItem], None]:
    return sink.build_part("out", sink.list_parts()[0], None)


def test_store_sink_has_one_named_part_and_closes_its_store() -> None:
    store = BusyStore(0)
    sink = StoreSink(lambda: store, part="verdicts")
    assert sink.list_parts() == ["verdicts"]
    part = build(sink)
    part.write_batch([EVENTS[0], [POINTS[0], a_pane(1), an_episode("d")]])
    assert part.snapshot() is None
    assert store.episodes("fraud") == [an_episode("d")]
    assert store.panes("fraud", "1", "amount") == [a_pane(1)]
    assert store.events("fraud") == [EVENTS[0]]
    part.close()
    assert store.closed


def test_points_are_committed_before_events() -> None:
    store = BusyStore(1)
    seen: list[list[tuple[int, float]]] = []
    part = build(StoreSink(lambda: store, sleep=lambda _: seen.append(store.series(a_key()))))
    part.write_batch([EVENTS[0], POINTS[0]])
    assert seen == [[(0, 0.0)]]


def test_busy_store_is_tried_again_with_growing_pauses() -> None:
    store = BusyStore(3)
    slept: list[float] = []
    waits: list[str] = []
    sink = StoreSink(lambda: store, sleep=slept.append, on_wait=lambda: waits.append("waits"))
    build(sink).write_batch([EVENTS[0]])
    assert slept == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert len(waits) == 3
    assert store.events("fraud") == [EVENTS[0]]


def test_store_that_stays_away_is_waited_for_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    store = BusyStore(1000)
    slept: list[float] = []
    sink = StoreSink(lambda: store, sleep=slept.append, clock=lambda: sum(slept))
    build(sink).write_batch([EVENTS[0]])
    assert len(slept) == 1000
    assert max(slept) == LONGEST_PAUSE_S
    assert store.events("fraud") == [EVENTS[0]]
    lines = [record.getMessage() for record in caplog.records]
    assert any("waits for the store" in line and "held by another" in line for line in lines)
    assert "goes on after" in lines[-1]
    # A line a minute at the most, over hours.
    assert len(lines) < sum(slept) / 60 + 10


def test_store_that_is_busy_while_it_is_opened_is_tried_again() -> None:
    slept: list[float] = []

    def open_store() -> Store:
        if not slept:
            raise StoreBusyError("held by another")
        return MemoryStore()

    build(StoreSink(open_store, sleep=slept.append))
    assert slept == [FIRST_PAUSE_S]


def test_other_errors_of_the_store_are_not_tried_again() -> None:
    slept: list[float] = []
    part = build(StoreSink(MemoryStore, sleep=slept.append))
    with pytest.raises(StoreError, match="finite"):
        part.write_batch([Point(a_key(), 1, float("nan"))])
    assert slept == []


def test_locked_sqlite_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as holder:
        holder._file.connection.execute("BEGIN IMMEDIATE")

        def sleep(_: float) -> None:
            holder._file.connection.execute("COMMIT")

        part = build(StoreSink(lambda: SqliteStore(path, busy_timeout_s=0.01), sleep=sleep))
        part.write_batch([EVENTS[0]])
        part.close()
        assert holder.events("fraud") == [EVENTS[0]]


@pytest.mark.parametrize("wrong", [None, [None], ["event"]])
def test_item_of_another_type_is_a_bug_and_not_dropped(wrong: StoreItem) -> None:
    with pytest.raises((TypeError, AssertionError)):
        build(StoreSink(MemoryStore)).write_batch([wrong])
