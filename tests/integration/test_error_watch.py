"""Errors of late labels on a stream whose truth is known: they follow what moves them, and nothing before."""

from pathlib import Path

import orjson
import pytest

from bench.kinds import watch
from bench.kinds_events import moment
from bench.kinds_table import STREAMS
from tests.command_line import caller


def test_errors_are_told_when_prices_leave_the_model_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(STREAMS["house-prices"], tmp_path, seed=1)
    events = [orjson.loads(line) for line in (tmp_path / "out" / "errors.jsonl").read_bytes().splitlines()]
    opened, grown = events
    assert {event["data"]["result"]["feature"] for event in events} == {"error"}
    # Errors are a tenth of a price, so that they shrink where small flats displace the usual ones.
    ((smaller, _),) = watched.troubles["area_m2", ""]
    ((dearer, _),) = watched.troubles["mae", ""]
    assert opened["type"].endswith("drift.opened")
    assert smaller < moment(opened["data"]["window"]["end"]) < dearer
    assert opened["data"]["result"]["decision"]["component"] == "scale down"
    # Then the market rises, and predictions are too low: no label of it comes before.
    assert grown["type"].endswith("drift.updated")
    window = grown["data"]["window"]
    assert dearer < moment(window["end"])
    assert (moment(window["start"]) - dearer).days < 1
    assert (grown["data"]["direction"], grown["data"]["episode"]["severity"]) == ("down", "high")
    # The log of the other columns does not know them.
    assert b'"error"' not in (tmp_path / "out" / "events.jsonl").read_bytes()
    told = caller(capsys, monkeypatch)("explain", tmp_path / "driftflow.yaml", grown["id"][:12])
    assert "prediction - price" in told.out
