"""driftflow alert as a shell sees it: over a finished demo, to standard output."""

import json
import shutil
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from flows.config import load_config
from flows.connections import store_opener
from tests.command_line import Call, caller


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch, width=120)


@pytest.fixture
def config(drifted_demo: Path, tmp_path: Path) -> Path:
    """A demo of its own: alerting writes into its store."""
    shutil.copytree(drifted_demo.parent, tmp_path / "demo")
    return tmp_path / "demo" / drifted_demo.name


def with_alerts(config: Path, alerts: dict[str, object]) -> Path:
    # JSON is YAML.
    config.write_text(f"{config.read_text()}\nalerts: {json.dumps(alerts)}\n")
    return config


def test_what_is_open_is_told_in_one_message_and_once(call: Call, config: Path) -> None:
    first = call("alert", config, "--once")
    assert first.code == 0, first.err
    assert "1 sent, 0 given up, 0 waiting" in first.err
    assert "income (high)" in first.out
    again = call("alert", "run", config, "--once")
    assert (again.code, again.out) == (0, "")
    assert "0 sent" in again.err


def test_status_lists_what_was_sent_for_people_and_programs(call: Call, config: Path) -> None:
    assert "No alert was decided yet" in call("alert", "status", config).err
    call("alert", config, "--once")
    assert "sent (1)" in call("alert", "status", config).out
    (sent,) = call("alert", "status", config, "--json").json()["sent"]
    assert (sent["channel"], sent["cause"], sent["attempts"]) == ("stdout", "opened", 1)


