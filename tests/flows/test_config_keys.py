"""What is said of each key of the configuration, and what is guessed of one that is none."""

from pathlib import Path

import pytest

from flows.config_hints import hint
from flows.config_keys import all_keys, matches
from scripts.key_tables.page import PAGE, left_out, up_to_date
from tests.command_line import Call, caller

CONFIG = """
model: {name: m, version: "${MODEL_VERSION:-7}"}
input: {path: events.jsonl}
time: {column: ts}
columns:
  amount: {kind: numeric}
  country: {kind: categorical}
windows:
  hourly: {size: 1h}
detection: {preset: psi-classic, min_rows: 20}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    return path


def test_the_page_says_what_the_code_says() -> None:
    page = PAGE.read_text()
    assert left_out(page) == []
    assert up_to_date(page) == page, "docs/configuration.md is behind the code: run scripts/keys"


@pytest.mark.parametrize("key", all_keys(), ids=lambda key: key.path)
def test_every_key_has_a_meaning_and_says_what_it_may_be(key: object) -> None:
    assert key.meaning  # type: ignore[attr-defined]
    assert "<class" not in key.wanted  # type: ignore[attr-defined]  # no type of Python's


def test_names_of_the_file_stand_for_any() -> None:
    assert matches("columns.NAME.kind", "columns.amount.kind")
    assert not matches("columns.NAME.kind", "columns.amount.of.kind")


@pytest.mark.parametrize(
    ("key", "value", "comes_from", "source"),
    [
        ("model.name", "m", "the file", ""),
        ("model.version", "7", "the environment", "MODEL_VERSION"),
        ("detection.min_rows", "20", "the file", ""),
        ("detection.threshold.options", "{value: 0.1}", "the preset", "psi-classic"),
        ("detection.min_effect", "0.02", "the default", ""),
        ("columns.amount.kind", "numeric", "the file", ""),
        ("input.topics", None, "the default", ""),
    ],
)
def test_what_holds_and_where_it_comes_from(
    call: Call, config: Path, key: str, value: str | None, comes_from: str, source: str
) -> None:
    (found,) = call("config", "explain", config, key, "--json").json()
    assert (found["key"], found["value"]) == (key, value)
    assert (found["comes_from"], found["source"]) == (comes_from, source)


def test_a_section_and_a_name_stand_for_their_keys(call: Call, config: Path) -> None:
    found = call("config", "explain", config, "columns.NAME.kind", "--json").json()
    assert [(each["key"], each["value"]) for each in found] == [
        ("columns.amount.kind", "numeric"),
        ("columns.country.kind", "categorical"),
    ]
    found = call("config", "explain", config, "detection.budget", "--json").json()
    assert [each["key"] for each in found] == ["detection.budget.episodes", "detection.budget.every"]
    found = call("config", "explain", config, "columns.amount", "--json").json()
    assert all(each["key"].startswith("columns.amount.") for each in found)
    assert {"columns.amount.kind", "columns.amount.role"} <= {each["key"] for each in found}


def test_a_key_in_words(call: Call, config: Path) -> None:
    told = " ".join(call("config", "explain", config, "detection.false_discovery_rate").out.split())
    assert "Benjamini-Hochberg level over the columns of a window" in told
    assert "may be a number above 0 below 1" in told


def test_a_key_that_is_none_is_answered_with_the_nearest(call: Call, config: Path) -> None:
    outcome = call("config", "explain", config, "detection.bugdet.every")
    assert outcome.code == 2
    assert "did you mean detection.budget.every" in outcome.err


@pytest.mark.parametrize(
    ("found", "mistake", "told"),
    [
        ("column: ts", "column: ts, latenes: 5m", "did you mean `time.lateness`"),
        ("{kind: numeric}", "{knd: numeric}", "did you mean `columns.NAME.kind`"),
        ("model: {name", "modell: {}\nmodel: {name", "did you mean `model`"),
        ("min_rows: 20", "drift_shares: 0.2", "did you mean `detection.drift_share`"),
        ("size: 1h", "size: 1h, lateness: 1m", "did you mean `time.lateness`"),
    ],
)
def test_an_unknown_key_in_a_file_is_answered_too(
    call: Call, config: Path, found: str, mistake: str, told: str
) -> None:
    config.write_text(CONFIG.replace(found, mistake))
    assert told in " ".join(call("doctor", config).err.split())


def test_other_errors_get_no_hint() -> None:
    assert hint("Expected `str`, got `int` - at `$.model.name`") == ""
    assert hint("Object contains unknown field `zzzzzz` - at `$.model`") == ""
