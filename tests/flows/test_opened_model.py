"""A model opened for a notebook holds what its runs wrote to the log of events, and changes nothing."""

import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.model_values import LookError
from flows.notebook import open_model
from state.durations import Axis
from state.stores.base import Activation, Point, ReferenceInfo, SeriesKey, StoredReference
from state.stores.opening import open_store
from tests.command_line import Call, caller

CONFIG = """
model: {{name: m}}
input: {{path: events.csv}}
time: {time}
columns: {{x: {{kind: numeric}}, c: {{kind: categorical}}}}
windows: {windows}
"""
ROWS = 480
"""A day of rows, one in three minutes."""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def watched(call: Call, folder: Path, *, time: str, windows: str) -> Path:
    """Watch a day in the second half of which x is 1,000 larger."""
    for name, moved in (("good.csv", 0), ("events.csv", 1_000)):
        rows = [
            f"2026-01-05T{i // 20:02d}:{i % 20 * 3:02d}:00Z,{x + moved * (i >= ROWS // 2)},{'abc'[i % 3]}"
            for i, x in enumerate(j * 37 % 101 for j in range(ROWS))
        ]
        (folder / name).write_text("\n".join(["ts,x,c", *rows]))
    path = folder / "driftflow.yaml"
    path.write_text(CONFIG.format(time=time, windows=windows))
    assert call("reference", "build", path, folder / "good.csv").code == 0
    assert call("run", path).code == 0
    return path


@pytest.fixture
def config(call: Call, tmp_path: Path) -> Path:
    return watched(call, tmp_path, time="{column: ts}", windows="{quarter: {size: 6h}, half: {size: 12h}}")


