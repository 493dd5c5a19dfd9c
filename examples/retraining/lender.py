"""A made-up lender: who asks for a loan, who pays it back, and the model that says so before."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import joblib
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

DATA = Path(__file__).parent / "data"
START = datetime(2026, 3, 1, tzinfo=UTC)
A_DAY = 2_000
"""Requests of a day, as far apart as each other."""
PARTNER_FROM = 5
"""Day from which a partner sends customers: less income, more debt, and for them debt is no bad sign."""
LABEL_AFTER = timedelta(hours=6)
FIRST_DAYS, LAST_DAY = 10, 16
"""Days until the model is asked after; the end of the story."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Requests, one a row: income, debt and age; whether they were paid back, which is known later."""

    times: list[datetime]
    features: Floats
    paid: npt.NDArray[np.bool_]


def requests(first_day: int, last_day: int) -> Rows:
    """Draw the requests of some days, the last one not included; the same at every call."""
    drawn = [_day(day) for day in range(first_day, last_day)]
    step = timedelta(days=1) / A_DAY
    begin = START + timedelta(days=first_day)
    return Rows(
        times=[begin + number * step for number in range(A_DAY * len(drawn))],
        features=np.concatenate([features for features, _ in drawn]),
        paid=np.concatenate([paid for _, paid in drawn]),
    )


def _day(day: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    rng = np.random.default_rng([7, day + 1_000])
    partner = (rng.random(A_DAY) < 0.6) & (day >= PARTNER_FROM)  # noqa: PLR2004  # six of ten come from there
    income = np.exp(rng.normal(np.where(partner, 7.7, 8.0), 0.4))
    debt = rng.gamma(2.0, np.where(partner, 0.25, 0.15))
    age = rng.uniform(20.0, 70.0, A_DAY)
    log_odds = 0.8 + 1.5 * (np.log(income) - 8.0) + np.where(partner, 2.5, -5.0) * (debt - 0.3)
    paid = rng.random(A_DAY) < 1.0 / (1.0 + np.exp(-log_odds))
    return np.column_stack([income, debt, age]), paid


def new_model() -> Pipeline:
    """Return a model that has learnt nothing yet."""
    return make_pipeline(StandardScaler(), LogisticRegression())


def write_served(path: Path, rows: Rows, scores: Floats, *, labels: Path | None) -> None:
    """Write what the service answered, behind what is there, and what became of it.

    Parameters
    ----------
    labels
        File of the labels; None: they stand in the record itself, as a reference has them.
    """
    answers: list[str] = []
    outcomes: list[str] = []
    columns = zip(rows.times, rows.features.tolist(), scores.tolist(), rows.paid.tolist(), strict=True)
    for time, (income, debt, age), score, paid in columns:
        record = {
            "id": f"{time:%m%d-%H%M%S.%f}",
            "ts": time.isoformat(),
            "income": round(income, 2),
            "debt": round(debt, 4),
            "age": round(age, 1),
            "score": round(score, 6),
            "prediction": "yes" if score >= 0.5 else "no",  # noqa: PLR2004  # more likely than not
        }
        outcome = {"paid": "yes" if paid else "no"}
        answers.append(json.dumps(record if labels is not None else record | outcome))
        known = {"id": record["id"], "ts": (time + LABEL_AFTER).isoformat()}
        outcomes.append(json.dumps(known | outcome))
    _append(path, answers)
    if labels is not None:
        _append(labels, outcomes)


def serve(first_day: int, last_day: int) -> None:
    """Answer the requests of some days with the model that is in its place."""
    rows = requests(first_day, last_day)
    model: Pipeline = joblib.load(DATA / "model.joblib")
    scores = model.predict_proba(rows.features)[:, 1]
    write_served(DATA / "events.jsonl", rows, scores, labels=DATA / "labels.jsonl")


def _append(path: Path, lines: Sequence[str]) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
