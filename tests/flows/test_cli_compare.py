"""driftflow compare: the table, the document and the exit codes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from tests.command_line import Call, caller


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def rows(seed: int, count: int, shift: float = 0.0, new: float = 0.0) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    colours = rng.choice(["red", "green", "blue"], count, p=[0.5 - new, 0.5, new]).tolist()
    return [
        {"id": f"r{i}", "x": x, "still": s, "colour": c}
        for i, (x, s, c) in enumerate(
            zip(rng.normal(shift, 1, count).tolist(), rng.normal(0, 1, count).tolist(), colours, strict=True)
        )
    ]


def write(path: Path, records: list[dict[str, object]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return path


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    return write(tmp_path / "train.csv", rows(1, 4_000))


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    return write(tmp_path / "today.csv", rows(2, 3_000, shift=0.4, new=0.1))


def test_the_verdicts_are_those_of_scipy(call: Call, baseline: Path, drifted: Path) -> None:
    found = call("compare", baseline, drifted, "--json").json()

    before, now = rows(1, 4_000), rows(2, 3_000, shift=0.4, new=0.1)
    verdicts = {column["column"]: column["verdict"] for column in found["columns"]}
    for name in ("x", "still"):
        p_value = ks_2samp([r[name] for r in before], [r[name] for r in now]).pvalue
        assert (verdicts[name] == "drift") == (p_value < 0.01)
    counts = [
        [sum(r["colour"] == c for r in side) for c in ("red", "green", "blue")] for side in (before, now)
    ]
    assert chi2_contingency(np.array(counts)).pvalue < 1e-10
    assert verdicts["colour"] == "drift"
    assert found["drifted"] is True


def test_the_document_has_all_readings_and_what_was_left_out(
    call: Call, baseline: Path, drifted: Path
) -> None:
    found = call("compare", baseline, drifted, "--json").json()

    columns = {column["column"]: column for column in found["columns"]}
    assert {reading["method"] for reading in columns["x"]["readings"]} >= {"ks", "chi2", "psi", "mean_shift"}
    assert columns["colour"]["new_categories"] == ["blue"]
    assert columns["x"]["direction"] == "up"
    assert found["left_out"] == [{"name": "id", "reason": "nearly every record has another text"}]
    assert (found["baseline"]["rows"], found["current"]["rows"]) == (4_000, 3_000)


def test_the_table(call: Call, baseline: Path, drifted: Path) -> None:
    told = call("compare", baseline, drifted)

    lines = {line.split()[0]: line.split() for line in told.out.splitlines() if line.strip()}
    assert lines["x"][1] == "drift"
    assert lines["colour"][1] == "drift"
    assert lines["still"][1] == "ok"
    assert "new: blue" in told.out
    # All blue rows are of a category that the baseline never had.
    assert "violates new_share" in " ".join(told.out.split())
    assert "Drift in 2 of 3 columns; 1 violates a check." in told.out
    assert "left out: id (nearly every record has another text)" in told.err


@pytest.mark.parametrize("width", [120, 80, 50])
def test_the_table_fits_the_terminal(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    baseline: Path,
    drifted: Path,
    width: int,
) -> None:
    told = caller(capsys, monkeypatch, width)("compare", baseline, drifted)

    assert max(map(len, told.out.splitlines())) <= width
    # Only a wide terminal has room for every column.
    assert ("statistic" in told.out) == (width == 120)


def test_exit_codes(call: Call, baseline: Path, drifted: Path, tmp_path: Path) -> None:
    same = write(tmp_path / "same.csv", rows(3, 3_000))

    assert call("compare", baseline, drifted).code == 0
    assert call("compare", baseline, drifted, "--fail-on", "drift").code == 3
    assert call("compare", baseline, drifted, "--fail-on", "drift", "--json").code == 3
    assert call("compare", baseline, same, "--fail-on", "drift").code == 0
    assert call("compare", baseline, drifted, "--fail-on", "rain").code == 2


def test_limits(call: Call, baseline: Path, drifted: Path) -> None:
    told = call("compare", baseline, drifted, "--min-effect", 9, "--fail-on", "drift", "--json")
    assert told.code == 0
    assert told.json()["rules"]["min_effect"] == 9
    assert {column["verdict"] for column in told.json()["columns"]} == {"suspect", "ok"}

    # Nothing is below a level of 1e-300.
    strict = call("compare", baseline, drifted, "--fdr", 1e-300, "--json").json()
    assert strict["drifted"] is False


def test_columns_may_be_chosen(call: Call, baseline: Path, drifted: Path) -> None:
    found = call("compare", baseline, drifted, "--columns", "still, x", "--json").json()
    assert {column["column"] for column in found["columns"]} == {"x", "still"}

    wrong = call("compare", baseline, drifted, "--columns", "x,id")
    assert wrong.code == 2
    assert "'id' (nearly every record has another text)" in wrong.err
    assert call("compare", baseline, drifted, "--columns", "nothing").code == 2


def test_files_with_different_columns(call: Call, baseline: Path, tmp_path: Path) -> None:
    now = [{"x": r["x"], "colour": r["colour"], "extra": 1.5} for r in rows(2, 500)]

    told = call("compare", baseline, write(tmp_path / "now.csv", now))

    assert told.code == 0
    assert "left out: id, still (only in the baseline)" in told.err
    assert "left out: extra (only in the current)" in told.err


def test_csv_against_json(call: Call, baseline: Path, tmp_path: Path) -> None:
    same = write(tmp_path / "same.jsonl", rows(1, 4_000))

    found = call("compare", baseline, same, "--json").json()

    assert {column["p_value"] for column in found["columns"]} == {1.0}


def test_missing_words_of_csv(call: Call, tmp_path: Path) -> None:
    before = [{"x": r["x"]} for r in rows(1, 500)]
    now = [{"x": "NA" if i % 4 == 0 else r["x"]} for i, r in enumerate(rows(2, 400))]

    told = call("compare", write(tmp_path / "a.csv", before), write(tmp_path / "b.csv", now))

    assert "missing 0% → 25%" in told.out


def test_a_configuration_names_columns_and_limits(call: Call, tmp_path: Path) -> None:
    call("generate", "demo", "--out", tmp_path, "--rows", 5_000, "--reference-rows", 5_000)
    config = tmp_path / "driftflow.yaml"
    config.write_text(config.read_text() + "detection: {min_effect: 0.07}\n")
    files = (tmp_path / "reference.jsonl", tmp_path / "events.jsonl")

    found = call("compare", *files, "--config", config, "--json").json()

    assert {column["column"] for column in found["columns"]} >= {"income", "prediction"}
    assert "model" not in {column["column"] for column in found["columns"]}
    assert found["rules"]["min_effect"] == 0.07


def configured(path: Path, more: str) -> Path:
    path.write_text(
        "model: {name: m}\ninput: {path: today.csv}\ntime: {rows: true}\nwindows: {w: {size: 500 rows}}\n"
        "columns: {x: {kind: numeric}, still: {kind: numeric}, colour: {kind: categorical}}\n" + more
    )
    return path


def test_a_configuration_says_which_checks_are_made(
    call: Call, baseline: Path, drifted: Path, tmp_path: Path
) -> None:
    def violated(more: str) -> list[str]:
        config = configured(tmp_path / "driftflow.yaml", more)
        found = call("compare", baseline, drifted, "--config", config, "--json").json()
        return [check["name"] for column in found["columns"] for check in column["checks"]]

    # A tenth of today's rows is blue, which the baseline never was.
    assert violated("") == ["new_share"]
    assert violated("quality: {without: [new_share]}\n") == []
    assert violated("quality: {columns: {colour: {new_share: {max: 0.2}}}}\n") == []
    assert violated("quality: {enabled: false}\n") == []


def test_presets_judge_as_the_tool_does(call: Call, baseline: Path, drifted: Path) -> None:
    found = call("compare", baseline, drifted, "--preset", "evidently", "--json").json()

    columns = {column["column"]: column for column in found["columns"]}
    before, now = rows(1, 4_000), rows(2, 3_000, shift=0.4, new=0.1)
    for name in ("x", "still"):
        sides = [np.array([float(str(r[name])) for r in side]) for side in (before, now)]
        # Evidently, legacy/calculations/stattests/wasserstein_distance_norm.py: at least .1 deviations.
        exact, deviation = wasserstein_distance(*sides), float(np.std(sides[0]))
        limited = columns[name]["limited"]
        assert limited["method"] == "wasserstein"
        assert limited["score"] == pytest.approx(exact, abs=0.01 * deviation)
        assert limited["limit"] == pytest.approx(0.1 * deviation, rel=1e-3)
        assert (columns[name]["verdict"] == "drift") == (exact >= 0.1 * deviation)
    assert columns["colour"]["limited"]["method"] == "js"
    assert columns["colour"]["verdict"] == "drift"


def test_a_preset_stands_in_the_place_of_the_configurations_detection(
    call: Call, baseline: Path, drifted: Path, tmp_path: Path
) -> None:
    config = configured(tmp_path / "driftflow.yaml", "detection: {min_rows: 1000000}\n")
    files = (baseline, drifted, "--config", config)
    assert call("compare", *files, "--fail-on", "drift").code == 0

    told = call("compare", *files, "--preset", "psi-classic", "--fail-on", "drift")

    assert told.code == 3
    assert "at most 0.1 (given in the configuration)" in " ".join(told.out.split())
    assert call("compare", baseline, drifted, "--preset", "evidnetly").code == 2


def test_where_two_files_have_no_limit_p_values_decide(
    call: Call, baseline: Path, drifted: Path, tmp_path: Path
) -> None:
    config = configured(tmp_path / "driftflow.yaml", "detection: {rule: threshold}\n")

    told = call("compare", baseline, drifted, "--config", config)

    assert "has no limit, p-values decide (none yet: 0 of 24 windows seen)" in " ".join(told.out.split())
    assert "Drift in 2 of 3 columns" in told.out


def test_a_configured_column_that_a_file_lacks_is_left_out(call: Call, tmp_path: Path) -> None:
    call("generate", "demo", "--out", tmp_path, "--rows", 500, "--reference-rows", 500)
    now = tmp_path / "now.jsonl"
    now.write_text('{"features": {"income": 3000.5}}\n' * 60)

    found = call(
        "compare", tmp_path / "reference.jsonl", now, "--config", tmp_path / "driftflow.yaml", "--json"
    ).json()

    assert [column["column"] for column in found["columns"]] == ["income"]
    assert {"name": "score", "reason": "not in the current"} in found["left_out"]


def test_nothing_to_compare(call: Call, tmp_path: Path) -> None:
    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    a.write_text('{"x": 1}\n')
    b.write_text('{"y": 1}\n')

    told = call("compare", a, b)

    assert told.code == 2
    assert "no column to compare" in told.err


def test_a_name_that_tells_no_format(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "data.xyz"
    path.write_text("x\n1\n")

    told = call("compare", path, path)

    assert told.code == 1
    assert "data.xyz" in told.err


def test_a_presets_tool_says_its_own_scores_of_the_raw_rows(
    call: Call, baseline: Path, drifted: Path
) -> None:
    files = (baseline, drifted, "--preset", "evidently")
    found = {column["column"]: column for column in call("compare", *files, "--json").json()["columns"]}

    before, now = (
        np.array([float(str(r["x"])) for r in side]) for side in (rows(1, 4_000), rows(2, 3_000, 0.4))
    )
    scores = {score["score"]: score for score in found["x"]["tool_scores"]}
    # As Evidently's own code calls scipy and numpy (legacy/calculations/stattests).
    expected = wasserstein_distance(before, now) / np.std(before)
    assert scores["wasserstein / sd"]["value"] == pytest.approx(expected, rel=1e-12)
    assert scores["wasserstein / sd"]["drifted"] is True
    edges = np.histogram_bin_edges(np.concatenate((before, now)), bins="sturges")
    first, second = (np.histogram(side, edges)[0].tolist() for side in (before, now))
    distance = float(jensenshannon(first, second))
    assert scores["jensen-shannon, nats"]["value"] == pytest.approx(distance, rel=1e-12)
    assert found["colour"]["tool_scores"][0]["score"] == "jensen-shannon, nats"

    assert "Evidently itself: wasserstein / sd" in " ".join(call("compare", *files).out.split())
    plain = call("compare", baseline, drifted, "--json").json()["columns"]
    assert not any(column["tool_scores"] for column in plain)


def test_a_tool_that_splits_its_level_splits_it_over_the_columns(
    call: Call, baseline: Path, drifted: Path
) -> None:
    found = call("compare", baseline, drifted, "--preset", "alibi", "--json").json()["columns"]

    limits = [score["limit"] for column in found for score in column["tool_scores"]]
    assert limits == pytest.approx([0.05 / 3] * 3)
