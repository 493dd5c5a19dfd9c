"""Alerting of one model: events in, decisions and progress stored in one step, then sent."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from alerts.deciding import Memory, Rules, let_pass, look_at, take_in
from alerts.delivery import Deliveries, Heard, Lease, Outlet, Passed
from alerts.folding import fold
from alerts.notices import Notice, encode_notice
from alerts.policy_state import PolicyState
from alerts.progress import progress_bytes, progress_of, saved_of
from alerts.retrain_state import RetrainState
from alerts.vitals import Vitals
from state.stores.alerts import AcknowledgementStore, AlertStore, Delivery, Progress, StoredNotice

KEPT_MS = 30 * 86_400_000
"""How long settled notices are kept."""

_logger = logging.getLogger("driftflow.alerts")


class Source(Protocol):
    """Where events are read from."""

    @property
    def caught_up(self) -> bool:
        """Whether the last `read` found that there is no more by now."""
        ...

    def read(self) -> Sequence[bytes]:
        """Return what has come since the last call; never waits."""
        ...

    def position(self) -> bytes:
        """Return where reading goes on behind what was returned last."""
        ...


class Keeper(AlertStore, AcknowledgementStore, Protocol):
    """What alerting needs of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How driftflow's own processes are looked at: whom to ask, and how often."""

    vitals: Vitals
    interval_ms: int


class Alerting:
    """One turn after the other; a process that dies anywhere goes on where the last stored turn ended.

    Parameters
    ----------
    open_source
        Opens the source where a position says, or from its beginning.
    from_start
        Tell all that is in the log at the first start; otherwise only what is open at its end, in one
        message.
    """

    def __init__(
        self,
        store: Keeper,
        rules: Rules,
        outlets: Mapping[str, Outlet],
        open_source: Callable[[bytes | None], Source],
        *,
        lease: Lease,
        from_start: bool,
        now_ms: Callable[[], int],
        random: Callable[[], float],
        heard: Heard,
        looking: Looking | None = None,
    ) -> None:
        self._store = store
        self._lease = lease
        self._looking = looking
        self._looked_ms: int | None = None
        self._rules = rules
        self._now_ms = now_ms
        self._heard = heard
        self._model = rules.alerts.model
        progress = store.alert_progress(self._model)
        saved = None if progress is None else progress_of(progress.body)
        self._revision = 0 if progress is None else progress.revision
        self._memory = Memory() if saved is None else saved.memory
        self._folds = {} if saved is None else dict(saved.folds)
        self._source = open_source(None if saved is None else saved.position)
        # Until its end is reached for the first time, what has closed by then is nobody's concern.
        self._catching_up = saved is None and not from_start
        self._from_start = saved is None and from_start
        self._deliveries = Deliveries(
            store, self._model, outlets, lease=lease, now_ms=now_ms, random=random, heard=heard
        )
        self._settle_folds()

    @property
    def caught_up(self) -> bool:
        """Whether all that there is by now has been read."""
        return self._source.caught_up

    def turn(self, *, flush: bool = False) -> Passed:
        """Read what has come, decide, store, send.

        Parameters
        ----------
        flush
            Nothing more is coming: groups do not wait for more signals once all is read.

        Raises
        ------
        LeaseLostError
            Another process alerts by now: this one has to begin anew from what is stored.
        """
        bodies = self._source.read()
        memory, notices = take_in(
            self._rules,
            self._memory,
            bodies,
            self._now_ms(),
            together=self._catching_up,
            as_it_was=self._from_start,
        )
        if self._catching_up and self._source.caught_up:
            self._catching_up = False
        if not self._catching_up:
            memory, looked = self._looked(memory)
            memory, more = let_pass(
                self._rules,
                memory,
                self._now_ms(),
                self._acknowledged(memory.policy),
                flush=flush and self._source.caught_up,
                ask=self._source.caught_up,
            )
            notices += looked + more
        if bodies or notices or memory.differs(self._memory):
            _say_refused(self._memory.retraining, memory.retraining)
            self._commit(memory, notices)
        self._fold()
        passed = self._deliveries.send_all()
        self._heard.turned(passed.waiting)
        return passed

    def tidy(self) -> int:
        """Drop notices that were settled long ago; return how many."""
        return self._store.drop_notices(self._model, before_ms=self._now_ms() - KEPT_MS)

    def _looked(self, memory: Memory) -> tuple[Memory, list[Notice]]:
        """Look at driftflow's own processes where it is time to."""
        now_ms = self._now_ms()
        before_ms = self._looked_ms
        if self._looking is None:
            return memory, []
        if before_ms is not None and 0 <= now_ms - before_ms < self._looking.interval_ms:
            return memory, []
        self._looked_ms = now_ms
        with self._lease.kept():
            workers = self._looking.vitals.workers()
        # Asking takes time: what is said holds for the moment of the answers.
        return look_at(self._rules, memory, workers, self._now_ms())

    def _acknowledged(self, state: PolicyState) -> set[str]:
        waiting = [name for group in state.groups.values() if group.escalate_ms >= 0 for name in group.open]
        if not waiting:
            return set()
        return {each.episode for each in self._store.acknowledgements(self._model, waiting)}

    def _commit(self, memory: Memory, notices: Sequence[Notice]) -> None:
        saved = saved_of(memory, position=self._source.position(), folds=self._folds)
        progress = Progress(revision=self._revision + 1, body=progress_bytes(saved))
        self._lease.renew()
        self._store.commit_alerts(self._model, progress, [stored_notice(each) for each in notices])
        self._revision, self._memory = progress.revision, memory

    def _fold(self) -> None:
        """Put a digest in the place of what would be a flood.

        It is stored with the ids that it stands for: a crash before those are settled repeats nothing.
        """
        waiting: dict[str, list[StoredNotice]] = {}
        for each in self._store.notices(self._model, delivery=Delivery.WAITING):
            waiting.setdefault(each.channel, []).append(each)
        for channel, stored in waiting.items():
            folded = fold(
                stored,
                room=self._deliveries.room(channel),
                told=partial(self._deliveries.told_of, channel),
                now_ms=self._now_ms(),
            )
            if folded is not None:
                self._folds[folded.digest.id] = folded.ids
                self._commit(self._memory, [folded.digest])
        self._settle_folds()

    def _settle_folds(self) -> None:
        if not self._folds:
            return
        waiting = self._store.notices(self._model, delivery=Delivery.WAITING)
        by_id = {stored.id: stored for stored in waiting}
        for digest, ids in self._folds.items():
            for each in ids:
                if each in by_id:
                    self._store.settle_notice(folded_notice(by_id[each], digest, self._now_ms()))
        self._folds = {}


def stored_notice(notice: Notice) -> StoredNotice:
    """Write a notice as stores keep it."""
    return StoredNotice(
        id=notice.id,
        model=notice.model,
        channel=notice.channel,
        decided_ms=notice.decided_ms,
        body=encode_notice(notice),
    )


def folded_notice(stored: StoredNotice, digest: str, now_ms: int) -> StoredNotice:
    """Settle a notice that a digest tells of."""
    return replace(stored, delivery=Delivery.FOLDED, next_ms=0, settled_ms=now_ms, reason=digest)


def _say_refused(before: RetrainState, after: RetrainState) -> None:
    """Log once why nobody is asked to train again although a rule would."""
    known = {(each.rule, each.episodes, each.guards) for each in before.refusals}
    for each in after.refusals:
        if (each.rule, each.episodes, each.guards) not in known:
            _logger.info("rule %s asks for no retraining yet: %s", each.rule, each.reason)
