import json
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from flows.batch import Batch, DeadLetter
from flows.decode.base import Reason
from flows.hooks import Hooks, together
from flows.metrics import Metrics, new_registry
from flows.metrics_server import MetricsError, MetricsServer, serve_metrics
from state.durations import Axis
from state.events import EventType
from state.grid import END, MONDAY
from state.joined import Count, Joined
from state.report import Output, Report
from state.stores.base import Point, SeriesKey, StoredEvent
from tests.checked_windows import PLOT, of_records, run, window
from tests.evidence import FAMILY, HOUR, Plot, context, evidence, grid_of

OTHERS = ("driftflow_alert_", "driftflow_service_")
"""Metrics of other processes than a run; see `tests.test_observability`."""

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"

CALM = dict.fromkeys(FAMILY, "calm")
LARGE = dict.fromkeys(FAMILY, "large")


@dataclass
class Clock:
    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Watched:
    """Metrics of the model of `tests.evidence`, and a clock that stands still."""

    axis: Axis = Axis.MILLISECONDS
    max_series: int = 1_000
    clock: Clock = field(default_factory=Clock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.metrics = Metrics(
            self.registry, self.clock, model="credit", grid=grid_of(self.axis), max_series=self.max_series
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def series(self, name: str) -> dict[tuple[str, ...], float]:
        """All samples of a name, by the values of their labels in the order of the labels' names."""
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == name
        }


def batch(
    partition: str = "events/0",
    *,
    rows: int = 0,
    frontier: int = -END,
    late: dict[int, int] | None = None,
    refused: Sequence[Reason] = (),
) -> Batch:
    letters = tuple(
        DeadLetter(partition=partition, number=i, reason=reason, detail="found x", raw=b"x")
        for i, reason in enumerate(refused)
    )
    return Batch(
        partition=partition,
        rows=rows,
        panes=np.zeros(0, dtype=np.int64),
        starts=np.zeros(0, dtype=np.int64),
        late=late or {},
        numeric={},
        categorical={},
        frontier=frontier,
        last=frontier,
        quiet=not rows,
        size=0,
        dead_letters=letters,
    )


def outputs(plot: Plot) -> list[list[Output]]:
    """What a report gives, window by window."""
    report = Report(context())
    said = evidence(plot, context())
    return [report.add(items) for items in zip(*said.values(), strict=True)]


def in_order(moods: Sequence[dict[str, str] | None]) -> Plot:
    """Tumbling windows one after the other."""
    return [(0, k, mood) for k, mood in enumerate(moods)]


def test_rows_late_rows_and_refused_records_are_counted() -> None:
    watched = Watched()
    watched.metrics.on_batch(batch(rows=700, late={3: 2, 5: 1}, refused=[Reason.BAD_TIME, Reason.NO_TIME]))
    watched.metrics.on_batch(batch("events/1", rows=300, late={9: 4}, refused=[Reason.BAD_TIME]))
    watched.metrics.on_batch(batch())
    # Sums of the above.
    assert watched.value("driftflow_events_total", model="credit") == 1_000
    assert watched.value("driftflow_late_rows_total") == 7
    refused = watched.series("driftflow_dead_letters_total")
    assert refused == {(reason,): 0 for reason in Reason} | {("bad_time",): 2, ("no_time",): 1}


def test_a_watermark_is_the_start_of_the_first_open_pane() -> None:
    watched = Watched()
    watched.metrics.on_batch(batch())
    assert watched.series("driftflow_watermark_seconds") == {}
    watched.metrics.on_batch(batch(rows=1, frontier=7))
    watched.metrics.on_batch(batch("events/1", rows=1, frontier=3))
    watched.metrics.on_batch(batch("events/1", rows=1, frontier=4))
    # Panes of an hour from Monday, 1970-01-05: the windows are 2 h and 5 h, sliding by 2 h.
    assert watched.series("driftflow_watermark_seconds") == {
        ("events/0",): (MONDAY + 7 * HOUR) / 1_000,
        ("events/1",): (MONDAY + 4 * HOUR) / 1_000,
    }


def test_a_partition_that_has_ended_has_no_watermark_that_stands_still() -> None:
    watched = Watched()
    watched.metrics.on_batch(batch(rows=1, frontier=7))
    watched.metrics.on_batch(batch(frontier=END))
    assert watched.series("driftflow_watermark_seconds") == {}


def test_row_numbers_are_no_event_time() -> None:
    watched = Watched(axis=Axis.ROWS)
    watched.metrics.on_batch(batch(rows=1, frontier=7))
    assert watched.series("driftflow_watermark_seconds") == {}
    assert watched.value("driftflow_events_total", model="credit") == 1


def test_lag_goes_while_it_is_unknown() -> None:
    watched = Watched()
    watched.metrics.on_lag("events/0", 12)
    watched.metrics.on_lag("events/1", 0)
    assert watched.series("driftflow_lag") == {("events/0",): 12, ("events/1",): 0}
    watched.metrics.on_lag("events/0", None)
    assert watched.series("driftflow_lag") == {("events/1",): 0}


def test_windows_and_episodes_are_counted() -> None:
    watched = Watched()
    assert watched.series("driftflow_episodes_open") == {("credit", "tumbling"): 0, ("credit", "sliding"): 0}
    calm, opened, closed = outputs(in_order([CALM, LARGE, CALM]))
    watched.metrics.on_outputs(calm)
    assert watched.value("driftflow_episodes_open", model="credit", window="tumbling") == 0
    watched.metrics.on_outputs(opened)
    # One episode for each of the three columns; a calm tumbling window closes them.
    assert watched.value("driftflow_episodes_open", model="credit", window="tumbling") == 3
    watched.metrics.on_outputs(closed)
    assert watched.value("driftflow_episodes_open", model="credit", window="tumbling") == 0
    assert watched.series("driftflow_windows_total") == {("tumbling",): 3, ("sliding",): 0}
    assert watched.series("driftflow_drift_events_total") == {("opened",): 3, ("updated",): 0, ("closed",): 3}


def test_open_episodes_of_a_resumed_report_are_known() -> None:
    watched = Watched()
    _, opened, closed = outputs(in_order([CALM, LARGE, CALM]))
    episodes = {item.window for item in opened if isinstance(item, StoredEvent) and item.episode}
    assert episodes == {"tumbling"}
    watched.metrics.on_resume({"tumbling": 3, "sliding": 0})
    watched.metrics.on_outputs(closed)
    assert watched.value("driftflow_episodes_open", model="credit", window="tumbling") == 0


def test_open_episodes_are_those_of_all_reports_of_a_model() -> None:
    watched = Watched()
    for found in ({"tumbling": 3, "sliding": 0}, {"tumbling": 1, "sliding": 0}):
        watched.metrics.on_resume(found)
    assert watched.value("driftflow_episodes_open", model="credit", window="tumbling") == 4


def test_violations_are_counted_by_kind_and_values_shown() -> None:
    watched = Watched()
    watched.metrics.on_outputs(run(Report(of_records())))
    changes = {
        change: watched.value("driftflow_check_events_total", kind="quality", type=change)
        for change in ("opened", "updated", "closed")
    }
    # As PLOT has them: three open, one gets worse, all end.
    assert changes == {"opened": 3, "updated": 1, "closed": 3}
    place = {"model": "credit", "window": "tumbling", "kind": "quality"}
    assert watched.value("driftflow_violations_open", **place) == 0
    shown = watched.value("driftflow_check_value", feature="x", check="zero_share", **place)
    assert shown == 0.1
    assert not [labels for labels in watched.series("driftflow_drift_score") if "quality" in labels[1]]
    # An event of a check is no window.
    assert watched.value("driftflow_windows_total", window="tumbling") == 4


def test_violations_that_a_snapshot_holds_are_counted_from_the_start() -> None:
    watched, report = Watched(), Report(of_records())
    report.add(window(0, PLOT[0]))
    watched.metrics.hooks.on_resume_checks(report.open_violations)
    place = {"model": "credit", "window": "tumbling", "kind": "quality"}
    assert watched.value("driftflow_violations_open", **place) == 1


@settings(max_examples=40)
@given(
    moods=st.lists(
        st.none()
        | st.fixed_dictionaries({name: st.sampled_from(["calm", "large", "few"]) for name in FAMILY}),
        max_size=8,
    ),
    data=st.data(),
)
def test_metrics_are_those_of_a_recount_however_outputs_are_cut(
    moods: list[dict[str, str] | None], data: st.DataObject
) -> None:
    found = outputs(in_order(moods))
    watched = Watched()
    rest = found
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        watched.metrics.on_outputs([item for items in rest[:cut] for item in items])
        rest = rest[cut:]
    events = [item for items in found for item in items if isinstance(item, StoredEvent)]
    kinds = [event.type for event in events]
    still = kinds.count(EventType.OPENED) - kinds.count(EventType.CLOSED)
    assert watched.value("driftflow_episodes_open", model="credit", window="tumbling") == still
    with_rows = sum(mood is not None for mood in moods)
    assert watched.value("driftflow_windows_total", window="tumbling") == with_rows
    last = next((items for items in reversed(found) if any(isinstance(i, Point) for i in items)), [])
    hidden = {"p_value", "q_value", "rows", "late_rows"}
    assert watched.series("driftflow_drift_score") == {
        (item.key.feature, item.key.metric, "credit", "tumbling"): item.value
        for item in last
        if isinstance(item, Point) and item.key.metric not in hidden
    }


def test_a_score_that_the_last_window_lacks_is_no_longer_shown() -> None:
    watched = Watched()
    full, empty = outputs(in_order([CALM, {**CALM, "x": "missing"}]))
    watched.metrics.on_outputs(full)
    before = watched.series("driftflow_drift_score")
    watched.metrics.on_outputs(empty)
    after = watched.series("driftflow_drift_score")
    gone = {labels[:2] for labels in before.keys() - after.keys()}
    # Without a single value nothing can be measured, and all rows lack one.
    assert ("x", "psi") in gone
    assert watched.value(
        "driftflow_drift_score", model="credit", window="tumbling", feature="x", metric="missing_share"
    ) == pytest.approx(1.0)


def test_windows_of_two_kinds_have_scores_of_their_own() -> None:
    watched = Watched()
    plot: Plot = [(0, 0, CALM), (1, 0, LARGE), (0, 1, CALM)]
    for items in outputs(plot):
        watched.metrics.on_outputs(items)
    shares = {
        window: watched.value(
            "driftflow_drift_score", model="credit", window=window, feature="", metric="drift_share"
        )
        for window in ("tumbling", "sliding")
    }
    assert shares == {"tumbling": 0.0, "sliding": 1.0}


def test_columns_that_are_not_reported_together_leave_the_scores_of_the_others() -> None:
    watched = Watched()
    for feature, time in (("x", 2), ("error", 1), ("x", 3)):
        watched.metrics.on_outputs([point(feature, "psi", time)])
    shown = watched.series("driftflow_drift_score")
    assert {labels[0] for labels in shown} == {"x", "error"}


def point(feature: str, metric: str, time: int) -> Point:
    key = SeriesKey(
        model="credit", model_version="7", window="tumbling", feature=feature, segment="", metric=metric
    )
    return Point(key, time, 0.5)


def test_label_sets_are_capped_and_what_is_left_out_is_counted_once() -> None:
    watched = Watched(max_series=10)
    for time in (1, 2, 3):
        watched.metrics.on_outputs([point(f"f{i}", "psi", time) for i in range(25)])
    assert len(watched.series("driftflow_drift_score")) == 10
    dropped = watched.series("driftflow_series_dropped_total")
    assert dropped["driftflow_drift_score",] == 15
    assert dropped["driftflow_lag",] == 0
    # The cap holds for partitions too, each metric for itself.
    for i in range(12):
        watched.metrics.on_lag(f"events/{i}", i)
    assert len(watched.series("driftflow_lag")) == 10
    assert watched.series("driftflow_series_dropped_total")["driftflow_lag",] == 2


def test_a_series_that_goes_makes_room_for_another() -> None:
    watched = Watched(max_series=1)
    watched.metrics.on_lag("events/0", 1)
    watched.metrics.on_lag("events/1", 2)
    watched.metrics.on_lag("events/0", None)
    watched.metrics.on_lag("events/1", 3)
    assert watched.series("driftflow_lag") == {("events/1",): 3}


def closing_s(watched: Watched) -> float | None:
    return watched.value("driftflow_window_close_seconds_sum")


def test_a_window_closes_from_the_poll_that_passed_its_end() -> None:
    watched = Watched()
    first, second = outputs(in_order([CALM, CALM]))  # they end with panes 2 and 4
    watched.metrics.on_batch(batch(rows=1, frontier=1))
    watched.clock.now_s = 1_010.0
    watched.metrics.on_batch(batch(rows=1, frontier=2))
    watched.clock.now_s = 1_011.0
    watched.metrics.on_batch(batch(rows=1, frontier=4))
    watched.clock.now_s = 1_011.5
    watched.metrics.on_outputs(first)
    assert closing_s(watched) == pytest.approx(1.5)
    watched.metrics.on_outputs(second)
    assert closing_s(watched) == pytest.approx(1.5 + 0.5)
    assert watched.value("driftflow_window_close_seconds_count") == 2


def test_a_window_waits_for_the_slowest_partition_of_the_process() -> None:
    watched = Watched()
    (closed,) = outputs(in_order([CALM]))
    watched.metrics.on_batch(batch(rows=1, frontier=9))
    watched.clock.now_s = 1_060.0
    # It is heard of for the first time, and is behind; then it passes the end of the window.
    watched.metrics.on_batch(batch("events/1", rows=1, frontier=1))
    watched.clock.now_s = 1_100.0
    watched.metrics.on_batch(batch("events/1", rows=1, frontier=3))
    watched.clock.now_s = 1_100.25
    watched.metrics.on_outputs(closed)
    assert closing_s(watched) == pytest.approx(0.25)


def test_a_partition_without_rows_is_waited_for() -> None:
    watched = Watched()
    (closed,) = outputs(in_order([CALM]))
    watched.metrics.on_batch(batch(rows=1, frontier=9))
    watched.metrics.on_batch(batch("events/1"))
    watched.clock.now_s = 1_300.0
    watched.metrics.on_batch(batch("events/1", frontier=END))
    watched.metrics.on_outputs(closed)
    assert closing_s(watched) == pytest.approx(0.0)


def test_where_other_processes_read_nothing_is_made_up() -> None:
    watched = Watched()
    (closed,) = outputs(in_order([CALM]))
    watched.metrics.on_batch(batch(rows=1, frontier=1))
    watched.metrics.on_outputs(closed)
    assert watched.value("driftflow_window_close_seconds_count") == 0
    assert watched.value("driftflow_windows_total", window="tumbling") == 1


def test_a_process_that_reports_nothing_does_not_collect_steps_of_the_watermark() -> None:
    watched = Watched()
    for pane in range(10_000):
        watched.metrics.on_batch(batch(rows=1, frontier=pane))
    assert len(watched.metrics._passing.passed) == 4_096


def test_state_is_the_sum_over_keys() -> None:
    watched = Watched()
    watched.metrics.on_snapshot("panes", 100, before=0)
    watched.metrics.on_snapshot("panes", 50, before=0)
    watched.metrics.on_snapshot("panes", 70, before=100)
    watched.metrics.on_snapshot("report", 10, before=0)
    # 70 of the first key and 50 of the second.
    assert watched.series("driftflow_state_bytes") == {("panes",): 120, ("report",): 10}


def test_epochs_have_an_age() -> None:
    watched = Watched()
    watched.clock.now_s += 5
    assert watched.value("driftflow_epoch_age_seconds") == 5
    watched.metrics.on_epoch()
    watched.clock.now_s += 2
    assert watched.value("driftflow_epoch_age_seconds") == 2


def test_all_hooks_of_a_run_reach_the_metrics() -> None:
    first, second = Watched(), Watched()
    hooks = together(first.metrics.hooks, Hooks(), second.metrics.hooks)
    for watched in (first, second):
        watched.clock.now_s += 9
    hooks.on_epoch()
    hooks.on_batch(batch(rows=3, frontier=2))
    hooks.on_lag("events/0", 4)
    hooks.on_resume({"sliding": 2})
    hooks.on_outputs(outputs(in_order([LARGE]))[0])
    hooks.on_snapshot("panes", 9, before=2)
    for watched in (first, second):
        assert watched.value("driftflow_epoch_age_seconds") == 0
        assert watched.value("driftflow_events_total", model="credit") == 3
        assert watched.value("driftflow_lag", partition="events/0") == 4
        assert watched.value("driftflow_episodes_open", model="credit", window="sliding") == 2
        assert watched.value("driftflow_windows_total", window="tumbling") == 1
        assert watched.value("driftflow_state_bytes", step="panes") == 7


@contextmanager
def serving(watched: Watched, max_epoch_age_s: float = 60.0) -> Iterator[MetricsServer]:
    server = serve_metrics(watched.metrics, 0, max_epoch_age_s=max_epoch_age_s)
    try:
        yield server
    finally:
        server.close()


def get(server: MetricsServer, path: str) -> tuple[int, str, str]:
    """Status, type and text of an answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_metrics_are_scraped_over_http() -> None:
    watched = Watched()
    watched.metrics.on_batch(batch('odd "name"\n', rows=42, frontier=1))
    with serving(watched) as server:
        status, kind, text = get(server, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
    }
    assert samples["driftflow_events_total", "credit"] == 42
    assert samples["driftflow_watermark_seconds", 'odd "name"\n'] == (MONDAY + HOUR) / 1_000
    build = next(key for key in samples if key[0] == "driftflow_build_info")
    assert samples[build] == 1


def test_health_flips_with_the_age_of_the_last_epoch() -> None:
    watched = Watched()
    with serving(watched, max_epoch_age_s=30.0) as server:
        status, kind, text = get(server, "/healthz")
        assert (status, kind) == (200, "application/json")
        assert json.loads(text) == {"status": "ok", "epoch_age_seconds": 0.0, "limit_seconds": 30.0}
        watched.clock.now_s += 29.9
        assert get(server, "/healthz")[0] == 200
        watched.clock.now_s += 0.1
        status, _, text = get(server, "/healthz")
        assert status == 503
        assert json.loads(text) == {"status": "stalled", "epoch_age_seconds": 30.0, "limit_seconds": 30.0}
        watched.metrics.on_epoch()
        assert get(server, "/healthz")[0] == 200


def test_other_paths_are_not_found() -> None:
    with serving(Watched()) as server:
        status, _, text = get(server, "/")
    assert status == 404
    assert json.loads(text)["paths"] == ["/metrics", "/healthz"]


def test_a_client_that_says_nothing_holds_up_nobody() -> None:
    with serving(Watched()) as server, socket.create_connection(("127.0.0.1", server.port)):
        assert get(server, "/healthz")[0] == 200


def test_a_port_in_use_is_told() -> None:
    with serving(Watched()) as server:
        wanted = f"127.0.0.1:{server.port}: another process listens there; name a free port"
        with pytest.raises(MetricsError, match=re.escape(wanted)):
            serve_metrics(Watched().metrics, server.port)


def test_a_host_that_is_not_ours_and_a_port_that_is_none_are_told() -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    with pytest.raises(MetricsError, match=r"192\.0\.2\.1:9100: .*wanted a host of this machine"):
        serve_metrics(Watched().metrics, 9_100, "192.0.2.1")
    with pytest.raises(MetricsError, match=r"127\.0\.0\.1:70000"):
        serve_metrics(Watched().metrics, 70_000)


def test_a_closed_server_gives_its_port_back() -> None:
    with serving(Watched()) as server:
        port = server.port
    assert not any(thread.name == "metrics" for thread in threading.enumerate())
    serve_metrics(Watched().metrics, port).close()


def documented() -> list[tuple[str, str, str]]:
    """Return name, labels and type of each metric of the page."""
    return re.findall(r"^\| `(driftflow_\w+)(?:\{([\w,]+)\})?` \| (\w+) \|", DOCS.read_text(), re.MULTILINE)


def test_every_metric_is_documented_and_every_documented_one_exists() -> None:
    watched = Watched()
    metrics = {
        (metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, ""), metric.type)
        for metric in watched.registry.collect()
    }
    rows = [row for row in documented() if not row[0].startswith(OTHERS)]
    assert {(name, kind) for name, _, kind in rows} == metrics
    assert len(rows) == len(metrics)


def test_the_labels_of_every_metric_are_documented() -> None:
    watched = Watched()
    watched.metrics.on_batch(batch(rows=1, frontier=1))
    watched.metrics.on_batch(batch("labels:a", rows=1, frontier=1))
    watched.metrics.hooks.on_joined("00", joined())
    watched.metrics.on_lag("events/0", 1)
    watched.metrics.on_snapshot("panes", 1, before=0)
    watched.metrics.on_outputs(outputs(in_order([CALM]))[0])
    watched.metrics.on_outputs(run(Report(of_records())))
    found = {}
    for metric in watched.registry.collect():
        labels = {name for sample in metric.samples for name in sample.labels} - {"le"}
        found[metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")] = labels
    rows = [row for row in documented() if not row[0].startswith(OTHERS)]
    assert {name: set(labels.split(",")) - {""} for name, labels, _ in rows} == found


def joined(*counts: tuple[Count, int], waiting: int = 0, early: int = 0, memory: int = 0) -> Joined:
    numbers = [0] * len(Count)
    for count, number in counts:
        numbers[count] = number
    return Joined(
        upto=9,
        last=9,
        known=np.zeros(0, dtype=np.int64),
        panes=np.zeros(0, dtype=np.int64),
        predictions=np.zeros((0, 1)),
        labels=np.zeros((0, 1)),
        counts=((8, 7, tuple(numbers)),),
        waiting=waiting,
        early=early,
        memory=memory,
    )


def test_labels_are_counted_apart_from_events() -> None:
    watched = Watched()
    watched.metrics.on_batch(batch(rows=5, frontier=3))
    watched.metrics.on_batch(batch("labels:a", rows=7, frontier=2))
    assert watched.value("driftflow_events_total", model="credit") == 5
    assert watched.value("driftflow_labels_total") == 7
    start = watched.metrics._grid.start_of(2) / 1_000
    assert watched.value("driftflow_labels_watermark_seconds", partition="labels:a") == start
    assert watched.value("driftflow_watermark_seconds", partition="labels:a") is None
    watched.metrics.on_batch(batch("labels:a", frontier=END))
    assert watched.value("driftflow_labels_watermark_seconds", partition="labels:a") is None


def test_the_join_shows_what_became_of_both_sides() -> None:
    watched = Watched()
    told = watched.metrics.hooks.on_joined
    told("00", joined((Count.LABELLED, 6), (Count.UNLABELLED, 1), waiting=10, early=2, memory=1_000))
    told("01", joined((Count.FORGOTTEN, 1), (Count.ORPHANS, 3), waiting=5, memory=500))
    told("00", joined((Count.LABELLED, 1), waiting=8, early=1, memory=900))
    rows = {"side": "predictions", "outcome": "labelled"}
    assert watched.value("driftflow_join_rows_total", **rows) == 7
    assert watched.value("driftflow_join_rows_total", side="labels", outcome="orphan") == 3
    assert watched.value("driftflow_join_rate") == 7 / 9
    # The last of each shard.
    assert watched.value("driftflow_join_waiting_rows", side="predictions") == 13
    assert watched.value("driftflow_join_waiting_rows", side="labels") == 1
    assert watched.value("driftflow_join_bytes") == 1_400


def test_the_process_is_in_a_new_registry() -> None:
    registry = new_registry()
    Metrics(registry, Clock(), model="credit", grid=grid_of())
    assert (registry.get_sample_value("process_resident_memory_bytes") or 0) > 1e6
    names = {sample.name for metric in registry.collect() for sample in metric.samples}
    assert not {name for name in names if name.endswith("_created")}
