"""driftflow reference: build, list, show, activate."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import COMMAND, Call, caller
from tests.processor import OLDER
from tests.series import autoregression

CONFIG = """
model: {name: m}
input: {path: events.jsonl}
time: {column: ts}
columns:
  x: {kind: numeric}
  c: {kind: categorical}
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


def records(rows: int, seed: int, **more: object) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    start = np.datetime64("2026-01-05T00:00:00")
    return [
        {"ts": f"{start + np.timedelta64(i, 's')}Z", "x": float(x), "c": "ab"[int(x > 0)], **more}
        for i, x in enumerate(rng.normal(size=rows))
    ]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_first_one_is_activated_and_a_second_one_is_not(call: Call, config: Path, tmp_path: Path) -> None:
    first = call("reference", "build", config, write(tmp_path / "a.jsonl", records(200, 1)), "--json").json()
    second = call("reference", "build", config, write(tmp_path / "b.jsonl", records(300, 2)), "--json").json()

    assert (first["active"], first["new"], first["rows"]) == (True, True, 200)
    assert (second["active"], second["new"], second["rows"]) == (False, True, 300)
    listed = call("reference", "list", config, "--json").json()
    assert [(item["reference"]["version"], item["active"]) for item in listed] == [
        (first["version"], True),
        (second["version"], False),
    ]
    assert listed[0]["reference"]["start_ms"] == 1_767_571_200_000  # 2026-01-05T00:00:00Z


def test_building_says_what_was_activated(call: Call, config: Path, tmp_path: Path) -> None:
    data = write(tmp_path / "a.jsonl", records(200, 1))

    assert "(active)" in call("reference", "build", config, data).out
    other = call("reference", "build", config, write(tmp_path / "b.jsonl", records(200, 2)))
    assert "(not active)" in other.out
    assert "driftflow reference activate" in other.err


def test_the_same_data_give_the_same_version(call: Call, config: Path, tmp_path: Path) -> None:
    data = write(tmp_path / "a.jsonl", records(200, 1))
    first = call("reference", "build", config, data, "--json").json()

    told = call("reference", "build", config, data, "--json")

    assert told.json()["version"] == first["version"]
    assert told.json()["new"] is False
    assert "there already" in told.err
    assert len(call("reference", "list", config, "--json").json()) == 1


def test_activate_and_no_activate(call: Call, config: Path, tmp_path: Path) -> None:
    a, b = (write(tmp_path / f"{seed}.jsonl", records(200, seed)) for seed in (1, 2))

    assert call("reference", "build", config, a, "--no-activate", "--json").json()["active"] is False
    assert call("reference", "build", config, b, "--activate", "--json").json()["active"] is True
    assert call("reference", "build", config, a, "--activate", "--json").json()["active"] is True


def test_the_configured_input_is_the_default(call: Call, config: Path, tmp_path: Path) -> None:
    write(tmp_path / "events.jsonl", records(120, 1))

    built = call("reference", "build", config, "--rows", 50, "--json").json()

    assert built["rows"] == 50


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_training_set_has_no_times(call: Call, config: Path, tmp_path: Path, form: str) -> None:
    rows = [{"x": row["x"], "c": row["c"]} for row in records(200, 1)]
    data = tmp_path / f"train.{form}"
    if form == "jsonl":
        write(data, rows)
    else:
        data.write_text("x,c\n" + "".join(f"{row['x']},{row['c']}\n" for row in rows))

    told = call("reference", "build", config, data, "--json")

    assert (told.code, told.json()["rows"]) == (0, 200)
    assert "no time column 'ts'" in told.err


