"""What is promised about alarms: sizes of tests, false alarms over time, delays, real streams, cost."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench import evidence, peers, real_alarms, sizes, throughput
from bench.measure import say

PARTS = {
    "sizes": "Size of every test that gives a p-value",
    "evidence": "False alarms over time, dependent rows, and delays",
    "peers": "Beside other tools, on real marginals (--data)",
    "real": "Real streams with known drift (--data)",
    "cost": "What judging costs",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts one after the other, or those asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short form of each part")
    parser.add_argument(
        "--data", type=Path, help="folder of the data sets; without it their parts are left out"
    )
    parser.add_argument(
        "--part", choices=tuple(PARTS), action="append", help="only this part; may be repeated"
    )
    given = parser.parse_args(arguments)
    quick = ["--quick"] if given.quick else []
    for part in given.part or PARTS:
        say(f"\n== {PARTS[part]}")
        if part in {"peers", "real"} and given.data is None:
            say("left out: it needs --data FOLDER")
        elif part == "sizes":
            sizes.main(quick)
        elif part == "evidence":
            evidence.main(quick)
        elif part == "peers":
            peers.main(["--data", str(given.data), *quick])
        elif part == "real":
            real_alarms.main(["--data", str(given.data)])
        else:
            throughput.main(quick)


if __name__ == "__main__":
    main()
