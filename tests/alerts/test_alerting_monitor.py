"""Alerts on driftflow itself, turn by turn: a fake of its workers, a store that goes away, silence."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from alerts.alerting import Looking
from alerts.channels.base import RefusedError, TryAgainError
from alerts.delivery import Outlet
from alerts.notices import Cause, Notice
from alerts.rules import AlertRules, Quiet, Route
from alerts.store_watch import StoreWatch
from alerts.vitals import Worker
from alerts.watches import MonitorRules, Watch
from tests.alerts.events import opened
from tests.alerts.world import HOUR, MINUTE, T0, Pager, World

RULES = MonitorRules(model="fraud", model_version="1")


@dataclass
class Workers:
    """A worker that reads on, a record a second, unless it is told to stand still or to refuse."""

    world: World
    stands_ms: int | None = None
    refused: int = 0
    error: str = ""
    asked_ms: list[int] = field(default_factory=list)

    def workers(self) -> tuple[Worker, ...]:
        self.asked_ms.append(self.world.now)
        time = self.world.now if self.stands_ms is None else self.stands_ms
        rows = (self.world.now - T0) // 1_000
        return (
            Worker(
                address="a:9",
                error=self.error,
                watermarks={"events": time},
                lags={"events": 0},
                rows=rows,
                refused=self.refused,
            ),
        )


def watched(**changed: float | None) -> tuple[World, Workers]:
    world = World(monitor=replace(RULES, **changed))  # type: ignore[arg-type]
    workers = Workers(world)
    world.looking = Looking(vitals=workers, interval_ms=30_000)
    return world, workers


def passing(world: World, minutes: int, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Let time pass, one process after the other every ten minutes."""
    alerting = world.process()
    for half in range(2 * minutes):
        if half % 20 == 19:
            alerting = world.process()
        meanwhile()
        alerting.turn()
        world.now += 30_000


def checks(notices: list[Notice]) -> list[tuple[Cause, list[str]]]:
    return [(each.cause, sorted(signal.check for signal in each.signals)) for each in notices]


def test_a_watermark_that_stands_still_is_told_once_and_its_end() -> None:
    world, workers = watched()
    passing(world, 15)
    assert world.pager.got == []
    workers.stands_ms = world.now
    passing(world, 30)
    assert checks(world.pager.got) == [(Cause.OPENED, [Watch.WATERMARK])]
    assert "windows wait for partition events" in world.pager.got[0].signals[0].told
    workers.stands_ms = None
    passing(world, 10)
    assert checks(world.pager.got)[1:] == [(Cause.CLOSED, [Watch.WATERMARK])]


def test_silence_is_told_and_a_report_ends_it() -> None:
    world, _ = watched(silence_ms=HOUR)
    world.log.lines.append(opened("amount"))
    passing(world, 50)
    assert [each.signals[0].check for each in world.pager.got] == [""]  # the drift
    passing(world, 30)
    assert checks(world.pager.got)[1:] == [(Cause.OPENED, [Watch.SILENCE])]
    world.log.lines.append(opened("age"))
    passing(world, 10)
    assert (Cause.CLOSED, [Watch.SILENCE]) in checks(world.pager.got)


def test_dead_letters_above_their_share_are_told() -> None:
    world, workers = watched()

    def refusing() -> None:
        workers.refused += 3  # of 33 in half a minute: 9 %, where 1 % is allowed

    passing(world, 5)
    passing(world, 15, meanwhile=refusing)
    assert checks(world.pager.got) == [(Cause.OPENED, [Watch.REFUSED])]


def test_a_worker_that_is_away_is_told_and_goes_the_way_of_routes() -> None:
    world, workers = watched()
    workers.error = "Connection refused"
    world.log.lines.append(opened("amount"))
    passing(world, 5)
    found = checks(world.pager.got)
    # Groups are by kind: the drift of a model and the monitor itself are two messages.
    assert sorted(found) == [(Cause.OPENED, [""]), (Cause.OPENED, [Watch.WORKER])]


def test_workers_are_asked_no_more_often_than_configured() -> None:
    world, workers = watched()
    alerting = world.process()
    for _ in range(100):
        alerting.turn()
        world.now += 1_000
    # At 0, 30, 60 and 90 s.
    assert [at - T0 for at in workers.asked_ms] == [0, 30_000, 60_000, 90_000]


