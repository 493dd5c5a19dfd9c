"""Runs a configuration in a process of its own, so that a test can kill it.

Prints "reading" with the first batch, and at the end "ended", "stopped" or the error.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import orjson

from detectors.base import DriftflowError
from flows.batch import Batch
from flows.engine import Member, Recovery, run
from flows.hooks import Hooks
from state.joined import Joined
from tests.integration.results import outputs_in
from tests.integration.stream import load_plan


def main() -> int:
    """Run as the arguments say; 0 where the run ended or was stopped, 3 where it was refused."""
    given = _arguments()
    told = False

    def see(_batch: Batch) -> None:
        nonlocal told
        if not told:
            say("reading")
            told = True
        # Stretches the run, so that a kill lands in the middle of it.
        time.sleep(given.pause_s)

    given.out.mkdir(parents=True, exist_ok=True)
    told_joins = given.out / f"joined-{given.member}.jsonl"

    def see_joined(shard: str, joined: Joined) -> None:
        with told_joins.open("ab") as file:
            file.write(orjson.dumps([shard, joined.counts]) + b"\n")

    try:
        ended = run(
            load_plan(given.config),
            outputs_in(given.out),
            recovery=None
            if given.recovery is None
            else Recovery(folder=given.recovery, interval_s=given.interval_s),
            member=Member(process_id=given.member, addresses=tuple(given.addresses))
            if given.addresses
            else None,
            overwrite=given.overwrite,
            hooks=Hooks(on_batch=see, on_joined=see_joined),
        )
    except DriftflowError as error:
        say(f"{type(error).__name__}: {error}")
        return 3
    say("ended" if ended else "stopped")
    return 0


def say(line: str) -> None:
    """Tell the test; a pipe would hold a line back."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _arguments() -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--recovery", type=Path)
    parser.add_argument("--interval-s", type=float, default=0.05)
    parser.add_argument("--pause-s", type=float, default=0.0)
    parser.add_argument("--member", type=int, default=0)
    parser.add_argument("--addresses", nargs="*", default=[])
    parser.add_argument("--overwrite", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
