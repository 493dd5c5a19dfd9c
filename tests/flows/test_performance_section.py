"""The section `performance`: what it takes from the columns, and how mistakes in it are told."""

import json
from pathlib import Path

import pytest

from detectors.checks import Given
from detectors.performance.base import Task
from flows.config import Config, parse_config
from flows.config_values import ConfigError
from state.performance import CHECKED, Drop

GOOD = """
model: {name: churn}
input: {path: events.jsonl}
time: {column: ts}
columns:
  amount: {kind: numeric}
  leaves: {kind: categorical, role: prediction}
  score: {kind: numeric, role: score}
  left: {kind: categorical, role: label}
windows: {daily: {size: 1d}}
"""


def parsed(performance: str, tmp_path: Path = Path(), text: str = GOOD) -> Config:
    return parse_config(f"{text}performance: {performance}\n", folder=tmp_path)


def test_without_the_section_nothing_is_measured() -> None:
    config = parse_config(GOOD, folder=Path())
    assert config.performance is None
    assert config.decision_fingerprint != parsed("{}").decision_fingerprint


def test_columns_are_found_by_their_roles() -> None:
    found = parsed("{}").performance
    assert found is not None
    fields = found.spec.fields
    found_names = [each and each.name for each in (fields.prediction, fields.score, fields.label)]
    assert found_names == ["leaves", "score", "left"]
    assert not fields.intervals
    assert found.rules.of_task(Task.BINARY).metrics == CHECKED[Task.BINARY]
    assert found.rules.nominal is None


def test_the_class_of_the_only_score_is_positive() -> None:
    text = GOOD.replace("role: score", "role: score, class: gone")
    found = parsed("{}", text=text).performance
    assert found is not None
    assert found.spec.positive == "gone"


def test_of_several_scores_that_of_the_positive_class_counts() -> None:
    text = GOOD.replace(
        "  score: {kind: numeric, role: score}",
        "  a: {kind: numeric, role: score, class: stays}\n  b: {kind: numeric, role: score, class: goes}",
    )
    found = parsed("{positive: goes}", text=text).performance
    assert found is not None
    assert found.spec.fields.score is not None
    assert found.spec.fields.score.name == "b"
    none_named = parsed("{}", text=text).performance
    assert none_named is not None
    assert none_named.spec.fields.score is None


