from pathlib import Path

import pytest

from detectors.base import Kind
from flows.config import Config, parse_config
from flows.config_values import ConfigError
from flows.input import config_input, file_labels
from flows.render.joining import need_line
from flows.sources.base import SourceError
from state.columns import TimeColumn
from state.durations import Axis
from state.joined import JoinLimits

GOOD = """
model: {name: fraud}
input: {path: events.jsonl}
time: {column: ts, lateness: 5m, zone: Europe/Berlin, latest: '2026-01-01'}
columns:
  amount: {kind: numeric}
  fraud: {kind: categorical, role: prediction}
  request: {kind: categorical, role: id, path: meta.id}
windows: {hourly: {size: 1h}}
labels: {path: labels.csv, label: outcome, time: {column: known_at}}
"""


def parsed(text: str, folder: Path = Path()) -> Config:
    return parse_config(text, folder=folder, name="driftflow.yaml")


def labelled(labels: str, text: str = GOOD) -> Config:
    return parsed(text[: text.index("labels:")] + f"labels: {labels}\n")


def test_what_is_left_open_follows_the_events() -> None:
    config = parsed(GOOD)
    labels = config.labels
    assert labels is not None
    assert labels.prediction_id == "request"
    assert [(field.name, field.path, field.kind) for field in labels.fields] == [
        ("@id", "meta.id", Kind.CATEGORICAL),
        ("@label", "outcome", Kind.CATEGORICAL),
    ]
    assert labels.time == TimeColumn(path="known_at", zone="Europe/Berlin")
    assert (labels.known, labels.record_time) == (False, False)
    # Seven days of hours; 10 million rows in 8 shards.
    assert labels.limits == JoinLimits(horizon=168, early=168, max_rows=1_250_000)
    assert config.label_bounds.lateness == 300_000
    # A label may come at any time after the last event.
    assert config.label_bounds.latest is None


def test_references_have_labels_that_events_have_not_yet() -> None:
    config = parsed(GOOD)
    assert [field.name for field in config.fields] == ["amount", "fraud", "request"]
    assert [field.path for field in config.reference_fields] == ["amount", "fraud", "meta.id", "outcome"]
    named = GOOD.replace("windows:", "  truth: {kind: numeric, role: label, path: y}\nwindows:")
    config = parsed(named)
    assert [field.name for field in config.fields] == ["amount", "fraud", "request"]
    assert [field.path for field in config.reference_fields] == ["amount", "fraud", "meta.id", "y"]
    assert config.labels is not None
    # Named alike on both sides, so that what a reference measures can be compared.
    label = config.labels.fields[1]
    assert (label.name, label.path, label.kind) == ("truth", "outcome", Kind.NUMERIC)


def test_spans_are_rounded_up_to_panes() -> None:
    config = labelled(
        "{path: l.csv, label: y, kind: numeric, horizon: 90m, early: 1m, lateness: 2m, "
        "max_rows: 10, shards: 3}"
    )
    labels = config.labels
    assert labels is not None
    assert labels.limits == JoinLimits(horizon=2, early=1, max_rows=4)
    assert labels.known
    assert labels.fields[1].kind is Kind.NUMERIC
    assert config.label_bounds.lateness == 120_000


def test_rows_without_times_wait_a_window() -> None:
    rows = GOOD.replace("column: ts, lateness: 5m, zone: Europe/Berlin, latest: '2026-01-01'", "rows: true")
    config = labelled("{path: l.csv, label: y}", rows.replace("size: 1h", "size: 500 rows"))
    assert config.labels is not None
    assert (config.labels.horizon, config.labels.limits.horizon) == (500, 1)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("{label: y}", "`labels`: wanted one of `path` and `topics`, found none"),
        ("{label: y, path: a, topics: [b]}", "found path, topics"),
        ("{label: y, topics: [b]}", "`labels.time`: found none, wanted when a label became known"),
        ("{label: y, path: a, time: {record: true}}", "`labels.time.record`: only records of Kafka"),
        ("{label: y, path: a, time: {rows: true}}", "`labels.time`: found `rows`, wanted `column`"),
        ("{label: y, path: a, time: {}}", "`labels.time`: wanted one of `column`, .* found none"),
        (
            "{label: y, path: a, time: {column: t, zone: Mars}}",
            "`labels.time.zone`: found 'Mars', wanted an IANA time zone",
        ),
        ("{label: y, path: a, horizon: 10 rows}", "`labels.horizon`: found '10 rows', wanted a duration"),
        ("{label: y, path: a, early: soon}", "`labels.early`: found 'soon', wanted a duration"),
        ("{label: y, path: a, shards: 0}", r"`\$.labels.shards`"),
        ("{path: a}", "`labels.label`: found none, wanted the field with the label"),
    ],
)
def test_a_mistake_is_told_by_key_and_value(labels: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        labelled(labels)


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("{kind: categorical}", "`columns`: found none with `role: id`, wanted one"),
        ("{kind: numeric, role: id}", "`columns.request.kind`: found numeric, wanted categorical"),
    ],
)
def test_predictions_need_an_id(role: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parsed(GOOD.replace("{kind: categorical, role: id, path: meta.id}", role))


def test_what_state_depends_on_changes_its_fingerprint() -> None:
    def printed(labels: str) -> bytes:
        return labelled(labels).state_fingerprint("r")

    one = printed("{path: a.csv, label: y}")
    assert printed("{path: b.csv, label: y, rate: 5, format: csv}") == one
    for other in ("{path: a.csv, label: z}", "{path: a.csv, label: y, horizon: 8d}"):
        assert printed(other) != one
    without = parsed(GOOD[: GOOD.index("labels:")])
    assert without.state_fingerprint("r") != one
    # A decision about drift does not depend on labels.
    assert without.decision_fingerprint == labelled("{path: a.csv, label: y}").decision_fingerprint


def test_what_the_join_needs_is_said_in_bytes() -> None:
    config = labelled("{path: a.csv, label: y, max_rows: 1000000, rate: 20, horizon: 1d}")
    assert config.labels is not None
    # 17 bytes and one number are 25; 20 a second are 1,728,000 a day.
    assert need_line(config.labels, 1, Axis.MILLISECONDS) == (
        "Labels are waited for 1d: 25 bytes a prediction, at most 1,000,000 of them (25.0 MB; twice that "
        "while they are sorted); 20 a second make 1,728,000 (43.2 MB), of which the oldest are given up: "
        "raise `labels.max_rows`."
    )


def test_row_numbers_want_one_file_of_labels(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("meta.id,outcome\n")
    (tmp_path / "events.jsonl").write_text("")
    rows = GOOD.replace("column: ts, lateness: 5m, zone: Europe/Berlin, latest: '2026-01-01'", "rows: true")
    rows = rows.replace("size: 1h", "size: 500 rows")
    text = rows[: rows.index("labels:")] + f"labels: {{path: '{tmp_path}', label: outcome, format: csv}}\n"
    config = parsed(text, tmp_path)
    found = config_input(config, tmp_path / "events.jsonl").with_labels(file_labels(config))
    assert found.partitions == ("events.jsonl", "labels:a.csv", "labels:b.csv", "labels:events.jsonl")
    with pytest.raises(ConfigError, match=r"`labels.time.rows`: a row's number orders the rows of one file"):
        file_labels(parsed(text.replace("format: csv", "time: {rows: true}"), tmp_path))
    with pytest.raises(SourceError, match=r"nowhere: no such file or folder; check labels.path"):
        file_labels(parsed(text.replace(f"path: '{tmp_path}'", "path: nowhere"), tmp_path))
