from typing import Any

import msgspec
import pytest

from alerts.retrain_rules import Begin, RetrainRules
from detectors.base import Kind
from flows.config_values import ConfigError
from flows.sections.retraining import RetrainingConfig, checked_retraining
from state.columns import Column, Role
from state.durations import Axis

COLUMNS = [
    Column(name="income", path="income", kind=Kind.NUMERIC, role=Role.FEATURE),
    Column(name="age", path="age", kind=Kind.NUMERIC, role=Role.FEATURE),
    Column(name="score", path="score", kind=Kind.NUMERIC, role=Role.SCORE),
]
PLAIN = {"rules": [{"name": "shift"}], "command": ["train"]}


def checked(**changed: Any) -> RetrainRules | None:  # noqa: ANN401 - any key of it
    known = changed.pop("known", ("pager",))
    axis, min_rows = changed.pop("axis", Axis.MILLISECONDS), changed.pop("min_rows", 100)
    return checked_retraining(
        msgspec.convert({**PLAIN, **changed}, RetrainingConfig),
        model=("credit", "7"),
        columns=COLUMNS,
        windows=["daily"],
        axis=axis,
        zone="Europe/Berlin",
        min_rows=min_rows,
        known=known,
    )


def test_without_rules_nothing_is_asked() -> None:
    assert checked(rules=[]) is None


def test_features_weigh_one_each_or_what_is_given() -> None:
    plain, weighted = checked(), checked(importance={"income": 0.7})
    assert plain is not None
    assert weighted is not None
    assert plain.weights == {"income": 1.0, "age": 1.0}
    assert weighted.weights == {"income": 0.7, "age": 0.0}


def test_spans_are_read_in_the_unit_of_the_axis() -> None:
    found = checked(
        rules=[{"name": "r", "lasting": "500 rows"}], train_on="2000 rows", axis=Axis.ROWS, at_most_every="6h"
    )
    assert found is not None
    assert (found.rules[0].lasting, found.train_on, found.at_most_every_ms) == (500, 2_000, 21_600_000)
    plain = checked(between="22:00-05:30")
    assert plain is not None
    assert (plain.train_on, str(plain.between)) == (Begin.SINCE, "22:00-05:30")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"command": []}, "wanted `channels` or `command`"),
        ({"channels": ["page"]}, "retraining.channels`: found 'page', wanted some of pager"),
        ({"channels": ["pager", "pager"]}, "found a name twice"),
        ({"known": ("retraining",)}, "`alerts.channels`: found 'retraining', wanted another name"),
        ({"timeout": "0s"}, "timeout`: found '0s', wanted a span above 0"),
        ({"rules": [{"name": "a"}, {"name": "a"}]}, "found a name twice"),
        (
            {"rules": [{"name": "a", "windows": ["hourly"]}]},
            "windows`: found 'hourly', wanted .* daily",
        ),
        ({"rules": [{"name": "a", "loss": {"auc": 0.1}}]}, "rules.a.loss`: found 'auc', wanted .*roc_auc"),
        ({"rules": [{"name": "a", "loss": {"roc_auc": -0.1}}]}, "found -0.1, wanted a number above 0"),
        ({"rules": [{"name": "a", "lasting": "soon"}]}, "rules.a.lasting`: found 'soon'"),
        ({"importance": {"score": 1.0}}, "importance`: found 'score', wanted some of income, age"),
        ({"importance": {"age": 0.0}}, "found 0 for all"),
        ({"between": "22-5"}, "between`: found '22-5', wanted hours"),
        ({"between": "05:00-05:00"}, "wanted hours"),
        ({"train_on": "always"}, "train_on`: found 'always'"),
        ({"train_on": "0d"}, "wanted a length above 0"),
        ({"fresh_labels": 10, "min_rows": None}, "wanted a section `performance` as well"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_key_and_value(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        checked(**changed)
