"""A process that alerts while its store goes away and comes back, and while another one sends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alerts.delivery import Outlet
from alerts.notices import Cause
from alerts.watches import Watch
from flows.alert_metrics import AlertMetrics
from flows.alerting import AlertRun
from flows.config import parse_config
from state.stores.base import Store, StoreBusyError
from state.stores.memory import MemoryStore
from tests.alerts.world import MINUTE, T0, Pager

CONFIG = """
model: {name: fraud}
input: {path: rows.csv}
time: {rows: true}
windows: {hundred: {size: 100 rows}}
columns: {amount: {kind: numeric}}
alerts:
  channels: {pager: {type: stdout}}
  monitor: {close_after: 5m}
"""


@dataclass
class Shell:
    """What is around the process: a clock that goes on where it waits, and the store."""

    folder: Path
    until: int
    store: MemoryStore = field(default_factory=MemoryStore)
    away: Callable[[int], bool] = lambda _minute: False
    pager: Pager = field(default_factory=Pager)
    now: int = T0

    @property
    def minute(self) -> int:
        return (self.now - T0) // MINUTE

    def wait(self, seconds: float) -> None:
        self.now += max(1, round(1_000 * seconds))

    def open_store(self) -> Store:
        self._check()
        for name in ("claim_alerts", "alert_progress", "notices"):
            setattr(self.store, name, self._checked(name))
        return self.store

    def run(self) -> AlertRun:
        return AlertRun(
            parse_config(CONFIG, folder=self.folder),
            {"pager": Outlet(channel=self.pager, max_attempts=5, cap_per_hour=20)},
            {},
            from_start=False,
            stopped=lambda: self.minute >= self.until,
            heard=AlertMetrics(),
            wait=self.wait,
            clock_ms=lambda: self.now,
            open_store=self.open_store,
        )

    def _check(self) -> None:
        if self.away(self.minute):
            raise StoreBusyError("it cannot be reached")

    def _checked(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            self._check()
            return getattr(MemoryStore, name)(self.store, *arguments, **named)

        return call


@pytest.mark.parametrize("away_from", [0, 2])
def test_a_store_that_goes_away_is_told_and_its_return_too(tmp_path: Path, away_from: int) -> None:
    shell = Shell(tmp_path, until=30, away=lambda minute: away_from <= minute < 12)
    shell.run().follow()
    assert [(each.cause, each.signals[0].check) for each in shell.pager.got] == [
        (Cause.OPENED, Watch.STORE),
        (Cause.CLOSED, Watch.STORE),
    ]
    # Told after two minutes, `alerts.monitor.open_after`; clear five minutes after its return.
    minutes = [(each.decided_ms - T0) / MINUTE for each in shell.pager.got]
    assert minutes == pytest.approx([away_from + 2, 17], abs=0.2)


def test_a_short_absence_is_waited_for_and_not_told(tmp_path: Path) -> None:
    shell = Shell(tmp_path, until=10, away=lambda minute: minute == 3)
    shell.run().follow()
    assert shell.pager.got == []


def test_one_look_at_all_that_ends_tells_the_return_at_once(tmp_path: Path) -> None:
    shell = Shell(tmp_path, until=30, away=lambda minute: minute < 6)
    shell.run().once()
    assert [each.cause for each in shell.pager.got] == [Cause.OPENED, Cause.CLOSED]


def test_a_process_that_stands_by_leaves_it_to_the_one_that_sends(tmp_path: Path) -> None:
    shell = Shell(tmp_path, until=20, away=lambda minute: minute >= 2)
    shell.store.claim_alerts("fraud", owner="another", now_ms=T0, until_ms=T0 + 10 * MINUTE)
    shell.run().follow()
    assert shell.pager.got == []
