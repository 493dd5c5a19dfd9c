from pathlib import Path

import pytest

from detectors.checks import Given
from flows.config import Config, parse_config
from flows.config_values import ConfigError
from flows.record_spec import RecordSpec, record_spec, record_watch
from flows.record_track import record_track
from state.generations import Generations
from tests.evidence import build

BASE = """
model: {name: m}
input: {path: events.jsonl}
time: {column: ts}
windows: {w: {size: 1h}}
columns:
  x: {kind: numeric}
"""


def config(more: str = "") -> Config:
    return parse_config(BASE + more, folder=Path())


def test_records_are_watched_unless_quality_is_off() -> None:
    assert config().watches_records
    assert record_spec(config()) == RecordSpec(id_column=None, timed=True)
    off = config("quality: {enabled: false}\n")
    assert (off.watches_records, record_spec(off), record_watch(off)) == (False, None, None)


def test_a_status_is_counted_with_quality_off_too() -> None:
    found = config("  s: {kind: categorical, role: status}\nquality: {enabled: false}\n")
    assert found.watches_records
    assert found.operations is not None
    assert (found.operations.status, found.operations.level) == ("s", 1e-4)


def test_the_level_of_operations_is_split_over_their_checks() -> None:
    found = config("  s: {kind: categorical, role: status}\n  l: {kind: numeric, role: latency}\n").operations
    assert found is not None
    # Three quantiles and the share of errors.
    assert found.level == pytest.approx(1e-4 / 4)
    off = "operations: {enabled: false}\n"
    assert config("  l: {kind: numeric, role: latency}\n" + off).operations is None
    assert config().operations is None


def test_the_first_id_names_a_record() -> None:
    found = config("  a: {kind: categorical, role: id}\n")
    assert record_spec(found) == RecordSpec(id_column="a", timed=True)


def test_what_can_change_a_decision_is_in_the_fingerprints() -> None:
    plain = config()
    limited = config("quality: {records: {duplicate_share: {max: 0.02}}}\n")
    assert limited.record_limits == {
        "duplicate_share": Given(upper=0.02, source="quality.records.duplicate_share")
    }
    assert limited.decision_fingerprint != plain.decision_fingerprint
    latency = "  l: {kind: numeric, role: latency}\n"
    other = config(latency + "operations: {error_rate: 0.1}\n")
    assert other.decision_fingerprint != config(latency).decision_fingerprint
    # Of a model without such columns nothing depends on the section.
    assert config("operations: {error_rate: 0.1}\n").decision_fingerprint == plain.decision_fingerprint


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            "quality: {records: {duplicates: {max: 0.1}}}",
            r"`quality.records`: found the check 'duplicates', wan",
        ),
        (
            "quality: {records: {low_volume: {}}}",
            r"`quality.records.low_volume`: found neither `min` nor `max`",
        ),
        (
            "quality: {records: {low_volume: {min: 3, max: 2}}}",
            r"`quality.records.low_volume.min`: found 3, wanted at most `max` \(2\)",
        ),
        ("quality: {volume_factor: 0.5}", r"volume_factor"),
        ("operations: {errors: ['5xx', ' ']}", r"`operations.errors\[1\]`: found ' ', wanted a status"),
        ("operations: {latency: {p95: 0}}", r"p95"),
        (
            "  s: {kind: numeric, role: status}",
            r"`columns.s.kind`: found numeric, wanted categorical: a status is a name",
        ),
        (
            "  l: {kind: categorical, role: latency}",
            r"`columns.l.kind`: found categorical, wanted numeric for a latency",
        ),
        (
            "  a: {kind: categorical, role: status}\n  b: {kind: categorical, role: status}",
            r"`columns`: found a, b with role status, wanted one",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_key(more: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        config(more + "\n")


def test_a_label_may_be_absent_and_any_field_of_another_type() -> None:
    found = config("  y: {kind: numeric, role: label}\n")
    generations = Generations((build(),))
    track = record_track(found, generations, None)
    assert track is not None
    (layout,) = track.summary.layouts
    assert (layout.columns, layout.paths) == (("x", "y"), {"x": "x"})
