"""Derived columns in the stream, in references and in comparisons."""

import json
from pathlib import Path

import numpy as np
import pytest

from flows.commands.stored import active_generations
from flows.config import Config, load_config, parse_config
from flows.inline import run_inline
from flows.input import config_input, partition_opener
from flows.plan import make_plan
from flows.record_spec import record_spec
from flows.reference_build import build_reference
from state.generations import Generations
from state.reference import BadReferenceError, Reference
from state.report import Output
from state.stores.base import StoredEvent
from tests.command_line import Call, caller

CONFIG = """
model: {name: fruit}
input: {path: events.jsonl}
time: {column: t, format: ms}
columns:
  apple: {kind: numeric, role: score, class: apple}
  pear: {kind: numeric, role: score, class: pear}
  plum: {kind: numeric, role: score, class: plum}
  low: {kind: numeric, role: interval_low}
  high: {kind: numeric, role: interval_high}
windows:
  block: {size: 1h}
detection: {evidence: {rows: 100}, min_rows: 30}
"""

STEP_MS = 7_200
"""500 rows per window."""


def records(seed: int, rows: int, *, unsure_from: int | None = None) -> list[dict[str, object]]:
    """Rows of a model that is sure of its class, of which from some row on it is not; all classes alike."""
    rng = np.random.default_rng(seed)
    sharp = rng.dirichlet([0.2, 0.2, 0.2], rows)
    if unsure_from is not None:
        sharp[unsure_from:] = rng.dirichlet([3.0, 3.0, 3.0], rows - unsure_from)
    centre = rng.normal(size=rows)
    return [
        {"t": i * STEP_MS, "apple": a, "pear": b, "plum": c, "low": m - 1, "high": m + 1}
        for i, ((a, b, c), m) in enumerate(zip(sharp.tolist(), centre.tolist(), strict=True))
    ]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    return path


def built(config: Config, rows: list[dict[str, object]]) -> Reference:
    source = config_input(config, write(config.folder / "reference.jsonl", rows))
    spec = record_spec(config)
    return build_reference(source, config.tracks, model="fruit", now_ms=0, records=spec).reference


def lines_of(config: Config, reference: Reference) -> list[bytes]:
    """Events of the configured input, by the plain loop."""
    found = config_input(config)
    opener = partition_opener(config, found, config.state_fingerprint(reference.version))
    outputs: list[Output] = []
    run_inline(make_plan(config, Generations((reference,)), tuple(found.readers), opener), outputs.extend)
    return [item.body for item in outputs if isinstance(item, StoredEvent)]


def opened(lines: list[bytes]) -> dict[str, str]:
    """Columns that an episode was opened for, with the kind of each drift."""
    events = [json.loads(line) for line in lines]
    data = [event["data"] for event in events if event["type"] == "io.driftflow.drift.opened"]
    return {found["result"]["feature"]: found["kind"] for found in data}


def violated(lines: list[bytes]) -> dict[tuple[str, str], int]:
    """Feature and check of each violation that was told first, with the hour of its window."""
    events = [json.loads(line) for line in lines]
    data = [event["data"] for event in events if event["type"] == "io.driftflow.prediction.violated"]
    return {
        (each["feature"], each["check"]["name"]): int(each["window"]["start"][11:13])
        for each in reversed(data)
    }


def test_a_model_that_becomes_unsure_is_found_and_named(configured: Path) -> None:
    config = load_config(configured)
    reference = built(config, records(1, 4_000))
    write(configured.parent / "events.jsonl", records(2, 6_000, unsure_from=3_000))
    lines = lines_of(config, reference)
    found = opened(lines)
    assert found["scores.confidence"] == found["scores.entropy"] == found["scores.uncertain"] == "score"
    # Each class is as frequent as before, and the interval as wide.
    assert not {"scores.class", "interval.width"} & set(found)
    # 500 rows an hour, and it is unsure from row 3,000 on.
    assert violated(lines) == {("scores.uncertain", "uncertain_share"): 6}


def test_a_steady_model_gives_nothing(configured: Path) -> None:
    config = load_config(configured)
    reference = built(config, records(1, 4_000))
    write(configured.parent / "events.jsonl", records(3, 6_000))
    lines = lines_of(config, reference)
    assert (opened(lines), violated(lines)) == ({}, {})


