"""Each example runs by its one command, and finds what its data holds."""

import json
import os
import subprocess
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pytest

from flows.scenarios.truth_file import TruthFile, read_truth

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.parent.name for path in ROOT.glob("examples/*/make_data.py"))

Spans = list[tuple[datetime, datetime]]


def run(name: str, folder: Path) -> list[dict[str, str]]:
    """Run an example in a folder of its own; its events."""
    environment = {**os.environ, "DRIFTFLOW_DATA": ""}
    subprocess.run(
        [ROOT / "scripts" / "example", name, folder], check=True, capture_output=True, env=environment
    )
    return [json.loads(line) for line in (folder / "out" / "events.jsonl").read_text().splitlines()]


def openings(events: list[dict[str, str]]) -> dict[str, list[str]]:
    """Return by column the ends of the windows that opened a drift; empty where rows are time."""
    found = defaultdict(list)
    for event in events:
        if event["type"] == "io.driftflow.drift.opened":
            column = event["subject"].rsplit("/", 1)[-1]
            found[column].append(event.get("time", ""))
    return dict(found)


def moments(truth: TruthFile, feature: str) -> Spans:
    """Return the spans in which a column drifts."""
    (found,) = (told for told in truth.features if told.feature == feature)
    return [(datetime.fromisoformat(span.start), datetime.fromisoformat(span.end)) for span in found.spans]


def test_every_example_with_a_run_is_tested() -> None:
    assert NAMES == [
        "breast_cancer",
        "ethereum_volatility",
        "house_prices",
        "retraining",
        "scoring_service",
        "telco_churn",
    ]


def degraded(folder: Path) -> dict[str, list[datetime]]:
    """Return by metric the ends of the windows from which on it was degraded."""
    found = defaultdict(list)
    for line in (folder / "out" / "performance.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["type"] == "io.driftflow.performance.degraded" and event["data"]["change"] == "opened":
            found[event["data"]["check"]["name"]].append(
                datetime.fromisoformat(event["data"]["window"]["end"])
            )
    return dict(found)


def began(truth: TruthFile, check: str) -> datetime:
    """Return when the fault that a check shows began."""
    (found,) = (told for told in truth.faults if told.check == check)
    return datetime.fromisoformat(found.spans[0].start)


@pytest.mark.parametrize(
    ("name", "metrics"),
    [
        ("ethereum_volatility", {"mae", "rmse"}),
        ("house_prices", {"mae", "rmse", "coverage"}),
        ("telco_churn", {"accuracy", "f1", "roc_auc"}),
    ],
)
def test_drifts_and_degradations_of_the_scenario_are_found_and_nothing_else(
    tmp_path: Path, name: str, metrics: set[str]
) -> None:
    opened = openings(run(name, tmp_path))
    truth = read_truth(tmp_path / "data" / "truth.json")
    watched = {told.feature for told in truth.features} - {"interval_low", "interval_high", "trades"}
    assert {column for column in watched if moments(truth, column)} == set(opened) & watched
    # Nothing but what is derived from fields of the truth is found beside them.
    derived = {"interval.width", "score.confidence", "score.uncertain", "error", "wrong"}
    assert set(opened) - watched <= derived
    for column in set(opened) & watched:
        ends = [datetime.fromisoformat(end) for end in opened[column]]
        for end in ends:
            assert any(start < end for start, _ in moments(truth, column)), column
    worse = degraded(tmp_path)
    assert metrics <= set(worse)
    for metric in metrics:
        assert min(worse[metric]) > began(truth, metric)


def test_thirty_measurements_drift_at_once(tmp_path: Path) -> None:
    opened = openings(run("breast_cancer", tmp_path))
    # The clinic's patients change at row 1,000; its windows are 200 rows.
    assert len(opened) > 20


def test_the_log_of_a_service_is_watched(tmp_path: Path) -> None:
    events = run("scoring_service", tmp_path)
    opened = openings(events)
    # Charges rise at 35 % of the rows, and the other three follow (scenario churn).
    assert set(opened) == {"monthly_charges", "total_charges", "score", "prediction"}
    # Its reference has all fields that the service logs, and charges go missing at 50 % of the rows.
    violated = {event["subject"] for event in events if event["type"] == "io.driftflow.quality.violated"}
    assert violated == {"scoring_service/1/quarter/total_charges"}


def test_a_name_that_is_no_example_is_refused_with_those_that_are() -> None:
    done = subprocess.run([ROOT / "scripts" / "example", "none"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert all(name in done.stderr for name in NAMES)
