import re
from pathlib import Path

import pytest

from detectors.checks import Given
from flows.config import Config, load_config, parse_config
from flows.config_values import ConfigError
from flows.sections.quality import quality_rules
from state.durations import Axis
from state.quality import QualityCheck
from state.stores.base import Keeping

GOOD = """
model: {name: fraud}
input: {path: events.jsonl}
time: {column: ts, lateness: 5m}
columns:
  amount: {kind: numeric, path: features.amount}
  country: {kind: categorical}
windows:
  hourly: {size: 1h}
  daily: {size: 1d, slide: 1h}
"""


def parsed(text: str, tmp_path: Path = Path()) -> Config:
    return parse_config(text, folder=tmp_path, name="driftflow.yaml")


def test_a_good_one_says_what_it_means(tmp_path: Path) -> None:
    config = parsed(GOOD, tmp_path)
    assert [(column.name, column.path) for column in config.columns] == [
        ("amount", "features.amount"),
        ("country", "country"),
    ]
    assert config.bounds.lateness == 300_000
    assert config.grid.length == 3_600_000
    assert config.grid.axis is Axis.MILLISECONDS
    assert config.input == tmp_path / "events.jsonl"
    assert config.store == tmp_path / "out" / "driftflow.sqlite"


def test_fields_that_name_a_record_are_read_and_not_watched() -> None:
    config = parsed(GOOD.replace("windows:", "  request: {kind: categorical, role: id}\nwindows:"))
    assert [field.name for field in config.fields] == ["amount", "country", "request"]
    assert [column.name for column in config.columns] == ["amount", "country"]


QUALITY = """
quality:
  level: 0.001
  without: [constant]
  columns:
    amount: {missing_share: {max: 0.05}, zero_share: false, minimum: {min: 0}}
    country: {new_share: {max: 0}}
"""


