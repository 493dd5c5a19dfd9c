"""driftflow init: what is proposed for a file, and that it runs as it stands."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detectors.base import Kind
from flows.config import Config, load_config
from state.columns import Role, TimeUnit
from tests.command_line import Call, caller

HEADER = ("order id", "ts", "amount", "country", "risk_score", "prediction", "label", "yes", "note")
START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def row(i: int, time: object) -> tuple[object, ...]:
    amount: object = "NA" if i % 9 == 0 else (i * 37 % 101) / 4
    return (
        f"o{i}",
        time,
        amount,
        ("de", "fr", "it")[i % 3],
        i % 11 / 10,
        i % 2,
        i // 3 % 2,
        i % 7 / 2,
        f"text {i}",
    )


def write(path: Path, times: list[object]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *(row(i, time) for i, time in enumerate(times))])
    return path


def minutes(count: int) -> list[datetime]:
    return [START + timedelta(minutes=i) for i in range(count)]


def proposed(call: Call, folder: Path, times: list[object]) -> Config:
    file = write(folder / "orders 2026.csv", times)
    told = call("init", file, "--out", folder / "driftflow.yaml")
    assert told.code == 0
    return load_config(folder / "driftflow.yaml")


def test_columns_kinds_and_roles(call: Call, tmp_path: Path) -> None:
    config = proposed(call, tmp_path, [time.isoformat() for time in minutes(1_000)])

    found = {field.path: (field.name, field.kind, field.role) for field in config.fields}
    assert found == {
        "order id": ("order_id", Kind.CATEGORICAL, Role.ID),
        "amount": ("amount", Kind.NUMERIC, Role.FEATURE),
        "country": ("country", Kind.CATEGORICAL, Role.FEATURE),
        "risk_score": ("risk_score", Kind.NUMERIC, Role.SCORE),
        "prediction": ("prediction", Kind.CATEGORICAL, Role.PREDICTION),
        "label": ("label", Kind.CATEGORICAL, Role.LABEL),
        # What YAML would read as a truth value is a name here.
        "yes": ("yes", Kind.NUMERIC, Role.FEATURE),
    }
    assert "NA" in config.file.input.missing
    text = (tmp_path / "driftflow.yaml").read_text()
    assert "# Left out: note (nearly every record has another text)" in text


@pytest.mark.parametrize("unit", [TimeUnit.SECONDS, TimeUnit.MILLISECONDS, TimeUnit.MICROSECONDS])
def test_epochs(call: Call, tmp_path: Path, unit: TimeUnit) -> None:
    scale = {TimeUnit.SECONDS: 1, TimeUnit.MILLISECONDS: 1_000, TimeUnit.MICROSECONDS: 1_000_000}[unit]
    config = proposed(call, tmp_path, [int(time.timestamp()) * scale for time in minutes(1_000)])

    assert config.time is not None
    assert (config.time.path, config.time.unit) == ("ts", unit)
    # A row a minute: 500 rows are more than 6 hours and less than a day.
    assert [window.size for window in config.file.windows.values()] == ["1d"]


def test_lateness_is_the_disorder_of_the_records(call: Call, tmp_path: Path) -> None:
    times = minutes(600)
    times[100], times[130] = times[130], times[100]
    config = proposed(call, tmp_path, [time.isoformat() for time in times])
    # The row of minute 100 comes after that of minute 130.
    assert config.file.time.lateness == "30m"


def test_without_a_time_rows_are_counted(call: Call, tmp_path: Path) -> None:
    config = proposed(call, tmp_path, ["x"] * 600)
    assert config.time is None
    assert config.file.time.rows


def test_what_is_proposed_runs(call: Call, tmp_path: Path) -> None:
    proposed(call, tmp_path, [time.isoformat() for time in minutes(3_000)])
    config = tmp_path / "driftflow.yaml"
    assert call("reference", "build", config).code == 0
    told = call("run", config, "--json")
    assert told.code == 0
    assert told.json()["rows"] == 3_000


def test_what_is_there_is_not_written_over(call: Call, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", [time.isoformat() for time in minutes(100)])
    out = tmp_path / "driftflow.yaml"
    out.write_text("mine")
    told = call("init", file, "--out", out)
    assert told.code == 2
    assert "--force" in told.err
    assert out.read_text() == "mine"
    assert call("init", file, "--out", out, "--force").code == 0
    assert "order id" in out.read_text()


def test_a_file_without_a_column_is_refused(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"tags": ["a"]}\n')
    told = call("init", path, "--out", tmp_path / "driftflow.yaml")
    assert told.code == 2
    assert "tags: holds lists or empty objects" in told.err


@pytest.mark.parametrize(
    ("name", "role"), [("id", Role.ID), ("customerID", Role.ID), ("orderId", Role.ID), ("paid", None)]
)
def test_ids_go_by_name(call: Call, tmp_path: Path, name: str, role: Role | None) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"{name},x\n" + "".join(f"r{i},{i % 7}\n" for i in range(100)))
    call("init", file, "--out", tmp_path / "driftflow.yaml")
    roles = {field.name: field.role for field in load_config(tmp_path / "driftflow.yaml").fields}
    # What names the record and is not called so is left out.
    assert roles.get(name) == role
