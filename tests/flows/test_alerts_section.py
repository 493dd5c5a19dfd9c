"""The section `alerts`: what is refused by which words, what it turns into, and when hours are quiet."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.rules import GroupKey, Quiet, QuietHours
from alerts.signals import Kind
from detectors.verdicts import Severity
from flows.config import Config, parse_config
from flows.config_values import ConfigError

_HEAD = """
model: {name: fraud}
input: {path: events.jsonl}
time: {column: ts}
columns: {amount: {kind: numeric}}
windows: {hourly: {size: 1h}}
"""


def _config(alerts: str) -> Config:
    return parse_config(f"{_HEAD}\nalerts: {alerts}\n" if alerts else _HEAD, folder=Path())


def _at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_without_the_section_all_goes_to_standard_output() -> None:
    rules = _config("").alerts
    assert [(route.name, route.channels) for route in rules.routes] == [("all", ("stdout",))]
    assert rules.caps == {"stdout": 20}


def test_a_route_keeps_what_the_file_says() -> None:
    rules = _config(
        "{channels: {a: {type: stdout, cap_per_hour: 3}, b: {type: stdout}}, routes: "
        "[{name: r, channels: [a], "
        "match: {features: [am*], kinds: [drift], windows: [hourly], severity: high}, group_wait: 1m, "
        "group_by: [feature], cooldown: 2h, escalate: {after: 30m, channels: [b]}, resolve: false}]}"
    ).alerts
    (route,) = rules.routes
    assert (route.group_wait_ms, route.cooldown_ms, route.resolve) == (60_000, 7_200_000, False)
    assert route.group_by == (GroupKey.FEATURE,)
    assert route.match.kinds == (Kind.DRIFT,)
    assert route.match.severity is Severity.HIGH
    assert route.escalation is not None
    assert (route.escalation.after_ms, route.escalation.channels) == (1_800_000, ("b",))
    assert rules.caps == {"a": 3, "b": 20}


@pytest.mark.parametrize(
    ("alerts", "words"),
    [
        ("{routes: [{name: r, channels: [pager]}]}", "`alerts.routes[0].channels`: found 'pager'"),
        ("{routes: [{name: r, channels: []}]}", "`alerts.routes[0].channels`: found none"),
        ("{routes: [{name: r, channels: [stdout, stdout]}]}", "found 'stdout' twice"),
        (
            "{routes: [{name: r, channels: [stdout]}, {name: r, channels: [stdout]}]}",
            "found two with the name 'r'",
        ),
        ("{routes: [{name: r, channels: [stdout], match: {windows: [daily]}}]}", "found 'daily'"),
        ("{routes: [{name: r, channels: [stdout], group_wait: soon}]}", "`alerts.routes[0].group_wait`"),
        ("{routes: [{name: r, channels: [stdout], cooldown: 5}]}", "cooldown"),
        ("{channels: {a: {type: pigeon}}}", "pigeon"),
        ("{channels: {a: {type: stdout, cap_per_hour: 0}}}", "cap_per_hour"),
        ("{quiet: {zone: Mars}}", "`alerts.quiet.zone`: found 'Mars'"),
        (
            '{quiet: {hours: [{start: "25:00", end: "07:00"}]}}',
            "`alerts.quiet.hours[0].start`: found '25:00'",
        ),
        (
            '{quiet: {maintenance: [{start: "2026-01-02", end: "2026-01-01"}]}}',
            "`alerts.quiet.maintenance[0].end`",
        ),
    ],
)
def test_what_cannot_hold_is_refused_by_its_key(alerts: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        _config(alerts)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("instant", "held"),
    [
        # 2026-01-05 is a Monday; Berlin is an hour ahead of UTC in winter.
        ("2026-01-05T20:59", False),
        ("2026-01-05T21:00", True),
        ("2026-01-06T05:59", True),
        ("2026-01-06T06:00", False),
        ("2026-01-06T21:00", False),
    ],
)
def test_hours_that_end_on_the_next_day_belong_to_the_day_they_start_on(instant: str, *, held: bool) -> None:
    quiet = _config(
        '{quiet: {zone: Europe/Berlin, hours: [{days: [mon], start: "22:00", end: "07:00"}]}}'
    ).alerts.quiet
    assert quiet.hours == (QuietHours(days=(0,), start=22 * 60, end=7 * 60),)
    assert quiet.holds_back(Severity.MEDIUM, _at(instant)) is held
    assert not quiet.holds_back(Severity.HIGH, _at(instant))


def test_maintenance_ends_where_it_says_and_may_hold_back_everything() -> None:
    quiet = Quiet(maintenance=((1_000, 2_000),), passes=None)
    assert [quiet.holds_back(Severity.HIGH, at) for at in (999, 1_000, 1_999, 2_000)] == [
        False,
        True,
        True,
        False,
    ]


def test_retraining_and_the_monitor_are_part_of_the_section() -> None:
    config = _config(
        "{channels: {a: {type: stdout}}, retraining: {rules: [{name: r}], channels: [a], command: [train]}, "
        "monitor: {silence: 3h}}"
    )
    assert config.retraining is not None
    assert config.retraining.channels == ("a", "retraining")
    assert config.monitor.silence_ms == 3 * 3_600_000
    plain = _config("")
    assert plain.retraining is None
    assert plain.monitor.silence_ms is None


@pytest.mark.parametrize(
    ("alerts", "told"),
    [
        (
            "{channels: {retraining: {type: stdout}}, retraining: {rules: [{name: r}], command: [x]}}",
            "`alerts.channels`: found 'retraining', wanted another name",
        ),
        ("{retraining: {rules: [{name: r}], channels: [b]}}", "`alerts.retraining.channels`: found 'b'"),
        ("{monitor: {workers: [nowhere]}}", "`alerts.monitor.workers`: found 'nowhere'"),
    ],
)
def test_what_they_may_not_say_is_refused_when_the_file_is_read(alerts: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        _config(alerts)