def test_quality_says_what_is_checked_and_by_which_limits() -> None:
    rules = quality_rules(parsed(GOOD + QUALITY).file.quality, tracks=2, min_rows=50)
    assert rules is not None
    assert (rules.level, rules.min_excess, rules.min_rows) == (0.0005, 0.01, 50)
    assert rules.given["amount"] == {
        QualityCheck.MISSING_SHARE: Given(upper=0.05),
        QualityCheck.MINIMUM: Given(lower=0.0),
    }
    assert rules.given["country"] == {QualityCheck.NEW_SHARE: Given(upper=0.0)}
    assert rules.without == {QualityCheck.CONSTANT}
    assert rules.without_in == {"amount": {QualityCheck.ZERO_SHARE}, "country": frozenset()}
    off = parsed(GOOD + "quality: {enabled: false}").file.quality
    assert quality_rules(off, tracks=2, min_rows=50) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("columns: {age: {constant: false}}", "`quality.columns.age`: found no watched column"),
        ("columns: {country: {zero_share: false}}", "`quality.columns.country.zero_share`: 'country' is cat"),
        ("columns: {amount: {new_share: false}}", "`quality.columns.amount.new_share`: 'amount' is numeric"),
        ("columns: {amount: {minimum: {}}}", "minimum`: found neither `min` nor `max`, wanted at least one"),
        ("columns: {amount: {zero_share: {min: 1, max: 0}}}", "found 1, wanted at most `max` (0)"),
        ("columns: {amount: {missing: {max: 1}}}", "unknown field `missing`"),
        ("without: [mising_share]", "Invalid enum value 'mising_share'"),
        ("level: 0", "`float` > 0"),
    ],
)
def test_what_quality_may_not_say(given: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        parsed(f"{GOOD}quality: {{{given}}}")


def test_quality_is_part_of_what_decides() -> None:
    plain, other = parsed(GOOD), parsed(GOOD + QUALITY)
    assert plain.decision_fingerprint != other.decision_fingerprint


def test_one_column_at_least_is_watched() -> None:
    unwatched = GOOD.replace("kind: numeric, path", "kind: numeric, role: interval_low, path")
    unwatched = unwatched.replace("{kind: categorical}", "{kind: categorical, role: segment}")
    with pytest.raises(ConfigError, match="at least one column to watch"):
        parsed(unwatched)


def test_retention_counts_what_event_time_counts() -> None:
    assert parsed(GOOD).keeping == Keeping(retention=None, panes=200)
    timed = parsed(GOOD + "output: {retention: 2d, panes: 7}\n")
    assert timed.keeping == Keeping(retention=2 * 86_400_000, panes=7)
    rows = GOOD.replace("column: ts, lateness: 5m", "rows: true")
    rows = rows.replace("1h", "10 rows").replace("1d", "50 rows")
    assert parsed(rows + "output: {retention: 1000 rows}\n").keeping.retention == 1_000


# What stands in the good one, what a mistake makes of it, and what the error must name.
MISTAKES = [
    ("lateness: 5m", "lateness: five", ("`time.lateness`", "'five'", "15m")),
    ("lateness: 5m", "latenes: 5m", ("latenes", "$.time")),
    ("size: 1h}", "size: 336 rows}", ("`windows.hourly.size`", "'336 rows'")),
    ("size: 1h}", "size: 1h, slide: 2h}", ("`windows`", "'hourly'", "slide 2h", "size 1h")),
    ("slide: 1h", "slide: 1s", ("`windows`", "'daily'", "86400 slices", "1000")),
    ("kind: numeric", "kind: number", ("number", "$.columns[...].kind")),
    ("{name: fraud}", "{name: 'a b'}", ("$.model.name",)),
    ("{name: fraud}", "{name: fraud, version: 1}", ("$.model.version", "str")),
    ("model:", "output: {retention: 1 row}\nmodel:", ("`output.retention`", "'1 row'", "7d")),
    ("model:", "output: {retention: 0s}\nmodel:", ("`output.retention`", "'0s'", "longer")),
    ("model:", "output: {panes: -1}\nmodel:", ("$.output.panes", ">= 0")),
    ("{path: events.jsonl}", "{path: a, topics: [b]}", ("`input`", "path, topics")),
    ("{path: events.jsonl}", "{}", ("`input`", "none")),
    ("column: ts", "column: ts, rows: true", ("`time`", "column, rows")),
    ("column: ts", "record: true", ("`time.record`", "Kafka")),
    ("column: ts", "column: ts, zone: Berlin", ("`time.zone`", "'Berlin'", "Europe/Berlin")),
    ("column: ts", "column: ts, latest: soon", ("`time.latest`", "'soon'", "2026-01-05")),
    ("{size: 1h}", "{size: 1h}\n  hourly: {size: 2h}", ("'hourly'", "twice")),
    ("model:", "detection: {medium: .5, high: .2}\nmodel:", ("`detection.medium`", "0.5", "0.2")),
    ("model:", "detection: {false_discovery_rate: 2}\nmodel:", ("$.detection.false_discovery_rate",)),
    ("path: events.jsonl", "path: '${NOT_SET_ANYWHERE}'", ("$.input.path", "NOT_SET_ANYWHERE")),
    ("model:", "segments: {columns: [land]}\nmodel:", ("`segments.columns[0]`", "'land'", "country")),
    ("model:", "segments: {columns: [amount]}\nmodel:", ("'amount' has kind numeric", "categorical")),
    ("model:", "segments: {columns: [country, country]}\nmodel:", ("`segments.columns[1]`", "second time")),
    ("model:", "segments: {top: 0}\nmodel:", ("$.segments.top", ">= 1")),
    ("model:", "model: [", ("not YAML",)),
]


@pytest.mark.parametrize(("found", "mistake", "told"), MISTAKES)
def test_a_mistake_is_told_by_key_and_value(found: str, mistake: str, told: tuple[str, ...]) -> None:
    assert found in GOOD
    with pytest.raises(ConfigError) as caught:
        parsed(GOOD.replace(found, mistake, 1))
    for part in ("driftflow.yaml", *told):
        assert part in str(caught.value)


def test_row_numbers_take_no_times() -> None:
    rows = GOOD.replace("column: ts, lateness: 5m", "rows: true, lateness: 5m")
    rows = rows.replace("1h", "10 rows").replace("1d", "100 rows")
    with pytest.raises(ConfigError, match=r"`time\.lateness`: has no meaning"):
        parsed(rows)
    assert parsed(rows.replace(", lateness: 5m", "")).grid.axis is Axis.ROWS


def test_environment_fills_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace("events.jsonl", "'${EVENTS_FOLDER:-here}/events.jsonl'")
    assert parsed(text).file.input.path == "here/events.jsonl"
    monkeypatch.setenv("EVENTS_FOLDER", "there")
    assert parsed(text).file.input.path == "there/events.jsonl"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "binary.yaml")


