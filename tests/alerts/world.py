"""A process of alerting in a world that outlives it: a log, a store, channels, and a clock that is set."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from alerts.alerting import Alerting, Looking
from alerts.deciding import Rules
from alerts.delivery import Outlet
from alerts.notices import Cause, Notice, decode_notice
from alerts.retrain_rules import RetrainRules
from alerts.rules import AlertRules, Route
from alerts.watches import MonitorRules
from state.stores.alerts import Delivery
from state.stores.memory import MemoryStore

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_800_000_000_000


class DiedError(Exception):
    """The process is killed here."""


@dataclass
class Log:
    """A log that grows, read a few lines at a time; its position is how many lines were read."""

    lines: list[bytes] = field(default_factory=list)
    read_to: int = 0
    caught_up: bool = False
    most: int = 1_000

    def at(self, position: bytes | None) -> "Log":
        return Log(self.lines, int(position or 0), most=self.most)

    def read(self) -> Sequence[bytes]:
        found = self.lines[self.read_to :][: self.most]
        self.read_to += len(found)
        self.caught_up = not found
        return found

    def position(self) -> bytes:
        return str(self.read_to).encode()


@dataclass
class Pager:
    """A channel that does as it is told: each answer is None, or what to raise."""

    name: str = "pager"
    answer: Callable[[], Exception | None] = lambda: None
    got: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice) -> None:
        error = self.answer()
        if isinstance(error, DiedError):
            self.got.append(notice)
        if error is not None:
            raise error
        self.got.append(notice)

    def close(self) -> None:
        """Nothing is open."""


class AlwaysHeld:
    """A right to send that nobody else asks for."""

    def renew(self) -> None:
        """Have it."""

    def kept(self) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass
class World:
    """All that outlives a process, and its clock."""

    log: Log = field(default_factory=Log)
    store: MemoryStore = field(default_factory=MemoryStore)
    pager: Pager = field(default_factory=Pager)
    other: Pager = field(default_factory=lambda: Pager("other"))
    now: int = T0
    cap: int = 20
    attempts: int = 40
    route: Route = field(default_factory=lambda: Route(name="all", channels=("pager",), group_wait_ms=0))
    model: str = "fraud"
    retraining: RetrainRules | None = None
    monitor: MonitorRules | None = None
    looking: Looking | None = None
    trainer: Pager = field(default_factory=lambda: Pager("trainer"))
    heard: list[str] = field(default_factory=list)

    def sent(self, channel: str) -> None:
        self.heard.append(f"sent {channel}")

    def failed(self, channel: str) -> None:
        self.heard.append(f"failed {channel}")

    def died(self, channel: str) -> None:
        self.heard.append(f"died {channel}")

    def turned(self, waiting: int) -> None:
        """Not looked at."""

    def process(self, *, from_start: bool = True) -> Alerting:
        outlets = {
            each.name: Outlet(channel=each, max_attempts=self.attempts, cap_per_hour=self.cap)
            for each in (self.pager, self.other, self.trainer)
        }
        rules = AlertRules(model=self.model, routes=(self.route,), caps=dict.fromkeys(outlets, self.cap))
        return Alerting(
            self.store,
            Rules(alerts=rules, retraining=self.retraining, monitor=self.monitor),
            outlets,
            self.log.at,
            lease=AlwaysHeld(),
            from_start=from_start,
            now_ms=lambda: self.now,
            random=lambda: 1.0,
            heard=self,
            looking=self.looking,
        )

    def stored(self, delivery: Delivery) -> list[Notice]:
        return [decode_notice(each.body) for each in self.store.notices(self.model, delivery=delivery)]


def told(notices: Sequence[Notice]) -> list[tuple[Cause, list[str]]]:
    return [(each.cause, sorted(signal.feature for signal in each.signals)) for each in notices]


def settle(alerting: Alerting, turns: int = 3) -> None:
    for _ in range(turns):
        alerting.turn(flush=True)


def dies_at(store: MemoryStore, crash: int) -> None:
    """Let the process die instead of its `crash`-th write of alerts; 0: never."""
    calls = 0

    def dying(name: str) -> Callable[..., Any]:
        method = getattr(MemoryStore, name)

        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            nonlocal calls
            calls += 1
            if calls == crash:
                raise DiedError
            return method(store, *arguments, **named)

        return call

    for name in ("commit_alerts", "settle_notice"):
        setattr(store, name, dying(name))
