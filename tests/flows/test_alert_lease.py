"""The right to send: kept while a channel takes its time, lost to another process, given back."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest

from alerts.delivery import LeaseLostError, Outlet
from alerts.notices import Notice
from flows.alert_lease import StoreLease
from flows.alert_metrics import AlertMetrics
from flows.alerting import AlertRun, now_ms
from flows.config import parse_config
from state.stores.alerts import Delivery
from state.stores.base import Store, StoreBusyError
from state.stores.memory import MemoryStore
from state.stores.sqlite import SqliteStore
from tests.alerts.events import opened

HOLD_MS = 600
LONG_S = 1.5
"""More than twice as long as the right is held."""

CONFIG = """
model: {name: fraud}
input: {path: rows.csv}
time: {rows: true}
windows: {hundred: {size: 100 rows}, hourly: {size: 1000 rows}}
columns: {amount: {kind: numeric}}
alerts:
  channels: {pager: {type: stdout}}
  routes: [{name: all, channels: [pager], group_by: [feature], group_wait: 0s, cooldown: 0s}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A store that is there already, so that opening it takes no time."""
    found = tmp_path / "out" / "driftflow.sqlite"
    found.parent.mkdir()
    with closing(SqliteStore(found)):
        yield found


def a_lease(store: Store, open_store: Callable[[], Store], owner: str = "this") -> StoreLease:
    return StoreLease(store, open_store, model="fraud", owner=owner, now_ms=now_ms, hold_ms=HOLD_MS)


@pytest.mark.parametrize("kept", [True, False])
def test_it_is_kept_while_a_block_lasts_longer_than_it_is_held(path: Path, *, kept: bool) -> None:
    with closing(SqliteStore(path)) as mine, closing(SqliteStore(path)) as other:
        lease = a_lease(mine, lambda: SqliteStore(path))
        waiting = a_lease(other, lambda: SqliteStore(path), "other")
        assert lease.take()
        taken = list[bool]()
        with lease.kept() if kept else nullcontext():
            until = time.monotonic() + LONG_S
            while time.monotonic() < until:
                taken.append(waiting.take())
                time.sleep(0.02)
        assert any(taken) is not kept
        if kept:
            lease.renew()
            lease.give_back()
            assert waiting.take()
        with pytest.raises(LeaseLostError, match="another process sends the alerts of fraud"):
            lease.renew()


def test_a_store_that_is_away_for_a_moment_costs_nothing(path: Path) -> None:
    tries = list[float]()

    def opens() -> Store:
        tries.append(time.monotonic())
        if len(tries) == 1:
            raise StoreBusyError("locked")
        return SqliteStore(path)

    with closing(SqliteStore(path)) as mine, closing(SqliteStore(path)) as other:
        lease = a_lease(mine, opens)
        assert lease.take()
        with lease.kept():
            time.sleep(LONG_S)
            assert not a_lease(other, opens, "other").take()
    assert len(tries) == 2


@dataclass
class SlowChannel:
    """A channel that takes its time, as a program that trains a model does."""

    name: str = "pager"
    takes_s: float = LONG_S
    meanwhile: Callable[[], None] = lambda: None
    got: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice) -> None:
        self.got.append(notice)
        self.meanwhile()
        time.sleep(self.takes_s)

    def close(self) -> None:
        """Nothing is open."""


def a_run(folder: Path, channel: SlowChannel, stopped: Callable[[], bool], **more: object) -> AlertRun:
    return AlertRun(
        parse_config(CONFIG, folder=folder),
        {"pager": Outlet(channel=channel, max_attempts=5, cap_per_hour=20)},
        {},
        from_start=True,
        stopped=stopped,
        heard=AlertMetrics(),
        hold_ms=HOLD_MS,
        **more,  # type: ignore[arg-type]  # of one test
    )


def test_a_second_process_does_not_send_what_a_slow_channel_is_at(path: Path) -> None:
    (path.parent / "events.jsonl").write_bytes(opened("amount") + b"\n" + opened("age") + b"\n")
    channels = [SlowChannel(), SlowChannel()]
    until = time.monotonic() + 2 * LONG_S + 1
    folder = path.parents[1]

    def stopped() -> bool:
        return time.monotonic() > until

    threads = [Thread(target=a_run(folder, channel, stopped).follow) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [each.id for channel in channels for each in channel.got]
    assert len(ids) == len(set(ids)) == 2


def test_a_process_that_has_lost_the_right_sends_no_more(path: Path) -> None:
    """The clock jumps while the first message is sent, as that of a machine that was suspended does."""
    (path.parent / "events.jsonl").write_bytes(opened("amount") + b"\n" + opened("age") + b"\n")
    store = MemoryStore()
    clock = [now_ms()]

    def suspended() -> None:
        clock[0] += 10 * HOLD_MS
        assert store.claim_alerts("fraud", owner="other", now_ms=clock[0], until_ms=clock[0] + 60_000)

    channel = SlowChannel(takes_s=0.0, meanwhile=suspended)
    rests = list[float]()
    run = a_run(
        path.parents[1],
        channel,
        lambda: len(rests) > 3,
        clock_ms=lambda: clock[0],
        open_store=lambda: store,
        wait=rests.append,
    )
    run.follow()
    assert len(channel.got) == 1
    # What was sent is known to the other process, which sends the rest.
    assert len(store.notices("fraud", delivery=Delivery.SENT)) == 1
    assert len(store.notices("fraud", delivery=Delivery.WAITING)) == 1
