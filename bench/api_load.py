"""Latency of the REST API under load: many clients at once over a mix of routes, while a run writes.

Usage: scripts/bench api_load [--quick] [--clients 50] [--seconds 60] [--store redis://...]. The demo is
run again and again as a process of its own, into the store that is served. Prints requests a second and
the latency of each route; ends with 1 where an answer is no 200, or the store holds other events than
the run wrote.
"""

import argparse
import asyncio
import os
import random
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic, perf_counter
from typing import Any

import httpx
import msgspec
import numpy as np

from bench.measure import say, show
from flows.config import load_config
from flows.connections import store_opener
from tests.command_line import COMMAND, finished_demo
from tests.integration.served import serving

MODEL = "/v1/models/demo"
ROWS = 60_000
QUANTILES = (0.5, 0.95, 0.99)
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One kind of request, and how often it comes beside the others."""

    route: str
    path: str
    share: int
    body: dict[str, Any] | None = None


@dataclass(slots=True)
class Measured:
    """What came of all requests."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: Counter[str] = field(default_factory=Counter)
    lasted_s: float = 0.0


def main() -> int:
    """Serve, write, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ten seconds")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--store", default="driftflow.sqlite", help="URL of a Redis; otherwise SQLite.")
    given = parser.parse_args()
    seconds = 10.0 if given.quick else given.seconds
    with TemporaryDirectory() as folder:
        return measured(Path(folder) / "demo", given.store, clients=given.clients, seconds=seconds)


def measured(folder: Path, store: str, *, clients: int, seconds: float) -> int:
    """Do it in a folder; return the exit code."""
    folder.mkdir()
    config = finished_demo(folder, rows=ROWS)
    if "://" in store:
        text = config.read_text()
        config.write_text(text.replace("output:\n", f"output:\n  store: {store}\n"))
        for command in (
            ("reference", "build", config, folder / "reference.jsonl"),
            ("run", config, "--overwrite"),
        ):
            subprocess.run([*COMMAND, *map(str, command)], check=True, capture_output=True)  # noqa: S603
    # One key makes all requests.
    with config.open("a") as more:
        more.write("\nservice: {rate_limit: null, upload_limit: null}\n")
    busy = os.getloadavg()[0]
    with serving(config) as address, writing(config) as runs:
        found = asyncio.run(ask(address, mix(address, folder), clients=clients, seconds=seconds))
    say(f"{clients} clients, {found.lasted_s:.0f} s, {os.cpu_count()} cores (load {busy:.1f} before).")
    say(f"{len(runs)} runs of {ROWS:,} rows wrote into the store meanwhile.")
    report(found)
    same = kept(config) == written(folder)
    say(f"The store holds {'the' if same else 'OTHER'} events that the run wrote.")
    return 0 if same and runs and not found.wrong else 1


def mix(address: str, folder: Path) -> tuple[Ask, ...]:
    """Return what is asked for."""
    with httpx.Client(base_url=address, timeout=PATIENCE_S) as client:
        event = client.get(f"{MODEL}/events").json()["events"][0]["id"]
        keys = client.get(f"{MODEL}/series").json()
    key = next(each for each in keys if each["metric"] == "psi")
    points = "&".join(f"{name}={key[name]}" for name in ("window", "feature", "metric"))
    lines = (folder / "reference.jsonl").read_text().splitlines()[:200]
    return (
        Ask(route="GET /v1/models", path="/v1/models", share=20),
        Ask(route="GET /v1/models/{model}", path=MODEL, share=10),
        Ask(route="GET …/windows", path=f"{MODEL}/windows?limit=50", share=10),
        Ask(route="GET …/events", path=f"{MODEL}/events?limit=100", share=10),
        Ask(route="GET …/events/{event_id}", path=f"{MODEL}/events/{event}", share=10),
        Ask(route="GET …/episodes", path=f"{MODEL}/episodes", share=10),
        Ask(route="GET …/series", path=f"{MODEL}/series", share=5),
        Ask(route="GET …/series/points", path=f"{MODEL}/series/points?{points}", share=15),
        Ask(route="GET …/references", path=f"{MODEL}/references", share=3),
        Ask(route="GET /healthz", path="/healthz", share=5),
        Ask(route="GET /metrics", path="/metrics", share=1),
        Ask(
            route="POST …/compare (200 rows)",
            path=f"{MODEL}/compare",
            share=1,
            body={"rows": [json_of(line) for line in lines]},
        ),
    )


async def ask(address: str, asks: Sequence[Ask], *, clients: int, seconds: float) -> Measured:
    """Let clients ask one thing after the other until the time is over."""
    found = Measured()
    began = perf_counter()

    async def client(number: int) -> None:
        draw = random.Random(number)  # noqa: S311  # a mix, no secret
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as http:
            while perf_counter() - began < seconds:
                (asked,) = draw.choices(asks, [each.share for each in asks])
                await one(http, asked, found)

    await asyncio.gather(*(client(number) for number in range(clients)))
    found.lasted_s = perf_counter() - began
    return found


async def one(http: httpx.AsyncClient, asked: Ask, found: Measured) -> None:
    """Make one request, and note what came of it."""
    start = perf_counter()
    try:
        answer = await http.request("GET" if asked.body is None else "POST", asked.path, json=asked.body)
    except httpx.HTTPError as error:
        found.wrong[f"{asked.route}: {type(error).__name__}"] += 1
        return
    found.seconds[asked.route].append(perf_counter() - start)
    if answer.status_code != httpx.codes.OK:
        found.wrong[f"{asked.route}: {answer.status_code}"] += 1


@contextmanager
def writing(config: Path) -> Iterator[list[float]]:
    """Run the model again and again as a process of its own; gives when each run ended."""
    ended, over = list[float](), Event()

    def write() -> None:
        while not over.is_set():
            subprocess.run([*COMMAND, "run", str(config), "--overwrite"], check=True, capture_output=True)  # noqa: S603
            ended.append(monotonic())

    writer = Thread(target=write)
    writer.start()
    try:
        yield ended
    finally:
        over.set()
        writer.join()


def report(found: Measured) -> None:
    """Print latencies, and what went wrong."""
    every = {**found.seconds, "all": [each for taken in found.seconds.values() for each in taken]}
    show(
        "Latency in milliseconds",
        ("route", "requests", "a second", *(f"p{q * 100:.0f}" for q in QUANTILES)),
        [
            (
                route,
                f"{len(taken):,}",
                f"{len(taken) / found.lasted_s:.1f}",
                *(f"{1000 * each:.0f}" for each in np.quantile(taken, QUANTILES)),
            )
            for route, taken in every.items()
        ],
    )
    say("No answer was an error." if not found.wrong else f"ERRORS: {dict(found.wrong)}")


def kept(config: Path) -> set[str]:
    """Return the ids of the events that the store holds."""
    loaded = load_config(config)
    with closing(store_opener(loaded)()) as store:
        return {event.id for event in store.events(loaded.file.model.name)}


def written(folder: Path) -> set[str]:
    """Return the ids of the events that the last run wrote into its log."""
    return {json_of(line)["id"] for line in (folder / "out" / "events.jsonl").read_text().splitlines()}


def json_of(line: str) -> dict[str, Any]:
    """Read a line."""
    found: dict[str, Any] = msgspec.json.decode(line)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
