"""driftflow state: what a recovery folder holds, and dropping it."""

import pickle
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from flows.kafka.reader import KafkaRecordReader
from flows.recovery import locked
from flows.recovery_facts import JoinFacts, PositionFacts, _join_facts, _position, read_folder
from flows.render.stored_state import ShownState, state_lines
from state.codec import pack
from state.durations import Axis
from state.halves import Halves
from state.join import LabelJoin, rows_held
from state.joined import JoinLimits
from tests.command_line import Call, caller
from tests.flows.fake_kafka import AT, FakeClient, FakeKafka


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch, 120)


@pytest.fixture
def config(call: Call, tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    options = ("--rows", 3_000, "--reference-rows", 1_000, "--files", 2)
    assert call("generate", "demo", "--out", tmp_path, *options).code == 0
    path.write_text(path.read_text() + "\nrecovery: {folder: snapshots}\n")
    assert call("reference", "build", path, tmp_path / "reference.jsonl").code == 0
    assert call("run", path).code == 0
    return path


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_show_tells_what_the_folder_holds_and_leaves_no_trace(call: Call, config: Path) -> None:
    folder = config.parent / "snapshots"
    before = files(folder)

    found = call("state", "show", config, "--json").json()

    assert files(folder) == before
    assert (found["holds_run"], found["model"], found["held"]) == (True, "demo/1", False)
    assert (found["fits"], found["changed"]) == (True, [])
    assert found["size"] == sum(size for size, _ in before.values())
    assert 0 <= found["snapshot_age_s"] < 60
    # The stream ends at 3,000 rows of 30 s from Monday 2026-01-05T00:00Z, dealt to two files in turn.
    start_ms = 1_767_571_200_000
    ends = {name: position["latest"] - start_ms for name, position in found["positions"].items()}
    assert ends == {"part-0.jsonl": 2_998 * 30_000, "part-1.jsonl": 2_999 * 30_000}
    assert all(position["ended"] for position in found["positions"].values())
    # 3,000 rows of 30 s are 25 hours, and a pane is 90 minutes: what the windows have in common.
    assert set(found["panes"].values()) == {17}
    assert len(found["panes"]) == 12
    told = call("state", "show", config)
    assert "fits the present configuration" in told.out
    assert "keeps 204 closed panes of 12 columns" in told.out
    assert "part-1.jsonl  up to 2026-01-06 00:59, read to its end" in told.out


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("size: 6h}", "size: 12h}", ['windows.every_6h.size ("6h" then, "12h" now)']),
        ("lateness: 0s", "lateness: 5m", ['time.lateness ("0s" then, "5m" now)']),
        (
            "  prediction:",
            "  # prediction:",
            [
                'columns.prediction.kind ("categorical" then, not there now)',
                'columns.prediction.role ("prediction" then, not there now)',
                'columns.prediction.path ("prediction" then, not there now)',
            ],
        ),
        ("name: demo", "name: demo\n  version: '2'", ["model (demo/1 then, demo/2 now)"]),
    ],
)
def test_show_names_what_has_changed(
    call: Call, config: Path, old: str, new: str, changed: list[str]
) -> None:
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    # Another version of the model starts without a reference: it takes over the only one there is.
    call("reference", "activate", config, "")
    found = call("state", "show", config, "--json").json()
    assert (found["fits"], found["changed"]) == (False, changed)
    # The run itself refuses for the same reason.
    refused = call("run", config)
    assert refused.code == 2
    assert changed[0] in " ".join(refused.err.split())


def test_show_names_files_and_a_reference_that_changed(call: Call, config: Path) -> None:
    (config.parent / "events" / "part-1.jsonl").rename(config.parent / "events" / "part-7.jsonl")
    found = call("state", "show", config, "--json").json()
    assert found["changed"] == ["input (gone: part-1.jsonl; new: part-7.jsonl)"]
    before = found["reference"]
    new = call("reference", "build", config, config.parent / "events", "--activate", "--json").json()
    found = call("state", "show", config, "--json").json()
    assert found["changed"][0] == f"reference ({before} then, {new['version']} now)"


def test_show_of_a_column_that_the_reference_lacks(call: Call, config: Path) -> None:
    text = config.read_text()
    config.write_text(text.replace("columns:\n", "columns:\n  fresh: {kind: numeric}\n"))
    found = call("state", "show", config, "--json").json()
    assert found["fits"] is False
    assert "fresh" in found["changed"][0]


def test_show_where_no_run_began_or_no_folder_is_named(call: Call, config: Path) -> None:
    told = call("state", "show", config, "--recovery", config.parent / "nowhere")
    assert told.code == 0
    assert "no run has begun here" in told.out
    assert not (config.parent / "nowhere").exists()
    config.write_text(config.read_text().replace("recovery: {folder: snapshots}", ""))
    told = call("state", "show", config)
    assert told.code == 2
    assert "--recovery DIR" in told.err