def test_what_cannot_be_sent_is_given_up_and_sent_after_all(
    call: Call, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens at port 9 of this machine.
    monkeypatch.setenv("HOOK_URL", "http://127.0.0.1:9/hook")
    with_alerts(config, {"channels": {"hook": {"type": "webhook", "url_env": "HOOK_URL", "max_attempts": 1}}})
    failed = call("alert", config, "--once")
    assert failed.code == 1
    assert "0 sent, 1 given up" in failed.err
    (dead,) = call("alert", "status", config, "--json").json()["dead"]
    assert "no connection" in dead["reason"]
    assert call("alert", "retry", config).code == 2
    assert "0 that were given up begin so" in call("alert", "retry", config, "none").err
    assert "1 to be sent again" in call("alert", "retry", config, dead["id"][:12]).err
    (waiting,) = call("alert", "status", config, "--json").json()["waiting"]
    assert (waiting["id"], waiting["attempts"]) == (dead["id"], 0)


def test_a_sample_says_what_became_of_it(call: Call, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Channel stdout took notice" in call("alert", "test", config, "stdout").err
    unknown = call("alert", "test", config, "pager")
    assert (unknown.code, "wanted one of stdout" in unknown.err) == (2, True)
    with_alerts(config, {"channels": {"hook": {"type": "webhook", "url_env": "HOOK_URL"}}})
    missing = call("alert", "test", config, "hook")
    assert (missing.code, "HOOK_URL" in missing.err) == (2, True)
    monkeypatch.setenv("HOOK_URL", "http://127.0.0.1:9/hook")
    away = call("alert", "test", config, "hook")
    assert (away.code, "did not take it now" in away.err) == (1, True)


def test_json_lines_are_cloud_events(call: Call, config: Path) -> None:
    with_alerts(config, {"channels": {"lines": {"type": "stdout", "json": True}}})
    (line,) = call("alert", config, "--once").out.splitlines()
    event = orjson.loads(line)
    assert (event["specversion"], event["type"]) == ("1.0", "io.driftflow.alert.opened")


def test_a_worker_that_is_away_is_told(call: Call, config: Path) -> None:
    # Nothing listens at port 9 of this machine.
    monitor = {"workers": ["127.0.0.1:9"], "open_after": "0s"}
    with_alerts(config, {"channels": {"lines": {"type": "stdout", "json": True}}, "monitor": monitor})
    told = [orjson.loads(line) for line in call("alert", config, "--once").out.splitlines()]
    (signal,) = [each for event in told for each in event["data"]["signals"] if each["kind"] == "monitor"]
    assert (signal["check"], "127.0.0.1:9 does not answer" in signal["told"]) == ("worker_away", True)


def test_a_command_is_asked_to_train_again_once_and_again_where_it_fails(call: Call, config: Path) -> None:
    program = "import pathlib, sys; pathlib.Path('asked').write_bytes(sys.stdin.buffer.read()); open('taken')"
    rules = {
        "rules": [{"name": "any"}],
        "despite_faults": True,
        "command": [sys.executable, "-c", program],
        "channels": ["lines"],
    }
    with_alerts(config, {"channels": {"lines": {"type": "stdout", "json": True}}, "retraining": rules})
    failed = call("alert", config, "--once")
    assert (failed.code, "1 waiting" in failed.err) == (1, True)
    (waiting,) = call("alert", "status", config, "--json").json()["waiting"]
    assert (waiting["channel"], waiting["cause"], waiting["attempts"]) == ("retraining", "retrain", 1)
    request = orjson.loads((config.parent / "asked").read_bytes())
    (told,) = [each for each in map(orjson.loads, failed.out.splitlines()) if "retrain" in each["type"]]
    assert told == request
    log = [orjson.loads(line) for line in (config.parent / "out" / "events.jsonl").read_bytes().splitlines()]
    drifts = [each for each in log if ".drift." in each["type"]]
    open_still = {each["data"]["episode"]["id"] for each in drifts}
    open_still -= {each["data"]["episode"]["id"] for each in drifts if each["type"].endswith("closed")}
    assert {each["id"] for each in request["data"]["episodes"]} == open_still


def test_before_the_first_run_there_is_nothing_to_tell(call: Call, config: Path) -> None:
    shutil.rmtree(config.parent / "out")
    looked = call("alert", "status", config)
    assert (looked.code, "nothing has run" in looked.err) == (2, True)
    told = call("alert", config, "--once")
    assert (told.code, told.out) == (0, "")


def test_what_a_channel_answers_is_logged_as_a_run_logs(
    call: Call, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_URL", "http://127.0.0.1:9/hook")
    monkeypatch.setenv("DRIFTFLOW_LOG_FORMAT", "json")
    with_alerts(config, {"channels": {"hook": {"type": "webhook", "url_env": "HOOK_URL"}}})
    failed = call("alert", config, "--once")
    (line,) = [orjson.loads(each) for each in failed.err.splitlines() if each.startswith("{")]
    assert (line["level"], line["logger"]) == ("warning", "driftflow.alerts")
    assert "channel hook did not take notice" in line["message"]


def test_one_event_is_explained_before_and_after_it_was_told(call: Call, config: Path) -> None:
    episodes = call("episodes", config, "--open", "--json").json()
    (income,) = [each for each in episodes if (each["feature"], each["window"]) == ("income", "daily")]
    before = call("alert", "explain", config, income["id"])
    assert (before.code, "has not run" in before.out, "No message holds" in before.out) == (0, True, True)
    call("alert", config, "--once")
    told = call("alert", "explain", config, income["id"][:16], "--json").json()
    (notice,) = told["notices"]
    assert (notice["delivery"], notice["channel"], told["signal"]["feature"]) == ("sent", "stdout", "income")
    now_ms = time.time_ns() // 1_000_000
    with closing(store_opener(load_config(config))()) as store:
        # Another process alerts meanwhile: looking takes nothing from it.
        assert store.claim_alerts("demo", owner="another", now_ms=now_ms, until_ms=now_ms + 600_000)
        shown = call("alert", "explain", config, income["id"])
        assert store.claim_alerts("demo", owner="another", now_ms=now_ms, until_ms=now_ms + 600_000)
    assert shown.code == 0
    assert "all: matches, to stdout" in shown.out
    assert notice["id"][:12] in shown.out
    assert max(map(len, shown.out.splitlines())) <= 120


def test_an_event_that_only_the_log_has_is_explained(call: Call, config: Path) -> None:
    lines = (config.parent / "out" / "events.jsonl").read_bytes().splitlines()
    event = next(each for line in lines if (each := orjson.loads(line))["type"].endswith("drift.opened"))
    # As a log that alerting follows beside a store of its own.
    config.write_text(config.read_text().replace("folder: out\n", "folder: out\n  store: other.db\n"))
    call("alert", config, "--once")
    assert f"episode {event['data']['episode']['id']}" in " ".join(
        call("alert", "explain", config, event["id"]).out.split()
    )


def test_an_unknown_event_and_one_that_tells_nothing_are_refused(call: Call, config: Path) -> None:
    unknown = call("alert", "explain", config, "zzz")
    assert (unknown.code, "'driftflow tail' prints events" in unknown.err) == (2, True)
    lines = (config.parent / "out" / "events.jsonl").read_bytes().splitlines()
    report = next(each for line in lines if (each := orjson.loads(line))["type"].endswith("window.report"))
    refused = call("alert", "explain", config, report["id"])
    assert (refused.code, "tells nothing by itself" in refused.err) == (2, True)