def test_rows_that_are_no_predictions_are_found_and_named(configured: Path) -> None:
    configured.write_text(CONFIG + "predictions: {bounds: {high: {high: 50}}}\n")
    config = load_config(configured)
    reference = built(config, records(1, 4_000))
    rows = records(4, 5_000)
    for i, row in enumerate(rows):
        hour, every_tenth = i // 500, i % 10 == 0
        if hour == 2 and every_tenth:
            row["plum"] = -0.2
        elif hour == 4 and every_tenth:
            row["plum"] = row["pear"] = row["apple"] = 0.5
        elif hour == 6 and every_tenth:
            row["low"], row["high"] = row["high"], row["low"]
        elif hour == 8:
            row["high"] = 60.0 if every_tenth else row["high"] + 1.0  # type: ignore[operator]  # a number
    write(configured.parent / "events.jsonl", rows)
    assert violated(lines_of(config, reference)) == {
        ("scores.validity", "out_of_range_share"): 2,
        ("scores.validity", "unnormalized_share"): 4,
        ("interval.validity", "crossed_share"): 6,
        ("interval.width", "wider_share"): 8,
        ("high.validity", "out_of_range_share"): 8,
    }


def test_another_mix_of_classes_is_a_drift_of_predictions(configured: Path) -> None:
    config = load_config(configured)
    reference = built(config, records(1, 4_000))
    rows = records(2, 4_000)
    for row in rows[1_500:]:
        # What was a plum is an apple now, as sure as before.
        row["apple"], row["plum"] = max(row["apple"], row["plum"]), min(row["apple"], row["plum"])  # type: ignore[call-overload]  # numbers
    write(configured.parent / "events.jsonl", rows)
    found = opened(lines_of(config, reference))
    assert found["scores.class"] == "prediction"
    assert "scores.confidence" not in found


def test_faults_of_a_field_are_not_told_again_of_what_is_derived_from_it(configured: Path) -> None:
    configured.write_text(CONFIG + "quality: {columns: {interval.width: {maximum: {max: 2.5}}}}\n")
    config = load_config(configured)
    reference = built(config, records(1, 4_000))
    rows = records(3, 1_500)
    for row in rows[500:1_000]:
        row["plum"] = row["low"] = None
    rows[1_200]["high"] = 9.0
    write(configured.parent / "events.jsonl", rows)
    lines = lines_of(config, reference)
    events = [json.loads(line) for line in lines]
    told = {
        (event["data"]["feature"], event["data"]["check"]["name"])
        for event in events
        if event["type"] == "io.driftflow.quality.violated"
    }
    assert told == {("plum", "missing_share"), ("interval.width", "maximum")}
    # Ends of intervals are not watched: that they are missing is a fault of the prediction.
    assert violated(lines) == {("interval.validity", "missing_share"): 1}


def test_bytewax_and_the_plain_loop_give_the_same_bytes(call: Call, configured: Path) -> None:
    rows = records(2, 4_000, unsure_from=2_000)
    # Rows that are no probabilities have no measures, and stop nothing.
    rows[5]["apple"], rows[6]["pear"], rows[7]["plum"] = -3.0, None, 0.9
    for row in rows[1_000:1_040]:
        row["low"], row["plum"] = 9.0, 2.0
    write(configured.parent / "events.jsonl", rows)
    write(configured.parent / "reference.jsonl", records(1, 4_000))
    assert call("reference", "build", configured, configured.parent / "reference.jsonl").code == 0
    assert call("run", configured).code == 0
    config = load_config(configured)
    plain = lines_of(config, active_generations(config, str(configured)).first)
    assert (configured.parent / "out" / "events.jsonl").read_bytes().splitlines() == plain
    assert {check for _, check in violated(plain)} == {
        "uncertain_share",
        "out_of_range_share",
        "crossed_share",
    }
    first = next(json.loads(line) for line in plain if b"window.report" in line)
    missing = {each["feature"]: each["missing"] for each in first["data"]["features"]}
    assert missing["scores.confidence"] == missing["scores.class"] == 3
    assert missing["apple"] == missing["interval.width"] == 0


def test_a_reference_of_another_formula_is_refused(configured: Path) -> None:
    config = load_config(configured)
    reference = built(config, records(1, 1_000))
    other = parse_config(CONFIG + "predictions: {uncertain: {high: .7}}\n", folder=configured.parent)
    with pytest.raises(BadReferenceError, match=r"'max\(apple, pear, plum\) <= 0.7' in the configuration"):
        reference.check_columns(other.columns)
    plain = parse_config(
        CONFIG.replace("windows:", "  f: {kind: numeric}\nwindows:"), folder=configured.parent
    )
    with pytest.raises(BadReferenceError, match="no column 'f'"):
        reference.check_columns(plain.columns)


