"""Alerts to services that fail, hang, close, ask to wait or are away, from a sender that is killed with -9.

A log of drifts grows. One process alerts to six web services, of which five misbehave until they recover.
It is killed at random moments, every second time between request and answer. At the end each service was
told of every episode, what came twice has the same id, and those that recover get a digest and no flood.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import IO

from alerts.progress import progress_of
from bench.alert_plans import QUICK, WHOLE, Plan
from bench.alert_receivers import Receiver, Trouble
from bench.measure import say, show
from flows.config import load_config
from flows.connections import store_opener
from state.stores.alerts import Delivery
from state.stores.base import Store
from tests.alerts import events

SEED = 11
CAP = 20
"""Messages an hour to services that misbehave; the one that is well gets all one by one."""
LAST = 3
"""Episodes that stay open."""


@dataclass
class Outcome:
    """What came of it; `faults` is empty where all is as promised."""

    kills: int = 0
    notices: int = 0
    rows: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="waits a tenth as long, 8 kills instead of 20")
    plan = QUICK if parser.parse_args().quick else WHOLE
    with TemporaryDirectory() as folder:
        outcome = run(plan, Path(folder))
    show("Alerts to services that misbehave, from a sender that is killed", ("what", "figure"), outcome.rows)
    if outcome.faults:
        say("NOT as promised: " + "; ".join(outcome.faults))
        raise SystemExit(1)


def run(plan: Plan, folder: Path) -> Outcome:
    """Do it all in a folder."""
    with _receivers(plan) as receivers:
        bench = _Bench(plan, folder, receivers)
        bench.work()
        return bench.outcome()


@contextmanager
def _receivers(plan: Plan) -> Iterator[dict[str, Receiver]]:
    made = {
        trouble.name.lower(): Receiver(
            trouble=trouble,
            slow_s=0.3 if trouble is Trouble.NONE and plan.hasten == 1 else 0.05,
            hang_s=30.0 / plan.hasten,
            retry_after_s=max(1, 30 // plan.hasten),
        )
        for trouble in Trouble
    }
    try:
        yield made
    finally:
        for each in made.values():
            each.close()


class _Bench:
    """The log, the sender and the services, hurt in one loop."""

    def __init__(self, plan: Plan, folder: Path, receivers: dict[str, Receiver]) -> None:
        self._plan = plan
        self._folder = folder
        self._receivers = receivers
        self._well = receivers["none"]
        self._rng = Random(SEED)  # noqa: S311  # when to strike is no secret
        self._names = [f"column_{number}" for number in range(plan.episodes)]
        self._kills = Counter[str]()
        self._sender: subprocess.Popen[bytes] | None = None
        self._recovered_s = 0.0
        (folder / "out").mkdir()
        self._config = folder / "driftflow.yaml"
        self._configure()

    def work(self) -> None:
        """Write the log, kill, let the services recover, and wait until all is told."""
        self._start()
        with (self._folder / "out" / "events.jsonl").open("wb") as log:
            waiting, ending = list(self._names), self._names[: self._plan.episodes - LAST]
            _write(log, events.opened(waiting.pop(0)))
            while not self._well.taken:
                self._alive()
                time.sleep(0.02)
            began = time.monotonic()
            strike_s = began + self._rng.uniform(*self._plan.life_s)
            while waiting or ending or sum(self._kills.values()) < self._plan.kills:
                now_s = time.monotonic()
                due = int((now_s - began) / self._plan.every_s) + 1
                while waiting and len(self._names) - len(waiting) < due:
                    _write(log, events.opened(waiting.pop(0)))
                told = self._told(self._well)
                for name in [each for each in ending if each in told]:
                    _write(log, events.closed(name))
                    ending.remove(name)
                if not self._recovered_s and now_s - began > self._plan.recover_s:
                    self._recover()
                if now_s >= strike_s and sum(self._kills.values()) < self._plan.kills:
                    self._strike()
                    strike_s = time.monotonic() + self._rng.uniform(*self._plan.life_s)
                self._alive()
                time.sleep(0.02)
        if not self._recovered_s:
            self._recover()
        self._settle()

    def outcome(self) -> Outcome:
        """Hold what came against what was to come."""
        found = Outcome(kills=sum(self._kills.values()))
        with closing(self._store()) as store:
            notices = store.notices("fraud")
        found.notices = len(notices)
        counts = Counter(str(each.delivery) for each in notices)
        found.rows.append(("episodes, and of these closed", f"{len(self._names)}, {len(self._names) - LAST}"))
        found.rows.append(("killed with -9", ", ".join(f"{n} {what}" for what, n in self._kills.items())))
        found.rows.append(("notices", ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))))
        for name, receiver in self._receivers.items():
            self._judge(name, receiver, found)
        if counts[Delivery.WAITING] or counts[Delivery.DEAD]:
            found.faults.append("not every notice was delivered")
        return found

    def _judge(self, name: str, receiver: Receiver, found: Outcome) -> None:
        ids = Counter(each.event["id"] for each in receiver.taken)
        by_content: dict[str, set[str]] = {}
        for each in receiver.taken:
            data = each.event["data"]
            signals = sorted(f"{signal['event']}/{signal['change']}" for signal in data["signals"])
            key = json.dumps([data["cause"], data["incident"], signals])
            by_content.setdefault(key, set()).add(each.event["id"])
        causes = self._causes(receiver)
        missing = set(self._names) - self._told(receiver)
        said = ", ".join(f"{n} {cause}" for cause, n in causes.most_common())
        repeats = sum(count - 1 for count in ids.values())
        # One that came again after a kill was not counted by the sender: nobody told it that it was taken.
        firsts = {each.event["id"]: each.at_s for each in reversed(receiver.taken)}
        back = [at for at in firsts.values() if at >= self._recovered_s]
        busiest = max((sum(at <= each < at + self._plan.hour_s for each in back) for at in back), default=0)
        omitted = sum(each.event["data"]["omitted"] for each in receiver.taken)
        head = name if name == "none" else f"{name}, then well"
        asked = f"{receiver.requests} requests, {len(ids)} messages taken ({said}) and {repeats} again"
        found.rows.append(
            (
                head.replace("none", "well"),
                f"{asked}, at most {busiest} in {self._plan.hour_s:g} s after that",
            )
        )
        checks = {
            f"{name} was not told of {len(missing)} episodes": len(missing) > omitted,
            f"{name}: the same message had two ids": any(len(each) > 1 for each in by_content.values()),
            f"{name}: one id had two contents": len(by_content) != len(ids),
            f"{name}: a flood of {busiest} messages": name != "none" and busiest > CAP,
            f"{name}: not every end was told": name == "none" and causes["closed"] < len(self._names) - LAST,
        }
        found.faults += [what for what, wrong in checks.items() if wrong]

    def _store(self) -> Store:
        return store_opener(load_config(self._config))()

    def _causes(self, receiver: Receiver) -> Counter[str]:
        once = {each.event["id"]: each.event["data"]["cause"] for each in list(receiver.taken)}
        return Counter(once.values())

    def _told(self, receiver: Receiver) -> set[str]:
        return {
            signal["feature"] for each in list(receiver.taken) for signal in each.event["data"]["signals"]
        }

    def _start(self) -> None:
        hour_ms = int(1_000 * self._plan.hour_s)
        words = ["bench.alert_process", str(self._config), str(self._plan.hasten), str(hour_ms)]
        urls = {f"HOOK_{name.upper()}": each.url for name, each in self._receivers.items()}
        with (self._folder / "sender.log").open("ab") as said:
            self._sender = subprocess.Popen(  # noqa: S603  # our own
                [sys.executable, "-m", *words], env=os.environ | urls, stdout=said, stderr=said
            )

    def _strike(self) -> None:
        """Kill the sender, every second time while the service that is well has not answered it yet."""
        assert self._sender is not None
        between = sum(self._kills.values()) % 2 == 0
        self._well.asked.clear()
        # Where nothing is being sent for long it is any moment.
        caught = between and self._well.asked.wait(self._plan.life_s[1])
        self._sender.send_signal(signal.SIGKILL)
        self._sender.wait()
        self._kills["between request and answer" if caught else "at any moment"] += 1
        self._start()

    def _recover(self) -> None:
        for each in self._receivers.values():
            each.recover()
        self._recovered_s = time.monotonic()

    def _settle(self) -> None:
        """Wait until nothing waits, then end the sender."""
        until_s = time.monotonic() + self._plan.settle_s
        with closing(self._store()) as store:
            while time.monotonic() < until_s:
                self._alive()
                progress = store.alert_progress("fraud")
                held = progress is None or progress_of(progress.body).memory.policy.held
                ended = self._causes(self._well)["closed"] >= len(self._names) - LAST
                if ended and not (held or store.notices("fraud", delivery=Delivery.WAITING)):
                    break
                time.sleep(0.1)
        assert self._sender is not None
        self._sender.terminate()
        self._sender.wait(30)

    def _alive(self) -> None:
        assert self._sender is not None
        if self._sender.poll() is not None:
            said = (self._folder / "sender.log").read_text()[-2_000:]
            raise SystemExit(f"the sender ended with {self._sender.returncode}:\n{said}")

    def _configure(self) -> None:
        channels = {
            name: {
                "type": "webhook",
                "url_env": f"HOOK_{name.upper()}",
                "cap_per_hour": 10_000 if name == "none" else CAP,
                "max_attempts": 1_000,
            }
            for name in self._receivers
        }
        route = {"name": "all", "channels": list(channels), "group_by": ["feature"]}
        given = {
            "model": {"name": "fraud"},
            "input": {"path": "events.jsonl"},
            "time": {"column": "ts"},
            "windows": {"hourly": {"size": "1h"}},
            "columns": {"amount": {"kind": "numeric"}},
            "output": {"folder": "out"},
            "alerts": {"channels": channels, "routes": [route | {"group_wait": "0s", "cooldown": "0s"}]},
        }
        # JSON is YAML.
        self._config.write_text(json.dumps(given))


def _write(log: IO[bytes], line: bytes) -> None:
    log.write(line + b"\n")
    log.flush()


if __name__ == "__main__":
    main()
