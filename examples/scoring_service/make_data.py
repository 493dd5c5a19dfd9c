"""Trains the model of the scoring service, and writes its answers to other rows as the reference."""

import json
from pathlib import Path

import joblib
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from flows.scenarios.base import ScenarioOptions
from flows.scenarios.lines import json_reference
from flows.scenarios.registry import scenario

FOLDER = Path(__file__).parent / "data"
ROWS = 8_000
"""Half to train the model, half to see how it answers."""


def main() -> None:
    """Write `data/model.joblib` and `data/reference.jsonl`."""
    options = ScenarioOptions(rows=1, seed=1, reference_rows=ROWS)
    rows = [json.loads(line) for line in json_reference(scenario("churn"), options, 0, ROWS)]
    train, kept = rows[: ROWS // 2], rows[ROWS // 2 :]
    model = make_pipeline(
        DictVectorizer(), StandardScaler(with_mean=False), LogisticRegression(max_iter=1_000)
    )
    model.fit([known(row["features"]) for row in train], [row["churned"] == "yes" for row in train])
    FOLDER.mkdir(exist_ok=True)
    joblib.dump(model, FOLDER / "model.joblib")
    _write_reference(model, kept)


def known(features: dict[str, float | str | None]) -> dict[str, float | str]:
    """Return what is there of a customer's features; the model takes what is not for 0."""
    return {name: value for name, value in features.items() if value is not None}


def _write_reference(model: Pipeline, rows: list[dict[str, dict[str, float | str | None]]]) -> None:
    scores = model.predict_proba([known(row["features"]) for row in rows])[:, 1]
    with (FOLDER / "reference.jsonl").open("w") as file:
        for row, score in zip(rows, scores.tolist(), strict=True):
            answer = {"score": round(score, 6), "prediction": "yes" if score >= 0.5 else "no"}  # noqa: PLR2004  # the service's threshold
            # The service's records have these fields too; how long an answer takes is not known offline.
            served = {"latency_ms": None, "status": "200"}
            event = {"id": row["id"], "ts": row["ts"], "features": row["features"], **answer, **served}
            file.write(f"{json.dumps(event)}\n")


if __name__ == "__main__":
    main()