def test_what_is_well_writes_nothing() -> None:
    world, _ = watched()
    world.looking = None
    alerting = world.process()
    alerting.turn()
    before = world.store.alert_progress("fraud")
    for _ in range(10):
        alerting.turn()
        world.now += MINUTE
    assert world.store.alert_progress("fraud") == before


@dataclass
class Away:
    """A watch of the store, and the minutes that pass."""

    pager: Pager = field(default_factory=Pager)
    quiet: Quiet = field(default_factory=Quiet)
    resolve: bool = True
    now: int = T0
    metrics: World = field(default_factory=World)

    def __post_init__(self) -> None:
        route = Route(name="all", channels=("pager",), resolve=self.resolve)
        outlet = Outlet(channel=self.pager, max_attempts=5, cap_per_hour=20)
        self.watch = StoreWatch(
            AlertRules(model="fraud", routes=(route,), caps={"pager": 20}, quiet=self.quiet),
            replace(RULES, silence_ms=HOUR),
            {"pager": outlet},
            now_ms=lambda: self.now,
            random=lambda: 1.0,
            heard=self.metrics,
        )

    def lasts(self, minutes: int, *, away: bool) -> None:
        for _ in range(minutes):
            if away:
                self.watch.away("no connection")
            else:
                self.watch.answers()
            self.now += MINUTE


def test_a_store_that_is_away_is_told_past_it_and_that_it_is_back() -> None:
    away = Away()
    away.lasts(200, away=False)
    away.lasts(90, away=True)
    assert checks(away.pager.got) == [(Cause.OPENED, [Watch.STORE])]
    assert away.pager.got[0].title == "fraud: the store does not answer: no connection"
    away.lasts(10, away=False)
    assert checks(away.pager.got)[1:] == [(Cause.CLOSED, [Watch.STORE])]
    assert len({each.id for each in away.pager.got}) == 2
    assert len({each.incident for each in away.pager.got}) == 1


def test_a_store_that_is_busy_for_a_moment_is_nobodys_concern() -> None:
    away = Away()
    for _ in range(50):
        away.lasts(1, away=True)
        away.lasts(1, away=False)
    assert away.pager.got == []


def test_a_channel_that_is_away_as_well_is_tried_again_and_hears_no_end_it_needs_not() -> None:
    away = Away()
    away.pager.answer = lambda: TryAgainError("away too")
    away.lasts(5, away=True)
    away.pager.answer = lambda: None
    away.lasts(5, away=True)
    assert checks(away.pager.got) == [(Cause.OPENED, [Watch.STORE])]
    assert (away.metrics.heard[0], away.metrics.heard[-1]) == ("failed pager", "sent pager")
    late = Away()
    late.pager.answer = lambda: TryAgainError("away too", wait_s=3_600.0)
    late.lasts(5, away=True)
    late.pager.answer = lambda: None
    late.lasts(90, away=False)
    assert late.pager.got == []


def test_what_a_channel_refuses_is_not_tried_again() -> None:
    away, tries = Away(), list[int]()

    def refuse() -> Exception:
        tries.append(away.now)
        return RefusedError("410 gone")

    away.pager.answer = refuse
    away.lasts(60, away=True)
    assert len(tries) == 1
    assert away.metrics.heard == ["died pager"]


@pytest.mark.parametrize("away_last", [True, False])
def test_a_process_that_ends_tells_the_end_only_where_the_store_is_back(*, away_last: bool) -> None:
    away = Away()
    away.lasts(5, away=True)
    away.lasts(1, away=away_last)
    away.watch.ends()
    assert [each.cause for each in away.pager.got][1:] == ([] if away_last else [Cause.CLOSED])


def test_routes_say_whether_the_end_is_told_and_maintenance_when() -> None:
    calm = Away(resolve=False)
    calm.lasts(5, away=True)
    calm.lasts(10, away=False)
    assert checks(calm.pager.got) == [(Cause.OPENED, [Watch.STORE])]
    quiet = Away(quiet=Quiet(maintenance=((T0, T0 + HOUR),), passes=None))
    quiet.lasts(60, away=True)
    assert quiet.pager.got == []
    quiet.lasts(1, away=True)
    assert checks(quiet.pager.got) == [(Cause.OPENED, [Watch.STORE])]
