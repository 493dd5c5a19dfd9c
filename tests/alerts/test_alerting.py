"""Alerting turn by turn: what is stored before it is sent, channels that fail, and a death at any moment."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alerting import stored_notice
from alerts.channels.base import RefusedError, TryAgainError
from alerts.delivery import pause_ms
from alerts.folding import fold
from alerts.messages import MOST_SIGNALS, make_notice
from alerts.notices import Cause, decode_notice
from alerts.rules import Escalation, Route
from alerts.samples import sample_signals
from state.stores.alerts import Acknowledgement, Delivery
from tests.alerts.events import closed, opened, worse
from tests.alerts.world import HOUR, MINUTE, T0, DiedError, World, dies_at, settle, told


def test_one_message_for_what_opens_together_and_one_all_clear() -> None:
    world = World()
    world.log.lines += [opened("amount"), opened("age")]
    alerting = world.process()
    settle(alerting)
    assert told(world.pager.got) == [(Cause.OPENED, ["age", "amount"])]
    world.log.lines += [closed("amount"), closed("age")]
    settle(alerting)
    assert told(world.pager.got)[1:] == [(Cause.CLOSED, ["age", "amount"])]
    assert world.pager.got[0].incident == world.pager.got[1].incident


def test_the_first_start_tells_only_what_is_open_still() -> None:
    world = World()
    world.log.lines += [opened("amount", end=1), closed("amount", end=2), opened("age", end=3)]
    settle(world.process(from_start=False))
    assert told(world.pager.got) == [(Cause.OPENED, ["age"])]


def test_from_the_start_all_is_told_as_it_was() -> None:
    world = World()
    world.log.lines += [opened("amount", end=1), closed("amount", end=2), opened("age", end=3)]
    settle(world.process(from_start=True))
    assert told(world.pager.got)[:2] == [(Cause.OPENED, ["amount"]), (Cause.CLOSED, ["amount"])]


def test_a_log_that_is_read_again_tells_nothing_new() -> None:
    world = World()
    world.log.lines += [opened("amount"), closed("amount"), opened("age")]
    settle(world.process())
    count = len(world.pager.got)
    world.log.lines += list(world.log.lines)
    settle(world.process())
    assert len(world.pager.got) == count


@pytest.mark.parametrize("crash", range(6))
def test_a_death_anywhere_loses_nothing_and_repeats_one_at_most(crash: int) -> None:
    world = World(route=Route(name="all", channels=("pager",), group_wait_ms=0, cooldown_ms=0))
    world.log.lines += [opened("amount", end=1), opened("age", end=2), closed("age", end=3)]
    dies_at(world.store, crash)
    for _ in range(2):
        try:
            settle(world.process())
        except DiedError:
            continue
    ids = [each.id for each in world.pager.got]
    assert {each.id for each in world.stored(Delivery.SENT)} == set(ids)
    assert len(ids) - len(set(ids)) <= 1
    assert {name for _, names in told(world.pager.got) for name in names} == {"amount", "age"}
    assert world.stored(Delivery.WAITING) == []


def test_a_death_between_sending_and_storing_repeats_the_same_id() -> None:
    world = World()
    world.log.lines.append(opened("amount"))
    answers: list[Exception | None] = [DiedError(), None]
    world.pager.answer = lambda: answers.pop(0)
    with pytest.raises(DiedError):
        settle(world.process())
    settle(world.process())
    first, second = world.pager.got
    assert first == second


def test_a_channel_that_is_away_blocks_only_itself_and_keeps_its_order() -> None:
    world = World(route=Route(name="all", channels=("pager", "other"), group_wait_ms=0))
    world.pager.answer = lambda: TryAgainError("503")
    world.log.lines += [opened("amount", end=1), opened("score", end=2)]
    alerting = world.process()
    settle(alerting)
    assert len(world.other.got) == 1
    assert world.pager.got == []
    world.log.lines.append(closed("amount"))
    world.log.lines.append(closed("score"))
    settle(alerting)
    assert [cause for cause, _ in told(world.other.got)][-1] == Cause.CLOSED
    world.pager.answer = lambda: None
    world.now += HOUR
    settle(alerting)
    assert [each.cause for each in world.pager.got] == [each.cause for each in world.other.got]


def test_attempts_wait_longer_and_longer_and_as_long_as_is_asked() -> None:
    world = World()
    world.log.lines.append(opened("amount"))
    tries: list[int] = []

    def away() -> Exception:
        tries.append(world.now)
        return TryAgainError("429", wait_s=600.0) if len(tries) == 3 else TryAgainError("500")

    world.pager.answer = away
    alerting = world.process()
    for _ in range(4_000):
        alerting.turn(flush=True)
        world.now += 1_000
    gaps = [round((after - before) / 1_000) for before, after in pairwise(tries)]
    # Pauses double from 5 s to 15 min, without the random half; the third answer asks for ten minutes.
    assert gaps == [5, 10, 600, 40, 80, 160, 320, 640, 900, 900]


def test_the_last_attempt_makes_a_dead_letter_with_its_reason() -> None:
    world = World(attempts=2)
    world.log.lines.append(opened("amount"))
    world.pager.answer = lambda: TryAgainError("it hangs")
    alerting = world.process()
    settle(alerting)
    world.now += HOUR
    settle(alerting)
    (dead,) = world.store.notices("fraud", delivery=Delivery.DEAD)
    assert (dead.attempts, dead.reason) == (2, "it hangs; attempt 2 was the last")
    assert world.heard == ["failed pager", "died pager"]
    # Put back, as `driftflow alert retry` does.
    world.store.settle_notice(replace(dead, delivery=Delivery.WAITING, attempts=0, settled_ms=None))
    world.pager.answer = lambda: None
    settle(alerting)
    assert [each.id for each in world.pager.got] == [dead.id]


def test_a_refusal_is_a_dead_letter_at_once_and_holds_up_nothing() -> None:
    world = World()
    world.log.lines.append(opened("amount"))
    answers: list[Exception | None] = [RefusedError("410 gone"), None]
    world.pager.answer = lambda: answers.pop(0)
    alerting = world.process()
    settle(alerting)
    world.now += 2 * HOUR
    world.log.lines.append(closed("amount"))
    settle(alerting)
    assert [each.cause for each in world.stored(Delivery.DEAD)] == [Cause.OPENED]
    assert [each.cause for each in world.pager.got] == [Cause.CLOSED]


def test_no_flood_when_a_channel_is_back() -> None:
    world = World(cap=4, route=Route(name="all", channels=("pager",), group_wait_ms=0, cooldown_ms=0))
    world.pager.answer = lambda: TryAgainError("away")
    alerting = world.process()
    for number in range(30):
        world.log.lines.append(opened(f"f{number}", window=f"w{number}"))
        settle(alerting)
        world.now += 20 * MINUTE
    world.pager.answer = lambda: None
    world.now += HOUR
    back = len(world.pager.got)
    settle(alerting, turns=10)
    fresh = world.pager.got[back:]
    assert len(fresh) <= world.cap
    assert {signal.feature for each in fresh for signal in each.signals} == {f"f{n}" for n in range(30)}
    assert world.stored(Delivery.WAITING) == []
    assert len(world.stored(Delivery.FOLDED)) + len(fresh) >= 30 // 3


def test_the_end_of_what_a_channel_was_told_is_told_by_itself_and_of_nothing_else() -> None:
    world = World(cap=100, route=Route(name="all", channels=("pager",), group_wait_ms=0, cooldown_ms=0))
    alerting = world.process()
    world.log.lines.append(opened("known", window="known"))
    settle(alerting)
    (first,) = world.pager.got
    world.pager.answer = lambda: TryAgainError("away")
    # More severe by now, so that a message on what opened waits beside the one on its end.
    world.log.lines.append(worse("known", window="known", end=2))
    settle(alerting)
    for number in range(6):
        for line in (opened(f"f{number}", window=f"w{number}"), closed(f"f{number}", window=f"w{number}")):
            world.log.lines.append(line)
            settle(alerting)
    world.log.lines.append(closed("known", window="known", end=5))
    settle(alerting)
    causes = [
        decode_notice(each.body).cause for each in world.store.notices("fraud", delivery=Delivery.WAITING)
    ]
    assert sorted(causes) == [Cause.CLOSED] * 7 + [Cause.ESCALATED] + [Cause.OPENED] * 6
    world.pager.answer = lambda: None
    world.cap = 2
    world.now += 2 * HOUR
    settle(world.process(), turns=10)
    found = {each.cause: each for each in world.pager.got[1:]}
    assert len(world.pager.got) == 1 + len(found)
    assert found.keys() == {Cause.CLOSED, Cause.DIGEST}
    assert found[Cause.CLOSED].incident == first.incident
    names = {signal.feature for signal in found[Cause.DIGEST].signals}
    assert names == {"known", *(f"f{n}" for n in range(6))}


def test_a_fold_that_a_crash_has_cut_short_is_finished_and_told_once() -> None:
    world = World(cap=4, route=Route(name="all", channels=("pager",), group_wait_ms=0, cooldown_ms=0))
    world.pager.answer = lambda: TryAgainError("away")
    alerting = world.process()
    for number in range(4):
        world.log.lines.append(opened(f"f{number}", window=f"w{number}"))
        settle(alerting)
    world.pager.answer = lambda: None
    world.cap = 1

    def dying(_notice: object) -> None:
        raise DiedError

    settle_notice = world.store.settle_notice
    world.now += 2 * HOUR
    setattr(world.store, "settle_notice", dying)  # noqa: B010  # the process dies at its first write
    with pytest.raises(DiedError):
        settle(world.process())
    setattr(world.store, "settle_notice", settle_notice)  # noqa: B010  # another process
    settle(world.process())
    (digest,) = world.pager.got
    assert told([digest]) == [(Cause.DIGEST, ["f0", "f1", "f2", "f3"])]
    assert {each.reason for each in world.store.notices("fraud", delivery=Delivery.FOLDED)} == {digest.id}


def test_an_acknowledged_episode_is_not_escalated() -> None:
    escalation = Escalation(after_ms=HOUR, channels=("other",))
    route = Route(name="all", channels=("pager",), group_wait_ms=0, escalation=escalation)
    for seen in (True, False):
        world = World(route=route)
        world.log.lines.append(opened("amount"))
        alerting = world.process()
        settle(alerting)
        if seen:
            world.store.acknowledge(Acknowledgement(model="fraud", episode="amount", by="ann", at_ms=T0))
        world.now += HOUR + 1
        settle(alerting)
        assert told(world.other.got) == ([] if seen else [(Cause.ESCALATED, ["amount"])])


@given(st.integers(1, 200), st.floats(0, 1))
def test_pauses_are_within_their_bounds(attempts: int, random: float) -> None:
    assert 2_500 <= pause_ms(attempts, random) <= 900_000


def test_nothing_is_folded_where_there_is_room() -> None:
    world = World()
    world.pager.answer = lambda: TryAgainError("away")
    world.log.lines.append(opened("amount"))
    settle(world.process())
    waiting = world.store.notices("fraud", delivery=Delivery.WAITING)
    assert fold(waiting, room=1, told=frozenset, now_ms=T0) is None
    assert fold(waiting, room=0, told=frozenset, now_ms=T0) is None


def test_what_a_digest_of_digests_does_not_name_is_still_counted() -> None:
    (signal, _) = sample_signals("fraud")
    waiting = []
    for number in range(2):
        signals = [replace(signal, episode=f"{number}/{place}") for place in range(MOST_SIGNALS + 10)]
        notice = make_notice(
            signals, channel="pager", route="", incident=str(number), cause=Cause.DIGEST, now_ms=T0
        )
        waiting.append(stored_notice(notice))
    folded = fold(waiting, room=1, told=frozenset, now_ms=T0)
    assert folded is not None
    # 120 episodes, of which a notice names 50.
    assert (len(folded.digest.signals), folded.digest.omitted) == (MOST_SIGNALS, 70)
