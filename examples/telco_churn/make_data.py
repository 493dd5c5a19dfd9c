"""Writes the churn example's data: three weeks of a service that says which customers will leave."""

from pathlib import Path

from flows.scenarios.base import ScenarioOptions
from flows.scenarios.dataset import write_dataset
from flows.scenarios.registry import scenario

FOLDER = Path(__file__).parent / "data"


def main() -> None:
    """Write `data/reference.jsonl`, `events.jsonl` and `truth.json`; always the same bytes."""
    options = ScenarioOptions(rows=60_000, seed=1, reference_rows=20_160, disorder_ms=0)
    write_dataset(scenario("churn"), options, FOLDER)


if __name__ == "__main__":
    main()
