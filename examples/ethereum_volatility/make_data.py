"""Writes the ethereum example's data: hours of a coin, made up, or from a file of prices in DRIFTFLOW_DATA.

The file is Gemini's of hourly prices (`ethereum/Gemini_ETHUSD_1h.csv.gz`, newest first). Its forecast is as
naive as can be: a tenth of the last return, the other way round.
"""

import csv
import gzip
import os
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from flows.scenarios.base import ScenarioOptions
from flows.scenarios.dataset import write_dataset
from flows.scenarios.registry import scenario

FOLDER = Path(__file__).parent / "data"
PRICES = "ethereum/Gemini_ETHUSD_1h.csv.gz"
HEADER = (
    "ts",
    "features.return_pct",
    "features.range_pct",
    "features.volume",
    "prediction",
    "next_return_pct",
)
REFERENCE_ROWS = 8_760
"""A year of hours."""


def main() -> None:
    """Write `data/reference.csv` and `data/events.csv`; always the same bytes."""
    given = os.environ.get("DRIFTFLOW_DATA", "")
    prices = Path(given) / PRICES
    if given and prices.exists():
        _write_real(prices)
        return
    options = ScenarioOptions(
        rows=3 * REFERENCE_ROWS, seed=1, reference_rows=REFERENCE_ROWS, step_ms=3_600_000, disorder_ms=0
    )
    write_dataset(scenario("ethereum"), options, FOLDER, format="csv")


def _write_real(prices: Path) -> None:
    with gzip.open(prices, "rt", newline="") as file:
        hours = list(csv.DictReader(file))
    rows = list(_rows(hours[::-1]))
    FOLDER.mkdir(exist_ok=True)
    parts = (("reference.csv", rows[:REFERENCE_ROWS]), ("events.csv", rows[REFERENCE_ROWS:]))
    for name, part in parts:
        with (FOLDER / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(part)


def _rows(hours: list[dict[str, str]]) -> Iterator[tuple[str | float, ...]]:
    """Make a row of each hour but the last: what is known at its end, and the return that came."""
    for hour, following in pairwise(hours):
        close, opened = float(hour["close"]), float(hour["open"])
        known = 100 * (close / opened - 1)
        yield (
            datetime.strptime(hour["date"], "%m/%d/%Y %H:%M").isoformat(),  # noqa: DTZ007  # UTC, as the configuration has it
            round(known, 5),
            round(100 * (float(hour["high"]) / float(hour["low"]) - 1), 5),
            float(hour["Volume ETH"]),
            round(-0.1 * known, 5),
            round(100 * (float(following["close"]) / float(following["open"]) - 1), 5),
        )


if __name__ == "__main__":
    main()