def reports(config: Path, window: str) -> list[dict[str, Any]]:
    lines = (config.parent / "out" / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    found = [event["data"] for event in events if event["type"].endswith("window.report")]
    return [data for data in found if data["window"]["name"] == window]


def test_series_are_the_readings_of_the_reports(config: Path) -> None:
    with open_model(config) as model:
        times, values = model.series("x", "psi", window="quarter")
        told = [
            (data["window"]["end"].removesuffix("Z"), reading["score"])
            for data in reports(config, "quarter")
            for column in data["features"]
            if column["feature"] == "x"
            for reading in column["readings"]
            if reading["method"] == "psi"
        ]
        # A day has four quarters.
        assert len(told) == 4
        assert times.dtype == "datetime64[ms]"
        assert [str(time) for time in times] == [time for time, _ in told]
        assert values.tolist() == [score for _, score in told]
        later = model.series("x", "psi", window="quarter", start="2026-01-05T12:00", end="2026-01-06")
        aware = model.series(
            "x", "psi", window="quarter", start=datetime(2026, 1, 5, 12, tzinfo=UTC), end=1_767_657_600_000
        )
    # Ends at 12:00 and 18:00; 1,767,657,600 s is midnight of the sixth, which is not before itself.
    assert later.values.tolist() == values.tolist()[1:3]
    assert aware.values.tolist() == later.values.tolist()


def test_windows_are_those_of_the_reports(config: Path) -> None:
    with open_model(config) as model:
        found = model.windows("x", window="quarter")
        assert model.windows("nothing", window="quarter") == []
    told = [
        (column["verdict"], column["effect"], column["n_current"])
        for data in reports(config, "quarter")
        for column in data["features"]
        if column["feature"] == "x"
    ]
    assert [(each.verdict, each.effect, each.rows) for each in found] == told
    assert [str(each.end) for each in found[:1]] == ["2026-01-05T06:00:00.000"]
    assert found[0].start == np.datetime64("2026-01-05")


def test_what_there_is(config: Path) -> None:
    with open_model(config) as model:
        assert model.features() == ["c", "x"]
        assert model.window_names() == ["half", "quarter"]
        assert {"psi", "effect", "p_value"} <= set(model.metrics("x", window="half"))
        assert "drift_share" in model.metrics(window="half")
        assert model.segments("x") == []
        assert repr(model) == "<model m version 1>"
        assert len(model.events(types=["io.driftflow.window.report"], window="half")) == 2
        assert [event["data"]["window"]["name"] for event in model.events(window="half", limit=1)] == ["half"]
        assert {each.feature for each in model.episodes(window="half")} <= {"x"}


def test_frames_hold_the_same(config: Path) -> None:
    with open_model(config) as model:
        series = model.frame("series", "x", window="quarter")
        windows = model.frame("windows", "x", window="quarter")
        events, episodes = model.frame("events"), model.frame("episodes")
        values = model.series("x", "psi", window="quarter").values
        n_events, n_episodes = len(model.events()), len(model.episodes())
        with pytest.raises(LookError, match="wanted one of series, windows, events, episodes"):
            model.frame("panes")
    assert series["psi"].tolist() == values.tolist()
    assert str(series.index[0]) == "2026-01-05 06:00:00+00:00"
    assert windows["end"].tolist() == series.index.tolist()
    assert len(events) == n_events > 0
    assert len(episodes) == n_episodes
    # Without a row it has its columns, and times are times.
    assert str(episodes["opened"].dtype).endswith("UTC]")


def test_frames_say_what_they_need(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.delitem(sys.modules, "flows.model_frames", raising=False)
    with open_model(config) as model, pytest.raises(LookError, match=r"driftflow\[notebook\]"):
        model.frame("episodes")


def test_a_store_with_one_model_needs_no_configuration(config: Path) -> None:
    store = config.parent / "out" / "driftflow.sqlite"
    with open_model(store) as model, open_model(str(store), "m", "1") as named:
        assert (model.name, model.version, model.axis) == ("m", "1", Axis.MILLISECONDS)
        assert named.features() == model.features() == ["c", "x"]


def test_what_is_not_there_is_answered_with_what_is(config: Path) -> None:
    store = config.parent / "out" / "driftflow.sqlite"
    with pytest.raises(LookError, match="model is 'fraud', wanted one of m"):
        open_model(store, "fraud")
    with pytest.raises(LookError, match="version is '9', wanted one of 1"):
        open_model(store, version="9")
    with pytest.raises(LookError, match=r"the model of .* is 'm', wanted 'fraud'"):
        open_model(config, "fraud")
    with open_model(config) as model:
        with pytest.raises(LookError, match="window is None, wanted one of half, quarter"):
            model.series("x", "psi")
        with pytest.raises(LookError, match=r"no series 'psy' of 'x', wanted one of chi2, .*psi"):
            model.series("x", "psy", window="half")
        with pytest.raises(LookError, match="no series of 'y', wanted one of c, x"):
            model.series("y", "psi", window="half")
        with pytest.raises(LookError, match="wanted ISO-8601"):
            model.series("x", "psi", window="half", start="yesterday")


def test_row_numbers_stay_numbers(call: Call, tmp_path: Path) -> None:
    path = watched(call, tmp_path, time="{rows: true}", windows="{hundred: {size: 100 rows}}")
    with open_model(path) as model, open_model(tmp_path / "out" / "driftflow.sqlite") as found:
        # One kind of window need not be named.
        times = model.series("x", "psi").times
        assert model.axis is found.axis is Axis.ROWS
        assert model.windows("x")[0].end == 100
        assert model.frame("series", "x").index.tolist() == times.tolist()
        assert model.frame("windows", "x")["end"].tolist() == times.tolist()
    assert times.dtype == np.int64
    assert times.tolist()[:4] == [100, 200, 300, 400]


def test_looking_makes_no_file_and_changes_none(config: Path, tmp_path: Path) -> None:
    with pytest.raises(LookError, match="does not exist"):
        open_model(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "text.sqlite").write_text("no database at all")
    with pytest.raises(LookError, match="not a database"):
        open_model(tmp_path / "text.sqlite")
    store = config.parent / "out" / "driftflow.sqlite"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA user_version = 1")
    before = store.read_bytes()
    with pytest.raises(LookError, match="layout of an earlier release"):
        open_model(store)
    assert store.read_bytes() == before


def test_a_store_in_redis(redis_url: str) -> None:
    store = open_store(redis_url)
    info = ReferenceInfo(
        model="look", version="r1", created_ms=1, rows=9, start_ms=0, end_ms=9, source="rows of a test"
    )
    key = SeriesKey(model="look", model_version="7", window="w", feature="x", segment="", metric="psi")
    try:
        store.put_reference(StoredReference(info=info, body=b"none"))
        store.activate("look", "7", Activation(version="r1", effective_from=None))
        store.add_points([Point(key, 60_000, 0.25), Point(key, 120_000, 0.5)])
    finally:
        store.close()
    with open_model(redis_url, "look") as model:
        times, values = model.series("x", "psi")
    assert values.tolist() == [0.25, 0.5]
    assert [str(time) for time in times] == ["1970-01-01T00:01:00.000", "1970-01-01T00:02:00.000"]
