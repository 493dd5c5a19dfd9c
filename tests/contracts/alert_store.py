"""What every store keeps to where it keeps alerts."""

import random
from dataclasses import replace

import pytest

from state.stores.alerts import Acknowledgement, Delivery, Progress, StoredNotice
from state.stores.base import NotFoundError, Store, StoreError
from tests.contracts.opened_store import OpenedStore

ODD = "a:b{c} 100%\x00ü\n"
"""What separates names in one store or another."""


def a_notice(
    id_: str, *, decided_ms: int = 10, model: str = "fraud", channel: str = "pager", body: bytes = b"{}"
) -> StoredNotice:
    return StoredNotice(id=id_, model=model, channel=channel, decided_ms=decided_ms, body=body)


def names(notices: list[StoredNotice]) -> list[str]:
    return [notice.id for notice in notices]


def step(revision: int, body: bytes = b"state") -> Progress:
    return Progress(revision=revision, body=body)


def seen(episode: str, *, at_ms: int = 5, by: str = "ann", model: str = "fraud") -> Acknowledgement:
    return Acknowledgement(model=model, episode=episode, by=by, at_ms=at_ms, note="known")


class AlertStoreContract(OpenedStore):
    """A part of `tests.contracts.store.StoreContract`."""

    def test_there_is_no_progress_before_the_first_commit(self, store: Store) -> None:
        assert store.alert_progress("fraud") is None
        assert store.notices("fraud") == []

    def test_progress_and_notices_come_back_equal(self, store: Store) -> None:
        notices = [a_notice("b"), a_notice(ODD, channel=ODD, body=b"\x00\xff"), a_notice("a", decided_ms=9)]
        store.commit_alerts("fraud", step(1, b"\x00\xff"), notices)
        assert store.alert_progress("fraud") == step(1, b"\x00\xff")
        assert store.notices("fraud") == [notices[2], notices[0], notices[1]]
        assert store.notices("fraud", newest_first=True) == [notices[1], notices[0], notices[2]]
        assert names(store.notices("fraud", limit=2)) == ["a", "b"]
        assert store.notices("fraud", limit=0) == []

    @pytest.mark.parametrize("revision", [0, 1, 3])
    def test_a_commit_that_another_has_overtaken_keeps_nothing(self, store: Store, revision: int) -> None:
        store.commit_alerts("fraud", step(1), [a_notice("a")])
        with pytest.raises(StoreError, match="another process"):
            store.commit_alerts("fraud", step(revision, b"other"), [a_notice("b")])
        assert store.alert_progress("fraud") == step(1)
        assert names(store.notices("fraud")) == ["a"]

    def test_a_commit_with_a_notice_that_no_store_can_hold_keeps_nothing(self, store: Store) -> None:
        with pytest.raises(StoreError, match="Unicode"):
            store.commit_alerts("fraud", step(1), [a_notice("a"), a_notice("b", channel="\ud800")])
        with pytest.raises(StoreError, match="churn"):
            store.commit_alerts("fraud", step(1), [a_notice("a", model="churn")])
        assert store.alert_progress("fraud") is None
        assert store.notices("fraud") == []

    def test_a_notice_that_is_there_stays(self, store: Store) -> None:
        store.commit_alerts("fraud", step(1), [a_notice("a", body=b"1"), a_notice("a", body=b"2")])
        sent = replace(a_notice("a"), delivery=Delivery.SENT, attempts=1, settled_ms=20)
        store.settle_notice(sent)
        store.commit_alerts("fraud", step(2), [a_notice("a", body=b"3"), a_notice("b")])
        assert store.notices("fraud") == [replace(sent, body=b"1"), a_notice("b")]

    def test_what_becomes_of_a_notice_moves_it(self, store: Store) -> None:
        notices = [a_notice(id_) for id_ in "abc"]
        store.commit_alerts("fraud", step(1), notices)
        tried = replace(notices[1], attempts=1, next_ms=99, reason="503")
        store.settle_notice(tried)
        dead = replace(notices[0], delivery=Delivery.DEAD, attempts=8, settled_ms=30, reason=ODD)
        store.settle_notice(replace(dead, channel="another", body=b"other", decided_ms=77))
        assert store.notices("fraud", delivery=Delivery.WAITING) == [tried, notices[2]]
        assert store.notices("fraud", delivery=Delivery.DEAD) == [dead]
        again = replace(dead, delivery=Delivery.WAITING, settled_ms=None)
        store.settle_notice(again)
        assert store.notices("fraud", delivery=Delivery.WAITING) == [again, tried, notices[2]]
        assert store.notices("fraud", delivery=Delivery.WAITING, limit=1) == [again]
        assert store.notices("fraud", delivery=Delivery.DEAD) == []

    def test_a_notice_that_is_not_there_cannot_be_settled(self, store: Store) -> None:
        store.commit_alerts("fraud", step(1), [a_notice("a")])
        with pytest.raises(NotFoundError, match="'b'"):
            store.settle_notice(a_notice("b"))
        with pytest.raises(NotFoundError, match="churn"):
            store.settle_notice(a_notice("a", model="churn"))

    def test_settled_notices_are_dropped_by_age(self, store: Store) -> None:
        store.commit_alerts("fraud", step(1), [a_notice(id_, decided_ms=1) for id_ in "abcd"])
        for id_, settled_ms in (("a", 19), ("b", 20)):
            notice = a_notice(id_, decided_ms=1)
            store.settle_notice(replace(notice, delivery=Delivery.SENT, settled_ms=settled_ms))
        store.settle_notice(replace(a_notice("c", decided_ms=1), delivery=Delivery.DEAD, settled_ms=5))
        assert store.drop_notices("churn", before_ms=20) == 0
        assert store.drop_notices("fraud", before_ms=20) == 2
        assert names(store.notices("fraud")) == ["b", "d"]
        assert names(store.notices("fraud", delivery=Delivery.DEAD)) == []
        assert store.drop_notices("fraud", before_ms=20) == 0

    def test_one_settled_before_it_was_decided_is_as_old_as_its_decision(self, store: Store) -> None:
        # The clock was set back in between.
        store.commit_alerts("fraud", step(1), [a_notice("a", decided_ms=50)])
        store.settle_notice(replace(a_notice("a", decided_ms=50), delivery=Delivery.SENT, settled_ms=10))
        assert store.drop_notices("fraud", before_ms=11) == 0
        assert store.drop_notices("fraud", before_ms=50) == 0
        assert store.drop_notices("fraud", before_ms=51) == 1
        assert store.notices("fraud") == []

    def test_models_are_apart(self, store: Store) -> None:
        store.commit_alerts("fraud", step(1), [a_notice("a")])
        store.commit_alerts("churn", step(1, b"c"), [a_notice("a", model="churn")])
        assert store.alert_progress("churn") == step(1, b"c")
        assert store.notices("churn") == [a_notice("a", model="churn")]
        assert store.claim_alerts("fraud", owner="one", now_ms=0, until_ms=9)
        assert store.claim_alerts("churn", owner="two", now_ms=0, until_ms=9)

    def test_one_owner_at_a_time(self, store: Store) -> None:
        assert store.claim_alerts("fraud", owner="one", now_ms=0, until_ms=10)
        assert not store.claim_alerts("fraud", owner="two", now_ms=9, until_ms=19)
        assert store.claim_alerts("fraud", owner="one", now_ms=9, until_ms=20)
        assert not store.claim_alerts("fraud", owner="two", now_ms=19, until_ms=29)
        assert store.claim_alerts("fraud", owner="two", now_ms=20, until_ms=30)
        assert not store.claim_alerts("fraud", owner="one", now_ms=21, until_ms=31)

    def test_only_the_owner_gives_back(self, store: Store) -> None:
        store.claim_alerts("fraud", owner="one", now_ms=0, until_ms=10)
        store.release_alerts("fraud", owner="two")
        assert not store.claim_alerts("fraud", owner="two", now_ms=1, until_ms=10)
        store.release_alerts("fraud", owner="one")
        assert store.claim_alerts("fraud", owner="two", now_ms=1, until_ms=10)

    def test_the_first_acknowledgement_stays(self, store: Store) -> None:
        first = replace(seen(ODD), by=ODD, note=ODD)
        assert store.acknowledge(first)
        assert not store.acknowledge(replace(first, by="bob", at_ms=6))
        assert store.acknowledgements("fraud") == [first]

    def test_acknowledgements_by_time_of_some_or_all(self, store: Store) -> None:
        for episode, at_ms in (("b", 7), ("c", 6), ("a", 7)):
            store.acknowledge(seen(episode, at_ms=at_ms))
        store.acknowledge(seen("z", model="churn"))
        assert [each.episode for each in store.acknowledgements("fraud")] == ["c", "a", "b"]
        assert store.acknowledgements("fraud", ["b", "c", "none", "b"]) == [
            seen("c", at_ms=6),
            seen("b", at_ms=7),
        ]
        assert store.acknowledgements("fraud", []) == []
        assert store.acknowledgements("churn", ["a"]) == []

    @pytest.mark.parametrize("seed", range(8))
    def test_every_notice_is_in_one_delivery(self, store: Store, seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311  # no secret
        ids = [f"{number}:{rng.choice('ab')}" for number in rng.sample(range(20), 8)]
        wanted = {id_: a_notice(id_, decided_ms=rng.randrange(4)) for id_ in ids}
        store.commit_alerts("fraud", step(1), list(wanted.values()))
        for id_ in rng.choices(ids, k=12):
            wanted[id_] = replace(wanted[id_], delivery=rng.choice(list(Delivery)))
            store.settle_notice(wanted[id_])
        ordered = sorted(wanted.values(), key=lambda notice: notice.decided_ms)
        assert store.notices("fraud") == ordered
        for delivery in Delivery:
            of = [notice for notice in ordered if notice.delivery == delivery]
            assert store.notices("fraud", delivery=delivery) == of
            assert store.notices("fraud", delivery=delivery, newest_first=True) == of[::-1]