def test_the_reference_shows_formulas(call: Call, configured: Path) -> None:
    write(configured.parent / "reference.jsonl", records(1, 1_000))
    call("reference", "build", configured, configured.parent / "reference.jsonl")
    shown = call("reference", "show", configured).out
    assert "scores.entropy" in shown
    assert "scores.uncertain: max(apple, pear, plum) <= 0.6\n" in shown
    document = call("reference", "show", configured, "--json").json()
    formulas = {each["column"]: each["formula"] for each in document["columns"]}
    assert formulas["interval.width"] == "high - low"
    assert formulas["apple"] is None


def test_an_event_is_explained_with_the_formula(call: Call, configured: Path) -> None:
    write(configured.parent / "events.jsonl", records(2, 2_500, unsure_from=500))
    write(configured.parent / "reference.jsonl", records(1, 4_000))
    call("reference", "build", configured, configured.parent / "reference.jsonl")
    call("run", configured)
    events = [
        json.loads(line) for line in (configured.parent / "out" / "events.jsonl").read_bytes().splitlines()
    ]
    opened_by = {e["data"]["result"]["feature"]: e["id"] for e in events if e["type"].endswith("opened")}
    said = call("explain", configured, opened_by["scores.confidence"]).out
    assert "scores.confidence = max(apple, pear, plum)" in said
    assert "derived" not in call("explain", configured, opened_by["apple"]).out
    (unsure,) = [e["id"] for e in events if e["type"] == "io.driftflow.prediction.violated"][:1]
    told = call("explain", configured, unsure).out
    assert "scores.uncertain: uncertain_share is beyond its limit" in told
    assert "scores.uncertain = max(apple, pear, plum) <= 0.6" in told


def test_a_reference_that_is_learned_has_derived_columns_too(call: Call, configured: Path) -> None:
    configured.write_text(CONFIG + "reference: {missing: learn, rows: 2000}\n")
    write(configured.parent / "events.jsonl", records(2, 5_000, unsure_from=3_000))
    assert call("run", configured).code == 0
    learned = active_generations(load_config(configured), str(configured)).first
    known = {feature.column.name: feature.column.formula for feature in learned.features}
    assert known["scores.validity"] == "validity(apple, pear, plum)"
    lines = (configured.parent / "out" / "events.jsonl").read_bytes().splitlines()
    assert violated(lines) == {("scores.uncertain", "uncertain_share"): 6}


def test_comparisons_derive_too(call: Call, configured: Path) -> None:
    folder = configured.parent
    before = write(folder / "before.jsonl", records(1, 3_000))
    now = write(folder / "now.jsonl", records(2, 3_000, unsure_from=0))
    found = call("compare", before, now, "--config", configured, "--json").json()
    verdicts = {column["column"]: column["verdict"] for column in found["columns"]}
    assert verdicts["scores.entropy"] == "drift"
    assert verdicts["interval.width"] == "ok"
    assert "scores.validity" not in verdicts
    picked = call("compare", before, now, "--config", configured, "--columns", "scores.entropy", "--json")
    assert [column["column"] for column in picked.json()["columns"]] == ["scores.entropy"]
    for name in ("before", "now"):
        rows = [{k: v for k, v in row.items() if k != "plum"} for row in records(1, 100)]
        write(folder / f"{name}.jsonl", rows)
    left = {
        item["name"]: item["reason"]
        for item in call("compare", before, now, "--config", configured, "--json").json()["left_out"]
    }
    assert left["plum"] == "not in the baseline and current"
    assert left["scores.entropy"] == "derived from plum"


def test_a_vector_in_one_array_is_the_same_vector(call: Call, configured: Path) -> None:
    rows = records(2, 1_500)
    arrays = [{**row, "s": [row.pop("apple"), row.pop("pear"), row.pop("plum")]} for row in map(dict, rows)]
    by_place = CONFIG
    for place, name in enumerate(("apple", "pear", "plum")):
        by_place = by_place.replace(f"class: {name}", f"class: {name}, path: s.{place}")
    config = parse_config(by_place, folder=configured.parent)
    keyed, placed = (
        built(each, found) for each, found in ((load_config(configured), rows), (config, arrays))
    )
    for column in config.columns:
        found, wanted = placed.feature(column.name), keyed.feature(column.name)
        assert found.sketch.to_bytes() == wanted.sketch.to_bytes()
    configured.write_text(by_place)
    file = configured.parent / "reference.jsonl"
    compared = call("compare", file, file, "--config", configured, "--json").json()
    assert {"apple", "scores.entropy"} <= {column["column"] for column in compared["columns"]}
    assert compared["left_out"] == []