def test_limits_drops_and_baselines_are_read(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text(json.dumps({"accuracy": 0.9, "roc_auc": 0.95}))
    given = "{task: binary, max_drop: {accuracy: 10%, brier: .02}, limits: {f1: {min: .7}}"
    found = parsed(f"{given}, baseline_metrics: base.json}}", tmp_path).performance
    assert found is not None
    assert found.spec.task is Task.BINARY
    assert found.rules.drop("accuracy") == Drop(0.1, relative=True)
    assert found.rules.drop("brier") == Drop(0.02, relative=False)
    assert found.rules.drop("roc_auc") == Drop(0.02, relative=False)
    assert found.rules.drop("rmse") == Drop(0.1, relative=True)
    assert found.rules.limits == {"f1": Given(lower=0.7)}
    assert found.rules.baseline == {"accuracy": 0.9, "roc_auc": 0.95}
    assert found.rules.of_task(Task.BINARY).metrics == (*CHECKED[Task.BINARY], "brier")
    # What stands in the file decides as much as if it stood here.
    before = parsed(f"{given}, baseline_metrics: base.json}}", tmp_path).decision_fingerprint
    (tmp_path / "base.json").write_text(json.dumps({"accuracy": 0.8}))
    assert parsed(f"{given}, baseline_metrics: base.json}}", tmp_path).decision_fingerprint != before


def test_an_interval_claims_its_nominal_level() -> None:
    text = GOOD.replace(
        "  score: {kind: numeric, role: score}",
        "  low: {kind: numeric, role: interval_low}\n  high: {kind: numeric, role: interval_high}",
    )
    found = parsed("{}\npredictions: {interval: {nominal: .8}}", text=text).performance
    assert found is not None
    assert found.spec.fields.intervals
    assert found.rules.nominal == 0.8


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("{metrics: [acuracy]}", ("`performance.metrics`", "'acuracy'", "accuracy")),
        ("{task: regression, metrics: [f1]}", ("`performance.metrics`", "'f1'", "rmse")),
        ("{max_drop: {f1: much}}", ("`performance.max_drop.f1`", "'much'")),
        ("{max_drop: {f1: -1}}", ("`performance.max_drop.f1`", "-1")),
        ("{max_drop: {f2: 1}}", ("`performance.max_drop`", "'f2'")),
        ("{limits: {f1: {}}}", ("`performance.limits.f1`", "`min`")),
        ("{limits: {f1: {min: 2, max: 1}}}", ("`performance.limits.f1`", "2.0", "1.0")),
        ("{baseline_metrics: nowhere.json}", ("`performance.baseline_metrics (nowhere", "cannot")),
        ("{baseline_metrics: {speed: 1}}", ("`performance.baseline_metrics`", "'speed'")),
        ("{baseline_metrics: {f1: .inf}}", ("`performance.baseline_metrics`", "inf", "finite")),
        ("{classes: [a, b], positive: c}", ("`performance.positive`", "'c'")),
        ("{classes: [a, a]}", ("`performance.classes`", "twice")),
        ("{adaptive: {options: {windos: 3}}}", ("`performance.adaptive.options`", "`windos`")),
        ("{adaptive: {kind: reference}}", ("performance.adaptive.kind", "reference")),
        ("{level: 2}", ("performance.level",)),
        ("{treshold: 1}", ("treshold",)),
    ],
)
def test_a_mistake_is_told(mistake: str, told: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as raised:
        parsed(mistake)
    for part in told:
        assert part in str(raised.value)


@pytest.mark.parametrize(
    ("found", "instead", "told"),
    [
        ("role: label", "role: feature", "found no labels"),
        ("  amount: {kind: numeric}", "  again: {kind: categorical, role: label}", "found again, left"),
        ("{kind: numeric, role: score}", "{kind: categorical, role: score}", "`columns.score.kind`"),
    ],
)
def test_columns_that_do_not_suit_are_told(found: str, instead: str, told: str) -> None:
    assert found in GOOD
    with pytest.raises(ConfigError, match=told):
        parsed("{}", text=GOOD.replace(found, instead))


def test_something_has_to_be_predicted() -> None:
    text = GOOD.replace(", role: prediction", "").replace(", role: score", "")
    with pytest.raises(ConfigError, match="role: prediction` or `role: score`, found none"):
        parsed("{}", text=text)


def test_errors_are_a_watched_column_where_events_bring_their_labels() -> None:
    assert [column.name for column in parsed("{}").columns][-1] == "wrong"
    assert "wrong" not in [column.name for column in parsed("{errors: false}").columns]
    numbers = GOOD.replace("leaves: {kind: categorical", "leaves: {kind: numeric").replace(
        "left: {kind: categorical", "left: {kind: numeric"
    )
    without_score = numbers.replace("  score: {kind: numeric, role: score}\n", "")
    assert [column.name for column in parsed("{}", text=without_score).columns][-1] == "error"
    assert [column.name for column in parsed("{task: binary}", text=without_score).columns][-1] == "wrong"


def test_errors_are_no_column_of_the_records_where_labels_come_later() -> None:
    later = GOOD.replace("windows:", "  n: {kind: categorical, role: id}\nwindows:")
    later += "labels: {path: l.csv, label: y, id: n}\n"
    config = parsed("{}", text=later)
    assert "wrong" not in [column.name for column in config.tracks]
    (column,) = [column for made in config.late_errors for column in made.columns]
    assert (column.name, column.formula) == ("wrong", "leaves != left")
    elsewhere = parsed("{}", text=later.replace("  left: {kind: categorical, role: label}\n", ""))
    assert [made.columns[0].formula for made in elsewhere.late_errors] == ["leaves != y"]
    assert parsed("{errors: false}", text=later).late_errors == ()
    assert parsed("{}").late_errors == ()


def test_a_column_of_that_name_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"`columns.wrong`: .*`performance.errors`"):
        parsed("{}", text=GOOD.replace("  amount:", "  wrong:"))
