"""What alerting keeps, in memory."""

from collections.abc import Sequence

from state.stores.alert_checks import (
    checked_acknowledgement,
    checked_claim,
    checked_notices,
    checked_progress,
    no_notice,
    overtaken,
    settled,
)
from state.stores.alerts import Acknowledgement, Delivery, Progress, StoredNotice
from state.stores.checks import checked_limit


class MemoryAlerts:
    """The part of a `state.stores.memory.MemoryStore` that keeps alerts."""

    def __init__(self) -> None:
        self._claims: dict[str, tuple[str, int]] = {}
        self._progress: dict[str, Progress] = {}
        self._notices: dict[tuple[str, str], StoredNotice] = {}
        self._acknowledgements: dict[tuple[str, str], Acknowledgement] = {}

    def claim_alerts(self, model: str, *, owner: str, now_ms: int, until_ms: int) -> bool:
        """Take or renew the right to send alerts of a model; return whether `owner` has it."""
        now, until = checked_claim(model, owner, now_ms, until_ms)
        holder, held_until = self._claims.get(model, (owner, 0))
        if holder != owner and held_until > now:
            return False
        self._claims[model] = (owner, until)
        return True

    def release_alerts(self, model: str, *, owner: str) -> None:
        """Give the right back; what is another's stays."""
        if model in self._claims and self._claims[model][0] == owner:
            del self._claims[model]

    def alert_progress(self, model: str) -> Progress | None:
        """Return how far it has come; None before the first commit."""
        return self._progress.get(model)

    def commit_alerts(self, model: str, progress: Progress, notices: Sequence[StoredNotice]) -> None:
        """Store progress and the notices that were decided on the way, all or none."""
        checked, wanted = checked_notices(model, notices), checked_progress(model, progress)
        stored = self._progress.get(model)
        found = 0 if stored is None else stored.revision
        if wanted.revision != found + 1:
            raise overtaken(model, found, wanted.revision)
        self._progress[model] = wanted
        for notice in checked:
            self._notices.setdefault((model, notice.id), notice)

    def settle_notice(self, notice: StoredNotice) -> None:
        """Replace what has become of a notice that is there."""
        (checked,) = checked_notices(notice.model, [notice])
        stored = self._notices.get((checked.model, checked.id))
        if stored is None:
            raise no_notice(checked.model, checked.id)
        self._notices[checked.model, checked.id] = settled(stored, checked)

    def notices(
        self,
        model: str,
        *,
        delivery: Delivery | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[StoredNotice]:
        """Return notices in order of `decided_ms`, then of insertion, or the other way round."""
        count = checked_limit(limit)
        of_model = [notice for (name, _), notice in self._notices.items() if name == model]
        ordered = sorted(of_model, key=lambda notice: notice.decided_ms)
        if newest_first:
            ordered.reverse()
        return [notice for notice in ordered if delivery in (None, notice.delivery)][:count]

    def drop_notices(self, model: str, *, before_ms: int) -> int:
        """Delete notices that were decided and settled before; return how many."""
        old = [
            key
            for key, notice in self._notices.items()
            if key[0] == model
            and notice.settled_ms is not None
            and max(notice.settled_ms, notice.decided_ms) < before_ms
        ]
        for key in old:
            del self._notices[key]
        return len(old)

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        """Store it; return whether it is the first of its episode."""
        checked = checked_acknowledgement(acknowledgement)
        key = (checked.model, checked.episode)
        return self._acknowledgements.setdefault(key, checked) is checked

    def acknowledgements(self, model: str, episodes: Sequence[str] | None = None) -> list[Acknowledgement]:
        """Return those of some episodes, or all, by time, then by episode."""
        found = [
            acknowledgement
            for (name, episode), acknowledgement in self._acknowledgements.items()
            if name == model and (episodes is None or episode in episodes)
        ]
        return sorted(found, key=lambda each: (each.at_ms, each.episode))
