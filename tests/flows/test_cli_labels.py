"""driftflow run with labels in a file of their own."""

import json
from pathlib import Path

import numpy as np
import pytest

from flows.render.labelled import LabelSummary, label_line
from tests.command_line import Call, caller

CONFIG = """
model: {name: price}
input: {path: events.jsonl}
time: {column: ts, format: ms}
windows: {hourly: {size: 1h}}
columns:
  guess: {kind: numeric, role: prediction}
  request: {kind: categorical, role: id}
labels: {path: labels.jsonl, label: truth, time: {column: at, format: ms}, horizon: 2h, rate: 1}
"""

START = 1_767_571_200_000
HOUR = 3_600_000
ROWS = 1_200


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch, 100)


@pytest.fixture
def config(call: Call, tmp_path: Path) -> Path:
    """A prediction every 30 s for ten hours; each third one is labelled an hour later."""
    rng = np.random.default_rng(2)
    events, labels = [], []
    for i, guess in enumerate(rng.normal(size=ROWS).tolist()):
        at = START + 30_000 * i
        events.append({"ts": at, "guess": guess, "request": None if i == 5 else f"r{i}"})
        if i % 3 == 0:
            labels.append({"at": at + HOUR, "request": f"r{i}", "truth": guess})
    labels.insert(200, {"at": START, "request": "r1", "truth": 0.0})
    labels.append({"at": labels[-1]["at"], "request": "nobody", "truth": 0.0})
    for name, records in (("events", events), ("labels", labels), ("reference", events)):
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG)
    assert call("reference", "build", path, tmp_path / "reference.jsonl").code == 0
    return path


def test_a_run_says_what_became_of_labels(call: Call, config: Path) -> None:
    found = call("run", config, "--json").json()
    assert (found["rows"], found["late_rows"]) == (ROWS, 0)
    assert found["labels"] == {
        "rows": ROWS // 3 + 1,
        "late": 1,
        "predictions": ROWS - 1,
        "labelled": ROWS // 3,
        "unlabelled": ROWS - 1 - ROWS // 3,
        "forgotten": 0,
        "orphans": 1,
        "repeated": 0,
        "without_id": 1,
    }
    told = call("run", config, "--overwrite")
    line = "401 labels, 1 late: 400 of 1,199 predictions labelled, 799 never; 1 orphan, 1 without an id"
    assert line in " ".join(told.out.split())
    # One a second for two hours, of 17 bytes.
    assert "1 a second make 7,200 (122.4 kB)." in told.err


def test_more_predictions_than_may_wait_are_told(call: Call, config: Path) -> None:
    config.write_text(CONFIG.replace("rate: 1", "max_rows: 8"))
    found = call("run", config, "--json").json()["labels"]
    assert found["forgotten"] > ROWS / 2
    assert found["predictions"] == found["labelled"] + found["unlabelled"] + found["forgotten"]


def test_a_configuration_without_labels_has_none(call: Call, config: Path) -> None:
    config.write_text(CONFIG[: CONFIG.index("labels:")])
    assert call("run", config, "--json").json()["labels"] is None


def test_what_did_not_happen_is_left_out() -> None:
    none = LabelSummary(
        rows=1,
        late=0,
        predictions=3,
        labelled=1,
        unlabelled=0,
        forgotten=0,
        orphans=0,
        repeated=0,
        without_id=0,
    )
    assert label_line(none) == "1 label, 0 late: 1 of 3 predictions labelled, 2 still waiting"


def test_state_of_other_labels_is_refused_by_key(call: Call, config: Path) -> None:
    kept = CONFIG + "recovery: {folder: snapshots}\n"
    config.write_text(kept)
    assert call("run", config).code == 0
    for changed, told in (
        (kept.replace("horizon: 2h", "horizon: 3h"), 'labels.horizon ("2h" then, "3h" now)'),
        (kept.replace("label: truth", "label: y"), 'labels.label ("truth" then, "y" now)'),
        ("\n".join(line for line in kept.splitlines() if "labels" not in line), "labels"),
    ):
        config.write_text(changed)
        refused = call("run", config)
        assert refused.code == 2
        assert told in " ".join(refused.err.split())
    # Where labels come from, and what is expected of them, may change.
    config.write_text(kept.replace("rate: 1", "rate: 2"))
    assert call("run", config).code == 0
