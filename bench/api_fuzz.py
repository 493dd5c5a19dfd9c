"""Sends many requests of Schemathesis to every route of the service, and prints what is wrong.

Usage: python -m bench.api_fuzz [--examples 300]. Ends with 1 where an answer is none that the document tells.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.command_line import finished_demo
from tests.service.fuzzing import faults, fuzzed


def main() -> int:
    """Fuzz a service over a short demo."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--examples", type=int, default=300, help="Requests to each route.")
    asked = parser.parse_args()
    start = perf_counter()

    def on_route(route: str, wrong: Sequence[str]) -> None:
        print(f"{perf_counter() - start:7.1f} s  {'ok   ' if not wrong else 'WRONG'}  {route}", flush=True)
        for each in wrong:
            print(each)

    with TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        demo.mkdir()
        with fuzzed(finished_demo(demo), Path(folder) / "served") as found:
            wrong = faults(found, examples=asked.examples, on_route=on_route)
    print(f"{asked.examples} requests to each route, {sum(map(len, wrong.values()))} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
