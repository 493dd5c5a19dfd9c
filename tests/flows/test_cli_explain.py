"""driftflow explain and config explain: events and limits in words."""

from math import log10
from pathlib import Path
from typing import Any

import orjson
import pytest

from state.events import EventType
from tests.command_line import Call, caller


@pytest.fixture
def config(own_demo: Path) -> Path:
    return own_demo


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch, 100)


def first(config: Path, kind: EventType) -> dict[str, Any]:
    lines = (config.parent / "out" / "events.jsonl").read_bytes().splitlines()
    found: dict[str, Any] = next(e for line in lines if (e := orjson.loads(line))["type"] == kind)
    return found


def plain(text: str) -> str:
    return " ".join(text.split())


def test_an_opened_episode_is_explained_with_its_rule_and_limit(call: Call, config: Path) -> None:
    event = first(config, EventType.OPENED)
    told = call("explain", config, event["id"])
    assert told.code == 0
    said, data = plain(told.out), event["data"]
    decision = data["result"]["decision"]
    assert f"sequential evidence (e-sr) 10^{decision['value']:.1f} against 10^{decision['limit']:.1f}" in said
    assert f'above all of "{decision["component"]}"' in said
    assert "Limit: budget: at most 1 false alarm in 90d" in said
    assert f"demo 1: {data['result']['feature']}" in said
    assert "larger than the 0.02 that does not matter" in said
    assert all(reading["method"] in said for reading in data["result"]["readings"])
    assert all(len(line) <= 100 for line in told.out.splitlines())


def test_an_episode_is_explained_by_the_event_that_opened_it(call: Call, config: Path) -> None:
    event = first(config, EventType.OPENED)
    assert (
        call("explain", config, event["data"]["episode"]["id"]).out
        == call("explain", config, event["id"]).out
    )


def test_a_beginning_is_enough_and_json_is_the_event(call: Call, config: Path) -> None:
    event = first(config, EventType.OPENED)
    assert call("explain", config, event["id"][:20], "--json").json() == event


def test_a_report_is_explained_column_by_column(call: Call, config: Path) -> None:
    event = first(config, EventType.REPORT)
    told = call("explain", config, event["id"])
    assert all(found["feature"] in told.out for found in event["data"]["features"])


@pytest.mark.parametrize("beginning", ["nothing", ""])
def test_an_id_that_names_no_event_or_many_is_refused(call: Call, config: Path, beginning: str) -> None:
    told = call("explain", config, beginning)
    assert told.code == 2
    assert ("no event or episode" if beginning else "ids begin with ''") in told.err


def test_without_a_run_there_is_nothing_to_explain(call: Call, tmp_path: Path) -> None:
    call("generate", "demo", "--out", tmp_path, "--rows", 100, "--reference-rows", 100)
    told = call("explain", tmp_path / "driftflow.yaml", "a")
    assert told.code == 2
    assert "driftflow run" in told.err


def test_the_budget_becomes_thresholds(call: Call, config: Path) -> None:
    found = call("config", "explain", config, "--json").json()
    # The windows of this demo slide by 6 h: 90 d are 360 blocks; twelve columns.
    assert "slide: 6h" in config.read_text()
    assert found["patience"] == 360
    assert found["lone_limit"] == pytest.approx(log10(12 * 360))
    assert found["joint_limit"] == pytest.approx(log10(360))
    said = plain(call("config", "explain", config).out)
    assert "at most 1 false alarm of the model in 90d (360 evidence blocks)" in said
    # log10(4,320) = 3.64
    assert "10^3.6" in said


def test_limits_are_those_of_the_detectors(call: Call, config: Path) -> None:
    small = call("config", "explain", config, "--rows", 200, "--json").json()
    large = call("config", "explain", config, "--rows", 20_000, "--json").json()
    for few, many in zip(small["columns"], large["columns"], strict=True):
        # A larger window scatters less; the statistic of chi-square is the one whose law does not change.
        assert many["limits"]["psi"] < few["limits"]["psi"]
        assert few["block_rows"] >= 500


