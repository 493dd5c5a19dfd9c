"""Asks the scoring service about customers whose charges rise: load.py [URL] [--rows N] [--pace PER_SECOND].

Each request holds fifty customers, with the times at which the scenario `churn` has them: half a minute
apart.
"""

import json
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from urllib.request import Request, urlopen

from flows.scenarios.base import ScenarioOptions
from flows.scenarios.lines import json_lines
from flows.scenarios.registry import scenario

BATCH = 50


def main(arguments: Sequence[str] | None = None) -> None:
    """Send the requests, as fast as the pace allows."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--pace", type=float, default=20.0)
    given = parser.parse_args(arguments)
    source, options = scenario("churn"), ScenarioOptions(rows=given.rows, seed=2, disorder_ms=0)
    began = time.monotonic()
    for number, start in enumerate(range(0, given.rows, BATCH)):
        time.sleep(max(began + number / given.pace - time.monotonic(), 0.0))
        lines = json_lines(source, options, start, min(BATCH, given.rows - start))
        ask(f"{given.url}/score", [customer(json.loads(line)) for line in lines])


def customer(row: dict[str, object]) -> dict[str, object]:
    """Return what a caller knows of a row."""
    return {"id": row["id"], "at": row["ts"], "features": row["features"]}


def ask(url: str, customers: Sequence[dict[str, object]]) -> None:
    """Send one request, and wait for its answer."""
    request = Request(url, json.dumps(customers).encode(), {"Content-Type": "application/json"})  # noqa: S310  # a URL the caller names
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        answer.read()


if __name__ == "__main__":
    main()
