"""driftflow doctor: what would stop a run is found, and said with what to do."""

import json
from pathlib import Path

import pytest

from tests.command_line import Call, caller

CONFIG = """
model: {name: m}
input: {path: events.jsonl}
time: {column: ts}
columns:
  x: {kind: numeric}
  c: {kind: categorical, path: inner.c}
windows:
  hourly: {size: 1h}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    return path


def write(folder: Path, *records: object) -> None:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")


GOOD = {"ts": "2026-01-05T00:00:00Z", "x": 1.5, "inner": {"c": "a"}}


def found(call: Call, config: Path, area: str) -> list[tuple[str, str, str]]:
    told = call("doctor", config, "--json").json()
    return [(each["health"], each["text"], each["advice"]) for each in told if each["area"] == area]


def test_a_finished_run_is_healthy(call: Call, drifted_demo: Path) -> None:
    outcome = call("doctor", drifted_demo)
    assert outcome.code == 0
    assert "Nothing is in the way of a run." in outcome.out
    assert "500 records of 500 looked at can be used" in " ".join(outcome.out.split())


def test_what_is_missing_is_named_with_what_to_do(call: Call, config: Path) -> None:
    outcome = call("doctor", config)
    assert outcome.code == 1
    assert f"driftflow reference build {config} FILE" in outcome.out
    assert "2 problems." in outcome.out


def test_a_reference_may_be_missing_where_a_run_learns_one(call: Call, config: Path, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    config.write_text(CONFIG + "reference: {missing: learn}\n")
    ((health, _, advice),) = found(call, config, "reference")
    assert (health, advice) == ("warning", "`reference.missing` is 'learn'")
    assert call("doctor", config).code == 0


def test_refused_records_are_counted_by_reason(call: Call, config: Path, tmp_path: Path) -> None:
    write(tmp_path, GOOD, "{", {**GOOD, "x": "high"}, {**GOOD, "ts": "soon"})
    told = found(call, config, "input")
    assert told[1][0] == "warning"
    assert told[1][1].startswith("1 record of 4 looked at can be used; refused: ")
    assert {"1 truncated", "1 wrong_type", "1 bad_time"} <= set(
        told[1][1].partition("refused: ")[2].split(", ")
    )


def test_no_usable_record_stops_a_run(call: Call, config: Path, tmp_path: Path) -> None:
    write(tmp_path, {**GOOD, "ts": "soon"})
    assert [health for health, *_ in found(call, config, "input")] == ["ok", "problem"]


def test_a_column_without_a_value_is_named_with_its_path(call: Call, config: Path, tmp_path: Path) -> None:
    write(tmp_path, {"ts": GOOD["ts"], "x": 1.0, "c": "a"})
    ((health, text, advice),) = found(call, config, "columns")
    assert (health, text) == ("warning", "c (path inner.c) holds no value in 1 record")
    assert "`columns.c.path`" in advice


def test_an_empty_file_is_said_to_be_empty(call: Call, config: Path, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").touch()
    assert found(call, config, "input")[1][:2] == ("warning", "holds no record yet")


def test_a_folder_that_cannot_be_made_is_a_problem(call: Call, config: Path, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "out").write_text("a file stands where the folder should be")
    ((health, text, _),) = found(call, config, "output")
    assert (health, text) == ("problem", f"{tmp_path / 'out'} cannot be written to")


def test_looking_leaves_nothing_behind(call: Call, config: Path, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    before = sorted(tmp_path.rglob("*"))
    call("doctor", config)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_service_that_is_away_is_a_problem_and_the_rest_is_looked_at(call: Call, config: Path) -> None:
    config.write_text(
        CONFIG.replace("input: {path: events.jsonl}", "input: {topics: [t]}")
        + "kafka: {bootstrap: '127.0.0.1:1'}\noutput: {store: 'redis://127.0.0.1:1/0'}\n"
    )
    told = {each["area"]: each["health"] for each in call("doctor", config, "--json").json()}
    assert told == {
        "configuration": "ok",
        "detection": "ok",
        "input": "problem",
        "store": "problem",
        "output": "ok",
        "recovery": "warning",
    }


LABELLED = (
    CONFIG.replace("windows:", "  request: {kind: categorical, role: id}\nwindows:") + "labels: LABELS\n"
)


@pytest.mark.parametrize(
    ("labels", "lines", "wanted"),
    [
        (
            "{path: labels.jsonl, label: y}",
            ['{"request": "a", "y": "yes"}', '{"request": null, "y": "no"}'],
            [("ok", "1 partition, 58 B", ""), ("ok", "2 records of 2 looked at can be used", "")],
        ),
        (
            "{path: labels.jsonl, id: ident, label: y, time: {column: at}}",
            ['{"request": "a", "y": "yes", "at": "2026-01-05T00:00:00Z"}', '{"y": "no"}'],
            [
                ("ok", "1 partition, 71 B", ""),
                (
                    "warning",
                    "1 record of 2 looked at can be used; refused: 1 no_time",
                    "the first of them: the time field 'at' is missing or empty",
                ),
                (
                    "problem",
                    "`labels.id` (path ident) holds no value in 1 record",
                    "check `labels.id`: a nested field is written a.b",
                ),
            ],
        ),
        (
            "{path: nowhere.jsonl, label: y}",
            [],
            [("problem", "nowhere.jsonl: no such file or folder; check labels.path", "")],
        ),
        (
            "{path: labels.jsonl, label: y}",
            [],
            [
                ("ok", "1 partition, 0 B", ""),
                ("warning", "no record yet", "predictions wait for them, up to `labels.horizon`"),
            ],
        ),
    ],
)
def test_labels_are_looked_at(
    call: Call, config: Path, labels: str, lines: list[str], wanted: list[tuple[str, str, str]]
) -> None:
    write(config.parent, GOOD)
    (config.parent / "labels.jsonl").write_text("".join(f"{line}\n" for line in lines))
    config.write_text(LABELLED.replace("LABELS", labels))
    told = found(call, config, "labels")
    assert [
        (health, text.removeprefix(f"{config.parent}/"), advice) for health, text, advice in told
    ] == wanted