def test_a_csv_that_lacks_a_column_is_an_error_and_not_a_training_set(config: Path, tmp_path: Path) -> None:
    data = tmp_path / "train.csv"
    data.write_text("x,d\n1,a\n")

    told = subprocess.run(
        [sys.executable, "-m", "flows.cli", "reference", "build", config, data],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (told.returncode, told.stdout) == (2, "")
    assert "'c'" in told.stderr


def test_what_is_remarkable_is_said(call: Call, config: Path, tmp_path: Path) -> None:
    rows = [{**row, "c": "same"} for row in records(200, 1)]
    data = write(tmp_path / "a.jsonl", rows)
    data.write_text(data.read_text() + "not json\n" * 3)

    told = call("reference", "build", config, data, "--json")

    assert told.json()["refused"] == {"malformed": 3}
    said = " ".join(told.json()["warnings"])
    assert "3 records refused (3 malformed)" in said
    assert "200 rows make an uncertain reference" in said
    assert "no variation in c" in said
    assert all(warning in told.err for warning in told.json()["warnings"])


def test_enough_rows_that_vary_are_not_remarkable(call: Call, config: Path, tmp_path: Path) -> None:
    told = call("reference", "build", config, write(tmp_path / "a.jsonl", records(5_000, 1)), "--json")

    assert told.json()["warnings"] == []
    assert {name: each["known"] for name, each in told.json()["dependence"].items()} == {"x": True, "c": True}


def test_show_has_the_figures_of_the_rows(call: Call, config: Path, tmp_path: Path) -> None:
    rows = records(400, 1)
    rows[7]["x"] = None
    built = call("reference", "build", config, write(tmp_path / "a.jsonl", rows), "--json").json()
    version = built["version"]
    x = np.array([row["x"] for row in rows if row["x"] is not None], dtype=float)
    a = sum(row["c"] == "a" for row in rows)

    shown = call("reference", "show", config, version[:6], "--json").json()

    numeric, categorical = shown["columns"]
    assert (shown["version"], shown["active"]) == (version, True)
    assert numeric["missing"] == 1
    assert sum(numeric["counts"]) == 399
    assert len(numeric["edges"]) == len(numeric["counts"]) - 1
    # Sums are fixed-point with 16 binary places in units of about a deviation.
    assert numeric["mean"] == pytest.approx(x.mean(), abs=1e-4)
    assert (numeric["minimum"], numeric["maximum"]) == (x.min(), x.max())
    shares = {item["name"]: item["share"] for item in categorical["categories"]}
    assert shares == {"a": a / 400, "b": 1 - a / 400}


def lasting(rows: int, phi: float) -> list[dict[str, object]]:
    """Records whose x follows itself, and whose c does not."""
    x = autoregression(phi, rows, np.random.default_rng(2))
    return [{**record, "x": float(value)} for record, value in zip(records(rows, 2), x, strict=True)]


def test_build_and_show_tell_how_rows_depend_on_each_other(call: Call, config: Path, tmp_path: Path) -> None:
    config.write_text(CONFIG.replace("1h", "10m"))
    data = write(tmp_path / "a.jsonl", lasting(20_000, 0.9))
    built = call("reference", "build", config, data, "--json")
    shown = call("reference", "show", config, "--json").json()

    x, c = (column["dependence"] for column in shown["columns"])
    assert built.json()["dependence"] == {"x": x, "c": c}
    # Rows come by the second, so a window of ten minutes holds 600.
    assert (x["rows"], c["rows"]) == (600, 600)
    # Groups take all orders of Hermite polynomials, of which the first alone has (1 + .9) / (1 - .9) = 19.
    assert 8 < x["inflation"] < 19
    assert x["known"]
    assert 50 <= x["block_rows"] <= 400
    assert c["inflation"] < 1.3
    assert (c["known"], c["block_rows"], c["rows_wanted"]) == (True, 1, None)
    assert built.json()["warnings"] == []
    text = call("reference", "show", config).out
    assert "inflation" in text
    assert "in windows of 600" in " ".join(text.split())


def test_a_reference_that_is_too_short_for_its_columns_says_what_helps(
    call: Call, config: Path, tmp_path: Path
) -> None:
    data = write(tmp_path / "a.jsonl", lasting(6_000, 0.995))
    told = call("reference", "build", config, data, "--json")

    x = told.json()["dependence"]["x"]
    assert x["block_rows"] is None
    assert x["rows_wanted"] > 6_000
    (warning,) = told.json()["warnings"]
    assert f"can show in x (in x, {x['inflation']:,.0f} rows say as much as one independent row)" in warning
    assert f"build it from {x['rows_wanted']:,} rows or more" in warning
    assert "detection.evidence.rows" in warning
    assert "?" in call("reference", "show", config).out


def test_a_reference_too_small_to_tell_dependence_says_so(call: Call, config: Path, tmp_path: Path) -> None:
    told = call("reference", "build", config, write(tmp_path / "a.jsonl", records(200, 1)), "--json")

    assert any("too few values to tell whether rows depend" in said for said in told.json()["warnings"])
    assert told.json()["dependence"]["x"] == {
        "rows": 3_618,
        "inflation": 1.0,
        "known": False,
        "block_rows": None,
        "rows_wanted": 320,
    }


def test_show_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, config: Path, tmp_path: Path
) -> None:
    wide = caller(capsys, monkeypatch, 80)
    wide("reference", "build", config, write(tmp_path / "a.jsonl", records(400, 1)))

    for width in (80, 50, 40):
        told = caller(capsys, monkeypatch, width)("reference", "show", config)
        assert max(map(len, told.out.splitlines())) <= width
        assert {"x", "c"} <= {line.split()[0] for line in told.out.splitlines() if line.strip()}


