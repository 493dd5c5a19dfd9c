"""A random walk of what a store keeps of alerts, beside the model."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from state.stores.alerts import Acknowledgement, Delivery, Progress, StoredNotice
from state.stores.base import Store, StoreError
from state.stores.memory import MemoryStore

_MODELS = st.sampled_from(["", "a", "B"])
_TEXTS = st.sampled_from(["", "a", "ä:b", "a\x00b"])
_TIMES = st.integers(-3, 8) | st.integers(-(2**63) + 1, 2**63 - 1)


@st.composite
def _notices(draw: st.DrawFn) -> StoredNotice:
    """Draw one; what waits is not settled."""
    notice = draw(_DRAWN)
    return replace(notice, settled_ms=None) if notice.delivery is Delivery.WAITING else notice


_DRAWN = st.builds(
    StoredNotice,
    id=st.integers(0, 12).map(str),
    model=_MODELS,
    channel=_TEXTS,
    decided_ms=_TIMES,
    body=st.binary(max_size=5),
    delivery=st.sampled_from(Delivery),
    attempts=st.integers(0, 9),
    next_ms=_TIMES,
    settled_ms=st.none() | _TIMES,
    reason=_TEXTS,
)
_NOTICES = _notices()
_ACKNOWLEDGEMENTS = st.builds(
    Acknowledgement, model=_MODELS, episode=_TEXTS, by=_TEXTS, at_ms=_TIMES, note=_TEXTS
)


class AlertMachine(RuleBasedStateMachine):
    """Does the same to a store and to the model."""

    model: MemoryStore
    store: Store

    @rule(
        model=_MODELS,
        notices=st.lists(_NOTICES, max_size=5),
        body=st.binary(max_size=5),
        ahead=st.sampled_from([1, 1, 1, 0, 2]),
    )
    def commit(self, model: str, notices: list[StoredNotice], body: bytes, ahead: int) -> None:
        stored = self.model.alert_progress(model)
        progress = Progress(revision=(0 if stored is None else stored.revision) + ahead, body=body)
        answers = []
        for store in (self.model, self.store):
            try:
                store.commit_alerts(model, progress, [replace(notice, model=model) for notice in notices])
            except StoreError as error:
                answers.append(str(error))
            else:
                answers.append("")
        assert answers[1] == answers[0]

    @rule(notice=_NOTICES)
    def settle(self, notice: StoredNotice) -> None:
        answers = []
        for store in (self.model, self.store):
            try:
                store.settle_notice(notice)
            except StoreError as error:
                answers.append(str(error))
            else:
                answers.append("")
        assert answers[1] == answers[0]

    @rule(
        model=_MODELS,
        delivery=st.none() | st.sampled_from(Delivery),
        limit=st.none() | st.integers(0, 4),
        newest_first=st.booleans(),
    )
    def notices(
        self, *, model: str, delivery: Delivery | None, limit: int | None, newest_first: bool
    ) -> None:
        expected, found = (
            store.notices(model, delivery=delivery, limit=limit, newest_first=newest_first)
            for store in (self.model, self.store)
        )
        assert found == expected

    @rule(model=_MODELS, before_ms=_TIMES)
    def drop_notices(self, model: str, before_ms: int) -> None:
        dropped = self.model.drop_notices(model, before_ms=before_ms)
        assert self.store.drop_notices(model, before_ms=before_ms) == dropped

    @rule(model=_MODELS, owner=_TEXTS, now_ms=_TIMES, until_ms=_TIMES)
    def claim(self, model: str, owner: str, now_ms: int, until_ms: int) -> None:
        expected, found = (
            store.claim_alerts(model, owner=owner, now_ms=now_ms, until_ms=until_ms)
            for store in (self.model, self.store)
        )
        assert found == expected

    @rule(model=_MODELS, owner=_TEXTS)
    def release(self, model: str, owner: str) -> None:
        self.model.release_alerts(model, owner=owner)
        self.store.release_alerts(model, owner=owner)

    @rule(given=_ACKNOWLEDGEMENTS)
    def acknowledge(self, given: Acknowledgement) -> None:
        assert self.store.acknowledge(given) == self.model.acknowledge(given)

    @invariant()
    def alerts_are_equal(self) -> None:
        for model in ("", "a", "B"):
            assert self.store.alert_progress(model) == self.model.alert_progress(model)
            assert self.store.notices(model) == self.model.notices(model)
            assert self.store.acknowledgements(model) == self.model.acknowledgements(model)