@pytest.mark.parametrize(
    ("found", "other", "decides", "shapes_state"),
    [
        ("lateness: 5m", "lateness: 6m", True, True),
        ("events.jsonl}", "events.jsonl, batch_rows: 7}", False, False),
        ("model:", "output: {folder: elsewhere}\nmodel:", False, False),
        ("{size: 1h}", "{size: 2h}", False, True),
        ("model:", "detection: {min_rows: 7}\nmodel:", True, True),
        # They explain decisions and take no part in them.
        ("model:", "segments: {columns: [country]}\nmodel:", False, True),
        ("model:", "segments: {min_rows: 7}\nmodel:", False, False),
    ],
)
def test_fingerprints_change_with_what_they_stand_for(
    found: str, other: str, *, decides: bool, shapes_state: bool
) -> None:
    one, two = parsed(GOOD), parsed(GOOD.replace(found, other, 1))
    assert (one.decision_fingerprint != two.decision_fingerprint) == decides
    assert (one.state_fingerprint("r") != two.state_fingerprint("r")) == shapes_state
    assert one.state_fingerprint("r") != one.state_fingerprint("s")


def test_order_of_windows_and_columns_shapes_state() -> None:
    swapped = GOOD.replace(
        "  hourly: {size: 1h}\n  daily: {size: 1d, slide: 1h}\n",
        "  daily: {size: 1d, slide: 1h}\n  hourly: {size: 1h}\n",
    )
    assert parsed(GOOD).state_fingerprint("r") != parsed(swapped).state_fingerprint("r")
    assert parsed(GOOD).decision_fingerprint == parsed(swapped).decision_fingerprint


SCORED = GOOD.replace(
    "windows:",
    "  p: {kind: numeric, role: score, class: fraud}\n"
    "  low: {kind: numeric, role: interval_low}\n"
    "  high: {kind: numeric, role: interval_high}\nwindows:",
)
THREE = SCORED.replace(
    "  low:",
    "  q: {kind: numeric, role: score, class: error}\n  r: {kind: numeric, role: score, class: fine}\n  low:",
)


def derived(text: str) -> list[str]:
    return [column.name for column in parsed(text).columns if column.formula is not None]


def test_roles_say_what_is_derived() -> None:
    assert derived(GOOD) == []
    assert derived(SCORED) == ["p.confidence", "p.uncertain", "interval.width"]
    several = ["scores.confidence", "scores.entropy", "scores.uncertain", "scores.class"]
    assert derived(THREE) == [*several, "interval.width"]
    decided = THREE.replace("country: {kind: categorical}", "country: {kind: categorical, role: prediction}")
    assert derived(decided) == [*several[:-1], "interval.width"]


