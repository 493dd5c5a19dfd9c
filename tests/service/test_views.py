"""What pages show, held against the reports, the rows and the rules that it comes from."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from detectors.base import Kind
from flows.config import load_config
from flows.connections import store_opener
from flows.serving import watched_model
from service.models import WatchedColumn, WatchedModel
from service.views.happenings import PAGE as MOST_EVENTS
from service.views.happenings import Happening, happenings
from service.views.heat import MOST_CELLS, PAGE, heat_map
from service.views.history import history_of
from service.views.lines import first_shown, last_end, model_lines
from service.views.loaded import MOST, LoadedReferences
from service.views.sides import QUANTILES, bands_of, sides_of
from service.views.standing import rank, standing_of
from service.views.violations import by_check, lines_of, violations_of
from state.columns import Role
from state.events import EventType
from state.stores.base import Point, SeriesKey, Store, StoredReference
from state.stores.episodes import StoredEpisode
from state.stores.memory import MemoryStore


@pytest.fixture
def store(drifted_demo: Path) -> Iterator[Store]:
    opened = store_opener(load_config(drifted_demo))()
    yield opened
    opened.close()


@pytest.fixture
def model(drifted_demo: Path) -> WatchedModel:
    return watched_model(load_config(drifted_demo))


def reports(store: Store, model: WatchedModel, window: str) -> list[tuple[int, Any]]:
    found = store.events(model.name, window=window, types=[EventType.REPORT])
    return [(event.end, json.loads(event.body)["data"]) for event in found]


@pytest.mark.parametrize("window", ["daily", "sliding"])
def test_a_heat_map_says_what_the_reports_say(store: Store, model: WatchedModel, window: str) -> None:
    found = heat_map(store, model, window, start=None)
    told = reports(store, model, window)
    assert found.ends == tuple(end for end, _report in told)
    drifts = 0
    for cell, (_end, report) in enumerate(told):
        for column in report["features"]:
            row = found.features.index(column["feature"])
            assert found.effects[row][cell] == column["effect"]
            if column["verdict"] == "drift":
                drifts += 1
                assert found.levels[row][cell] == rank(column["severity"])
    assert drifts > 5
    # Nothing drifts at first in the demo.
    assert not any(levels[0] for levels in found.levels)


def wide(model: WatchedModel, columns: int) -> WatchedModel:
    column = WatchedColumn(name="", kind=Kind.NUMERIC, role=Role.FEATURE)
    return replace(model, columns=tuple(replace(column, name=f"f{n}") for n in range(columns)))


def key(model: WatchedModel, feature: str, metric: str) -> SeriesKey:
    return SeriesKey(
        model=model.name,
        model_version=model.version,
        window="daily",
        feature=feature,
        segment="",
        metric=metric,
    )


def test_many_columns_come_page_by_page_with_drifts_first(model: WatchedModel) -> None:
    model, store = wide(model, 2 * PAGE + 1), MemoryStore()
    drift = StoredEpisode(
        id="1",
        model=model.name,
        model_version=model.version,
        window="daily",
        feature="f7",
        reference="r",
        since=0,
        opened=10,
        updated=10,
        is_open=True,
        severity="low",
        peak=0.05,
        windows=1,
    )
    ended = replace(drift, id="2", feature="f50", is_open=False, updated=20, severity="high")
    worse = replace(drift, id="3", feature="f9", severity="high")
    store.put_episodes([drift, ended, worse])
    pages = [heat_map(store, model, "daily", start=None, page=page) for page in range(3)]
    assert [len(page.features) for page in pages] == [PAGE, PAGE, 1]
    assert pages[0].features[:4] == ("f9", "f7", "f50", "f0")
    assert len({name for page in pages for name in page.features}) == 2 * PAGE + 1
    assert heat_map(store, model, "daily", start=None, page=99) == pages[2]


def test_of_many_windows_a_cell_shows_the_worst(model: WatchedModel) -> None:
    model, store = wide(model, 1), MemoryStore()
    ends = range(10, 10 * (5 * MOST_CELLS + 4), 10)
    store.add_points(Point(key(model, "", "drift_share"), end, 0.0) for end in ends)
    store.add_points(Point(key(model, "f0", "effect"), end, 9.0 if end == 1230 else 0.5) for end in ends)
    found = heat_map(store, model, "daily", start=None)
    assert (len(found.ends), found.windows) == (MOST_CELLS, len(ends))
    assert found.ends[-1] == ends[-1]
    assert [effect for effect in found.effects[0] if effect != 0.5] == [9.0]


def test_standing_counts_what_is_open(store: Store, model: WatchedModel) -> None:
    found = standing_of(store, model)
    going = store.episodes(model.name, open_only=True)
    drifts = {each.feature for each in going if each.family == "drift"}
    assert set(found.drifting) == drifts
    assert found.violations == sum(each.family != "drift" for each in going)
    last = reports(store, model, "daily")[-1][1]
    assert (found.drift_share, found.rows) == (last["drift_share"], last["window"]["rows"])
    assert found.told.startswith(f"Drift in {len(drifts)} columns, ")
    assert found.level == found.severity


def test_standing_before_there_is_anything(model: WatchedModel) -> None:
    found = standing_of(MemoryStore(), model)
    assert (found.told, found.level) == ("No reference is active: nothing is compared.", "nothing")
    assert model_lines(MemoryStore(), model, "daily", None) == ()


def test_the_last_windows_are_as_many_as_asked_for(store: Store, model: WatchedModel) -> None:
    window = model.windows[1]
    start = first_shown(store, model, window, 5)
    (share, *_others) = model_lines(store, model, window.name, start)
    assert (share.metric, len(share.points)) == ("drift_share", 5)
    assert share.points[-1][0] == last_end(store, model, window.name)


@pytest.mark.parametrize("feature", ["income", "country"])
def test_both_sides_are_those_of_the_window(store: Store, model: WatchedModel, feature: str) -> None:
    # An event has the counts of its window and of the reference: the same shares, however they are drawn.
    event = store.events(model.name, window="daily", feature=feature, types=[EventType.OPENED])[-1]
    told = json.loads(event.body)["data"]
    found = sides_of(store, model, model.windows[0], feature, event.end, references=LoadedReferences())
    assert found is not None
    assert found.rows == told["window"]["rows"]
    assert sum(found.reference) == pytest.approx(1.0)
    assert sum(found.current) == pytest.approx(1.0)
    if found.numeric:
        counts = np.array(told["histogram"]["current"])
        edges = np.array(told["histogram"]["edges"])
        middle = float(np.median([float(label) for label in found.labels]))
        below = sum(
            share for label, share in zip(found.labels, found.current, strict=True) if float(label) <= middle
        )
        # A bar and a bin hold some 5 % of the rows each.
        assert below == pytest.approx(counts[: np.searchsorted(edges, middle)].sum() / counts.sum(), abs=0.1)
    else:
        named = dict(zip(told["histogram"]["categories"], told["histogram"]["current"], strict=True))
        shares = dict(zip(found.labels, found.current, strict=True))
        assert shares["DE"] == pytest.approx(named["DE"] / sum(named.values()))


def test_sides_of_panes_that_are_gone(model: WatchedModel) -> None:
    none = LoadedReferences()
    assert sides_of(MemoryStore(), model, model.windows[0], "income", 0, references=none) is None
    assert bands_of(MemoryStore(), model, "income", references=none) is None


def test_quantiles_are_those_of_the_rows(drifted_demo: Path, store: Store, model: WatchedModel) -> None:
    references = LoadedReferences()
    found = bands_of(store, model, "income", references=references)
    assert found is not None
    rows = [json.loads(line) for line in (drifted_demo.parent / "events.jsonl").read_text().splitlines()]
    size = model.windows[1].slide
    end = found.ends[3]
    # Demo times are ISO-8601 in UTC.
    values = np.array(
        [
            row["features"]["income"]
            for row in rows
            if end - size <= datetime.fromisoformat(row["ts"]).timestamp() * 1000 < end
            and row["features"].get("income") is not None
        ],
        dtype=float,
    )
    assert len(values) > 500
    for quantile, band in zip(QUANTILES, found.values, strict=True):
        # 64 bins of equal share: a value is placed within one of them.
        assert np.mean(values <= band[3]) == pytest.approx(quantile, abs=1 / 64 + 0.01)
    assert bands_of(store, model, "country", references=references) is None


def test_a_history_has_limits_and_episodes(store: Store, model: WatchedModel) -> None:
    found = history_of(store, model, model.windows[0], "income", windows=0)
    lines = {line.metric: (line, limits) for line, limits in found.lines}
    effect, sizes = lines["effect"]
    assert dict(sizes)["high"] == model.rules.high
    told = dict(reports(store, model, "daily"))
    for end, value in effect.points:
        (column,) = [each for each in told[end]["features"] if each["feature"] == "income"]
        assert value == column["effect"]
    assert [name for name, _value in lines["evidence"][1]] == ["limit"]
    assert {line.title for line in found.side_by_side} == {"daily", "sliding"}
    assert found.told.startswith("In drift, ")
    assert found.spans[-1][1] == found.end
    # Nothing is ever missing of it.
    assert "missing_share" not in lines
    calm = history_of(store, model, model.windows[0], "plan", windows=0)
    assert (calm.told, calm.level) == ("No drift, and no check is violated.", "ok")


def test_events_come_page_by_page_without_what_every_window_tells(store: Store, model: WatchedModel) -> None:
    seen: list[Happening] = []
    beyond: str | None = None
    while True:
        page = happenings(store, model, beyond=beyond)
        seen += page.events
        beyond = page.following
        if beyond is None:
            break
        assert len(page.events) == MOST_EVENTS
    changes = [event for event in store.events(model.name) if event.type != EventType.REPORT]
    assert [each.id for each in seen] == [event.id for event in changes][::-1]
    opened = next(each for each in seen if each.type == "drift.opened" and each.feature == "income")
    told = json.loads(store.event(model.name, opened.id).body)["data"]
    assert opened.severity == told["episode"]["severity"]
    assert opened.told == f"up, effect (PSI) {told['result']['effect']:.3f}"
    (only,) = {each.feature for each in happenings(store, model, feature="country", window="daily").events}
    assert only == "country"


def test_reports_tell_rows_and_share(store: Store, model: WatchedModel) -> None:
    found = happenings(store, model, types=[EventType.REPORT], window="daily").events[0]
    report = reports(store, model, "daily")[-1][1]
    assert found.told.startswith(f"{report['window']['rows']:,} rows, ")


def test_violations_are_summed_up_by_check(store: Store, model: WatchedModel) -> None:
    found = violations_of(store, model)
    checks = by_check(found)
    assert sum(each.going + each.ended for each in checks) == len(found) > 0
    assert len({each.check for each in checks}) == len(checks)
    assert {each.check for each in checks if each.going} == {each.check for each in found if each.is_open}
    goings = [each.going for each in checks]
    assert goings == sorted(goings, reverse=True)
    lines = lines_of(store, model, found, "daily", most=1)
    (line,) = lines
    # What is violated is above its limit somewhere.
    assert line.metric.startswith("quality.")
    assert max(value for _time, value in line.points) > 0.01


def test_the_references_that_were_asked_for_last_are_kept(store: Store, model: WatchedModel) -> None:
    class Counting(MemoryStore):
        read: ClassVar[list[str]] = []

        def reference(self, model: str, version: str) -> StoredReference:
            self.read.append(model)
            return super().reference(model, version)

    counting, references = Counting(), LoadedReferences()
    (info,) = (each for each in store.references(model.name) if each.rows == 5_000)
    stored = store.reference(model.name, info.version)
    names = [f"m{number}" for number in range(MOST + 1)]
    for name in names:
        counting.put_reference(replace(stored, info=replace(info, model=name)))
    for name in (names[0], *names[:-1], names[0], names[-1], names[1], names[0]):
        assert references.feature(counting, name, info.version, "income").column.name == "income"
    # The last one drives out the second, for the first was asked for again.
    assert counting.read == [*names, names[1]]
