"""Writes the house-price example's data: three weeks of a service that predicts prices, with their labels."""

from pathlib import Path

from flows.scenarios.base import ScenarioOptions
from flows.scenarios.dataset import write_dataset
from flows.scenarios.registry import scenario

FOLDER = Path(__file__).parent / "data"


def main() -> None:
    """Write reference, events, labels and the truth about them to `data`; always the same bytes."""
    options = ScenarioOptions(rows=60_000, seed=1, reference_rows=40_320, disorder_ms=0)
    write_dataset(scenario("house-prices"), options, FOLDER)


if __name__ == "__main__":
    main()