def test_a_snapshot_cannot_run_code(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("evil",)

    for part in (config.parent / "snapshots" / "snapshots").glob("*.sqlite3"):
        with closing(sqlite3.connect(part)) as file, file:
            file.execute("UPDATE snaps SET ser_change = ?", (pickle.dumps(Evil()),))
    found = read_folder(config.parent / "snapshots")
    assert found is not None
    assert set(found.positions.values()) == {None}
    assert "evil" not in capsys.readouterr().out


def test_a_journal_that_its_writer_removes_meanwhile_is_no_fault(config: Path) -> None:
    folder = config.parent / "snapshots"
    before = read_folder(folder)
    # A name without a file is what is left of it between listing the folder and looking at each.
    (folder / "snapshots" / "part-9.sqlite3-wal").symlink_to(folder / "gone")
    assert read_folder(folder) == before


def test_snapshots_behind_the_epoch_of_the_resumption_do_not_count(config: Path) -> None:
    parts = sorted((config.parent / "snapshots" / "snapshots").glob("*.sqlite3"))
    for part in parts:
        with closing(sqlite3.connect(part)) as file, file:
            file.execute("UPDATE snaps SET snap_epoch = 7")
    found = read_folder(config.parent / "snapshots")
    assert found is not None
    assert set(found.positions.values()) == {None}


def test_the_position_of_a_topic_is_its_next_offset() -> None:
    broker = FakeKafka()
    broker.put(b"{}", b"{}", b"{}")
    reader = KafkaRecordReader(FakeClient(broker), AT)
    reader.read(2)
    state = {"position": reader.position(), "max_time": 7, "forced": None, "told": None, "ended": False}
    packed = pack("partition", 1, bytes(16), msgspec.msgpack.encode(state))
    assert _position(pickle.dumps(packed)) == PositionFacts(next_offset=2, latest=7, ended=False)


def test_reset_wants_an_answer_and_keeps_events_and_store(
    call: Call, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = config.parent / "snapshots", config.parent / "out"
    kept, before = files(out), files(folder)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    refused = call("state", "reset", config)
    assert (refused.code, files(folder)) == (2, before)
    assert "add --yes" in refused.err

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert call("state", "reset", config).code == 1
    assert files(folder) == before
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    told = call("state", "reset", config)
    assert told.code == 0
    assert "the snapshots of demo/1" in told.err
    assert files(out) == kept
    assert call("state", "show", config, "--json").json()["holds_run"] is False
    assert "nothing to drop" in call("state", "reset", config, "--yes").err


def test_reset_with_yes_then_the_next_run_starts_anew(call: Call, config: Path) -> None:
    events = (config.parent / "out" / "events.jsonl").read_bytes()
    assert call("state", "reset", config, "--yes").code == 0
    refused = call("run", config)
    assert refused.code == 1
    assert "earlier run" in refused.err
    assert call("run", config, "--overwrite").code == 0
    assert (config.parent / "out" / "events.jsonl").read_bytes() == events


def test_a_folder_that_is_held_is_shown_and_not_reset(call: Call, config: Path) -> None:
    folder = config.parent / "snapshots"
    with locked(folder):
        assert call("state", "show", config, "--json").json()["held"] is True
        before = files(folder)
        refused = call("state", "reset", config, "--yes")
        assert refused.code == 1
        assert "another run holds the recovery folder" in refused.err
        assert files(folder) == before
    assert call("state", "show", config, "--json").json()["held"] is False


def test_a_damaged_note_is_told_and_can_be_dropped(call: Call, config: Path) -> None:
    (config.parent / "snapshots" / "driftflow.json").write_text("{")
    told = call("state", "show", config)
    assert told.code == 1
    assert "cannot be read" in told.err
    assert call("state", "reset", config, "--yes").code == 0
    assert not (config.parent / "snapshots" / "driftflow.json").exists()


def test_what_waits_to_be_joined_is_shown() -> None:
    found = ShownState(
        folder="snapshots",
        holds_run=True,
        axis=Axis.MILLISECONDS,
        fits=True,
        join=JoinFacts(shards=8, waiting=1_200, early=1, size=25_000),
    )
    lines = [line.plain for line in state_lines(found, 80)]
    assert " the join holds 1,200 predictions and 1 label that wait, 25.0 kB in 8 shards" in lines


def test_rows_that_wait_are_counted_in_the_join_s_own_bytes() -> None:
    join = LabelJoin(("p",), (1, 1), JoinLimits(horizon=9, early=9, max_rows=9))
    ids = np.array([7, 8], dtype=np.uint64)
    rows = Halves(ids, np.array([3, 3], dtype=np.int64), np.zeros((2, 1)))
    join.add(("predictions", "p", 4, 3, rows.to_bytes(), (), ()))
    assert join.close() is not None
    assert rows_held(join.snapshot()) == (2, 0)
    packed = pickle.dumps(pack("join", 2, bytes(16), join.snapshot()))
    assert _join_facts({"00": packed, "01": None, "02": b"no snapshot"}) == JoinFacts(
        shards=1, waiting=2, early=0, size=len(join.snapshot())
    )
    assert _join_facts({"00": pickle.dumps(pack("panes", 2, bytes(16), b""))}) is None