def test_activate_takes_the_beginning_of_a_version(call: Call, config: Path, tmp_path: Path) -> None:
    versions = [
        call("reference", "build", config, write(tmp_path / f"{n}.jsonl", records(60, n)), "--json").json()[
            "version"
        ]
        for n in (1, 3)
    ]
    assert versions[0][0] != versions[1][0], "choose other seeds: the test wants beginnings that differ"

    told = call("reference", "activate", config, versions[1][0], "--json")

    assert told.json() == {
        "model": "m",
        "version": versions[1],
        "before": versions[0],
        "takes_over": None,
    }
    assert call("reference", "show", config, "--json").json()["version"] == versions[1]


def test_each_model_version_has_an_active_reference_of_its_own(
    call: Call, config: Path, tmp_path: Path
) -> None:
    first = write(tmp_path / "events.jsonl", records(60, 1))
    one = call("reference", "build", config, first, "--json").json()["version"]
    config.write_text(CONFIG.replace("{name: m}", '{name: m, version: "2"}'))

    refused = call("run", config)
    assert refused.code == 1
    assert f"version '1' has {one}: take it over" in " ".join(refused.err.split())
    assert f"driftflow reference activate {config} {one}" in " ".join(refused.err.split())
    assert [item["active"] for item in call("reference", "list", config, "--json").json()] == [False]

    other = write(tmp_path / "b.jsonl", records(60, 2))
    two = call("reference", "build", config, other, "--json").json()
    assert two["active"]
    assert call("run", config).code == 0

    config.write_text(CONFIG)
    assert call("reference", "show", config, "--json").json()["version"] == one
    config.write_text(CONFIG.replace("{name: m}", '{name: m, version: "2"}'))
    assert call("reference", "activate", config, one, "--json").json()["before"] == two["version"]


def test_a_beginning_of_none_or_of_many_is_an_error(call: Call, config: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        call("reference", "build", config, write(tmp_path / f"{seed}.jsonl", records(60, seed)))

    none = call("reference", "activate", config, "xyz")
    many = call("reference", "activate", config, "")

    assert (none.code, many.code) == (1, 1)
    assert "no version begins with 'xyz'" in none.err
    assert "2 versions begin with ''" in many.err


@pytest.mark.parametrize("command", [("show",), ("activate", "3b"), ("list",)], ids=" ".join)
def test_without_a_reference_it_says_how_to_get_one(
    call: Call, config: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    name, *rest = command

    told = call("reference", name, config, *rest)

    assert told.code == (0 if name == "list" else 1)
    assert told.out == ""
    assert f"driftflow reference build {config}" in told.err
    assert not (tmp_path / "out").exists() or name != "list"


def test_a_column_without_any_value_is_an_error(call: Call, config: Path, tmp_path: Path) -> None:
    rows = [{**row, "x": None} for row in records(50, 1)]

    told = call("reference", "build", config, write(tmp_path / "a.jsonl", rows))

    assert told.code == 1
    assert "'x'" in told.err


def test_an_older_processor_builds_the_same(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "driftflow.yaml"
    call("generate", "demo", "--out", tmp_path, "--rows", 100, "--reference-rows", 6_000)
    build = [*COMMAND, "reference", "build", str(config), str(tmp_path / "reference.jsonl")]
    for environment in (os.environ, {**os.environ, **OLDER}):
        subprocess.run(build, check=True, capture_output=True, env=environment)

    # Its version is a hash of what is in it.
    assert len(call("reference", "list", config, "--json").json()) == 1