def test_limits_of_checks_are_those_of_windows_of_so_many_rows(call: Call, config: Path) -> None:
    small = call("config", "explain", config, "--rows", 200, "--json").json()
    large = call("config", "explain", config, "--rows", 20_000, "--json").json()
    assert small["quality"]["level"] == 1e-4
    # Twelve columns, and the records.
    assert small["quality"]["of_a_track"] == pytest.approx(1e-4 / 13)
    for few, many in zip(small["columns"], large["columns"], strict=True):
        assert many["checks"]["missing_share"] <= few["checks"]["missing_share"]
    income = next(column for column in large["columns"] if column["column"] == "income")
    assert income["checks"]["out_of_range_share"] == 0.01
    said = plain(call("config", "explain", config, "--rows", 20_000).out)
    assert "at most one window in 10,000 violates a check where nothing has changed" in said
    off = config.parent / "unchecked.yaml"
    off.write_text(config.read_text() + "\nquality: {enabled: false}\n")
    found = call("config", "explain", off, "--json").json()
    assert found["quality"] is None
    assert found["columns"][0]["checks"] == {}


def test_a_budget_that_cannot_be_is_refused(call: Call, config: Path) -> None:
    text = config.read_text() + "\ndetection: {budget: {every: nothing}}\n"
    other = config.parent / "other.yaml"
    other.write_text(text)
    told = call("run", other)
    assert told.code == 2
    assert "`detection.budget.every`: found 'nothing', wanted a duration" in told.err


THRESHOLD = """
detection:
  rule: threshold
  threshold: {method: psi, kind: %s, options: {%s}}
"""


def test_a_score_with_a_limit_of_its_own_opens_episodes(call: Call, config: Path) -> None:
    other = config.parent / "threshold.yaml"
    other.write_text(config.read_text() + THRESHOLD % ("constant", "value: 0.1"))
    events = config.parent / "threshold.jsonl"
    assert call("run", other, "--events", events, "--overwrite").code == 0
    drifts = [
        e
        for line in events.read_bytes().splitlines()
        if (e := orjson.loads(line))["type"] != EventType.REPORT
    ]
    opened = [event["data"]["result"] for event in drifts if event["type"] == EventType.OPENED]
    assert opened
    for result in opened:
        decision = result["decision"]
        (psi,) = [r["score"] for r in result["readings"] if r["method"] == "psi"]
        assert (decision["rule"], decision["statistic"], decision["limit"]) == ("threshold", "psi", 0.1)
        assert decision["value"] == psi > 0.1
        assert decision["source"] == "given in the configuration"
    assert "psi is above the limit 'constant' (value 0.1)" in plain(call("config", "explain", other).out)


def test_settings_of_a_preset_are_told_and_the_files_own_are_not_among_them(call: Call, config: Path) -> None:
    other = config.parent / "preset.yaml"
    other.write_text(config.read_text() + "\ndetection: {preset: evidently, drift_share: 0.3}\n")
    found = call("config", "explain", other, "--json").json()
    assert found["preset"] == "evidently"
    assert found["from_preset"]["detection.threshold.method"] == "wasserstein"
    assert "detection.drift_share" not in found["from_preset"]
    told = plain(call("config", "explain", other).out)
    assert "From the preset 'evidently': detection.rule threshold" in told
    assert (
        "its wasserstein is above the limit 'constant' (unit deviation, value 0.1); a categorical one" in told
    )
    assert "From the preset" not in plain(call("config", "explain", config).out)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{kind: nothing}", "`detection.threshold.kind`: There is no threshold 'nothing'"),
        ("{method: nothing}", "`detection.threshold.method`: There is no detector 'nothing'"),
        ("{options: {sigmas: -1}}", "`detection.threshold.options`: `sigmas`: found -1"),
        ("{method: ks}", "`detection.threshold.method`: 'ks' does not measure categorical columns"),
        ("{categorical: {method: ks}}", "`detection.threshold.categorical.method`: 'ks' does not measure"),
        ("{categorical: {kind: nothing}}", "`detection.threshold.categorical.kind`: There is no threshold"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(call: Call, config: Path, given: str, said: str) -> None:
    other = config.parent / "refused.yaml"
    other.write_text(f"{config.read_text()}\ndetection: {{rule: threshold, threshold: {given}}}\n")
    told = call("run", other)
    assert told.code == 2
    assert said in plain(told.err)
