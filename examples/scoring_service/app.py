"""A service that scores customers and logs its answers: to Kafka where a broker is named, else to a file.

Start it with ``uvicorn --app-dir examples/scoring_service app:app``. `KAFKA_BOOTSTRAP` names a broker,
`SCORING_TOPIC` the topic, `SCORING_LOG` the file.
"""

import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import joblib
from fastapi import FastAPI, Request
from kafka import KafkaProducer  # type: ignore[import-untyped]  # carries no types
from pydantic import BaseModel

DATA = Path(__file__).parent / "data"
THRESHOLD = 0.5

Event = dict[str, Any]
Log = Callable[[Iterable[Event]], None]


class Customer(BaseModel):
    """One customer to be scored; `at` is when it was asked, now by default."""

    id: str
    features: dict[str, float | str | None]
    at: datetime | None = None


class Answer(BaseModel):
    """What the model says."""

    id: str
    score: float
    prediction: str


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model and open the log, and see that all of it is written at the end."""
    app.state.model = joblib.load(DATA / "model.joblib")
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP")
    if bootstrap:
        # acks=all: an event is logged when the broker has it on all its replicas.
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20)
        app.state.log = kafka_log(producer, os.environ.get("SCORING_TOPIC", "scores"))
        yield
        producer.close()
        return
    app.state.log = file_log(Path(os.environ.get("SCORING_LOG", DATA / "events.jsonl")))
    yield


app = FastAPI(title="Scoring service", lifespan=_lifespan)


def kafka_log(producer: KafkaProducer, topic: str) -> Log:
    """Return what sends events to a topic, those of a customer to one partition."""

    def log(events: Iterable[Event]) -> None:
        for event in events:
            producer.send(topic, key=event["id"].encode(), value=json.dumps(event).encode())

    return log


def file_log(path: Path) -> Log:
    """Return what appends events to a file, whole lines at a time."""
    lock = Lock()

    def log(events: Iterable[Event]) -> None:
        lines = "".join(f"{json.dumps(event)}\n" for event in events)
        with lock, path.open("a") as file:
            file.write(lines)

    return log


@app.get("/health")
def health() -> dict[str, str]:
    """Tell that the service answers."""
    return {"status": "ok"}


@app.post("/score")
def score(customers: list[Customer], request: Request) -> list[Answer]:
    """Score some customers, and log each with its features, the answer, and how long it took."""
    began, state = time.perf_counter(), request.app.state
    now = datetime.now(UTC)
    known = [{k: v for k, v in customer.features.items() if v is not None} for customer in customers]
    try:
        scores: list[float | None] = state.model.predict_proba(known)[:, 1].tolist()
        status = "200"
    except ValueError:
        # What the model cannot take is an answer too: without a score, and with a status that says so.
        scores, status = [None] * len(customers), "500"
    latency_ms = 1000 * (time.perf_counter() - began)
    events = [
        {
            "id": customer.id,
            "ts": (customer.at or now).astimezone(UTC).isoformat(),
            "features": customer.features,
            "score": value if value is None else round(value, 6),
            "prediction": None if value is None else decided(value),
            "latency_ms": round(latency_ms, 3),
            "status": status,
        }
        for customer, value in zip(customers, scores, strict=True)
    ]
    state.log(events)
    return [
        Answer(id=customer.id, score=value, prediction=decided(value))
        for customer, value in zip(customers, scores, strict=True)
        if value is not None
    ]


def decided(value: float) -> str:
    """Return the class of a score."""
    return "yes" if value >= THRESHOLD else "no"