def test_each_derived_column_can_be_asked_for_and_switched_off() -> None:
    off = (
        "confidence: false, entropy: false, predicted_class: false, uncertain: null, interval: {width: false}"
    )
    assert derived(f"predictions: {{{off}}}\n{THREE}") == []
    more = "entropy: true, margin: true"
    assert derived(f"predictions: {{{more}}}\n{SCORED}") == [
        "p.confidence",
        "p.entropy",
        "p.margin",
        "p.uncertain",
        "interval.width",
    ]


def test_what_is_derived_decides_and_what_is_not_leaves_no_trace() -> None:
    wider = parsed("predictions: {uncertain: {low: .3, high: .7}}\n" + SCORED)
    assert wider.decision_fingerprint != parsed(SCORED).decision_fingerprint
    unused = parsed("predictions: {uncertain: {low: .3, high: .7}}\n" + GOOD)
    assert unused.decision_fingerprint == parsed(GOOD).decision_fingerprint


@pytest.mark.parametrize(
    ("found", "mistake", "told"),
    [
        ("role: score, class: fraud", "class: fraud", ("`columns.p.class`", "role feature", "role score")),
        ("{kind: numeric, role: score, class: error}", "{kind: categorical, role: score, class: error}",
         ("`columns.q.class`", "'error'", "categorical", "numeric")),
        ("class: error", "class: fine", ("`columns`", "'fine'", "one for each class")),
        ("  low: {kind: numeric, role: interval_low}\n", "", ("found 0 of role interval_low", "one of each")),
        ("low: {kind: numeric", "low: {kind: categorical", ("`columns.low.kind`", "interval_low")),
        ("  low:", "  scores.confidence: {kind: numeric}\n  low:",
         ("`columns.scores.confidence`", "max(p, q, r)", "`predictions.confidence`")),
        ("  low:", "  scores.class: {kind: categorical}\n  low:",
         ("`columns.scores.class`", "`predictions.predicted_class`")),
        ("  low:", "  interval.width: {kind: numeric}\n  low:", ("`predictions.interval.width`",)),
        ("model:", "predictions: {uncertain: {low: .7}}\nmodel:",
         ("`predictions.uncertain.low`", "0.7", "0.6")),
        ("path: features.amount", "path: '= amount'", ("`columns.amount.path`", "'= amount'")),
    ],
)  # fmt: skip
def test_a_mistake_about_predictions_is_told(found: str, mistake: str, told: tuple[str, ...]) -> None:
    assert found in THREE
    with pytest.raises(ConfigError) as caught:
        parsed(THREE.replace(found, mistake, 1))
    for part in told:
        assert part in str(caught.value)


def test_what_is_checked_only_is_no_part_of_the_family() -> None:
    config = parsed("predictions: {bounds: {amount: {low: 0}}}\n" + THREE)
    checked = [column.name for column in config.tracks if column not in config.columns]
    assert checked == ["scores.validity", "interval.validity", "amount.validity"]
    assert config.tracks[: len(config.columns)] == config.columns
    off = parsed("predictions: {checks: false, bounds: {amount: {low: 0}}}\n" + THREE)
    assert off.tracks == off.columns == config.columns


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ("{amout: {low: 0}}", ("`predictions.bounds.amout`", "numeric columns")),
        ("{country: {low: 0}}", ("`predictions.bounds.country`", "numeric columns")),
        ("{p: {low: 0}}", ("`predictions.bounds.p`", "within 0 and 1")),
        ("{amount: {}}", ("`predictions.bounds.amount`", "neither")),
        ("{amount: {low: 3, high: 2}}", ("`predictions.bounds.amount.low`", "3.0", "2.0")),
    ],
)
def test_a_mistake_about_bounds_is_told(bounds: str, told: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(f"predictions: {{bounds: {bounds}}}\n{THREE}")
    for part in told:
        assert part in str(caught.value)


def test_a_class_cannot_be_predicted_from_one_score() -> None:
    with pytest.raises(ConfigError, match=r"`predictions\.predicted_class`: wanted .* two classes"):
        parsed("predictions: {predicted_class: true}\n" + SCORED)
