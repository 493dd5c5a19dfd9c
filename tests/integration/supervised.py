"""A supervised run for tests: as supervisor it starts itself as members.

A member prints its number and process id on stderr when it starts ("member 0 4711"), "reading" with its first
batch, and "ended" or "stopped" on stdout.
"""

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from detectors.base import DriftflowError
from flows.batch import Batch
from flows.commands.exits import ExitCode
from flows.engine import Member, Recovery, drop, run
from flows.hooks import Hooks
from flows.supervisor import Timing, supervise
from flows.workers.environment import METRICS_PORT, SUPERVISED
from flows.workers.references import ReferenceWatch
from state.stores.base import Store, StoreBusyError
from tests.integration.results import outputs_in
from tests.integration.stream import load_plan


def main() -> int:
    """Run as the arguments say."""
    given = _arguments()
    recovery = Recovery(folder=given.recovery, interval_s=given.interval_s)
    try:
        return _supervisor(given, recovery) if given.member is None else _member(given, recovery)
    except DriftflowError as error:
        _tell(f"{type(error).__name__}: {error}")
        return ExitCode.FAILED


def _supervisor(given: Namespace, recovery: Recovery) -> int:
    plan = load_plan(given.config)

    def command(member: int, addresses: tuple[str, ...]) -> list[str]:
        own = ["--member", str(member), "--addresses", *addresses]
        return [sys.executable, "-m", "tests.integration.supervised", *sys.argv[1:], *own]

    return supervise(
        command,
        workers=given.workers,
        partitions=plan.partitions,
        recovery=recovery,
        list_partitions=(lambda: load_plan(given.config).partitions) if given.live else None,
        references=ReferenceWatch(
            plan.config,
            recovery.folder,
            lambda: load_plan(given.config).generations.lineage,
            every_s=0.2,
        )
        if given.live
        else None,
        before=(lambda: drop(outputs_in(given.out), recovery)) if given.overwrite else (lambda: None),
        metrics_port=9200,
        timing=Timing(
            stall_s=given.stall_s,
            first_pause_s=0.1,
            partitions_s=0.2,
            lock_s=given.lock_s,
            poll_s=0.02,
        ),
    )


def _member(given: Namespace, recovery: Recovery) -> int:
    assert os.environ[METRICS_PORT] == str(9200 + given.member)
    _tell(f"member {given.member} {os.getpid()}")
    if given.refuse:
        return ExitCode.USAGE
    told = False

    def see(_batch: Batch) -> None:
        nonlocal told
        if not told:
            _tell("reading")
            told = True
        # Stretches the run, so that a signal lands in the middle of it.
        time.sleep(given.pause_s)

    member = Member(
        process_id=given.member, addresses=tuple(given.addresses), supervised=SUPERVISED in os.environ
    )
    plan = replace(load_plan(given.config), live=given.live)
    outputs = outputs_in(given.out)
    outputs = replace(outputs, open_store=_away(outputs.open_store, given.away_s))
    ended = run(plan, outputs, recovery=recovery, member=member, hooks=Hooks(on_batch=see))
    sys.stdout.write("ended\n" if ended else "stopped\n")
    return ExitCode.DONE


def _away(open_store: Callable[[], Store], seconds: float) -> Callable[[], Store]:
    """Open a store that does not answer for some time after the first try."""
    tried_s: list[float] = []

    def open_later() -> Store:
        tried_s.append(time.monotonic())
        if tried_s[-1] < tried_s[0] + seconds:
            raise StoreBusyError("away")
        return open_store()

    return open_later


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _arguments() -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("recovery", type=Path)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--interval-s", type=float, default=0.2)
    parser.add_argument("--pause-s", type=float, default=0.0)
    parser.add_argument("--stall-s", type=float, default=20.0)
    parser.add_argument("--lock-s", type=float, default=5.0)
    parser.add_argument("--away-s", type=float, default=0.0)
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--refuse", action="store_true")
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--member", type=int)
    parser.add_argument("--addresses", nargs="*", default=[])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
