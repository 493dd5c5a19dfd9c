"""Small references, events, notices and keys for the tests of stores."""

from state.stores.alerts import Acknowledgement, StoredNotice
from state.stores.base import Activation, ReferenceInfo, SeriesKey, StoredEvent, StoredReference
from state.stores.episodes import StoredEpisode
from state.stores.panes import StoredPane


def a_reference(
    version: str = "v1", *, model: str = "fraud", created_ms: int = 1, body: bytes = b"bins"
) -> StoredReference:
    info = ReferenceInfo(
        model=model,
        version=version,
        created_ms=created_ms,
        rows=100,
        start_ms=None,
        end_ms=None,
        source="a file",
    )
    return StoredReference(info=info, body=body)


def from_start(version: str) -> Activation:
    return Activation(version=version, effective_from=None)


def starting(version: str, start: int) -> Activation:
    return Activation(version=version, effective_from=start)


def an_event(
    id_: str,
    *,
    end: int = 10,
    model: str = "fraud",
    model_version: str = "1",
    window: str = "1h",
    feature: str | None = "amount",
    type_: str = "opened",
    body: bytes = b"{}",
) -> StoredEvent:
    return StoredEvent(
        id=id_,
        type=type_,
        model=model,
        model_version=model_version,
        window=window,
        feature=feature,
        episode=None,
        end=end,
        body=body,
    )


def a_pane(
    start: int,
    *,
    end: int | None = None,
    model: str = "fraud",
    model_version: str = "1",
    feature: str = "amount",
    reference: str = "r1",
    body: bytes = b"counts",
) -> StoredPane:
    return StoredPane(
        model=model,
        model_version=model_version,
        feature=feature,
        start=start,
        reference=reference,
        end=start if end is None else end,
        body=body,
    )


def an_episode(
    id_: str,
    *,
    opened: int = 10,
    updated: int | None = None,
    is_open: bool = True,
    model: str = "fraud",
    model_version: str = "1",
    window: str = "1h",
    feature: str = "amount",
    peak: float = 0.3,
    family: str = "drift",
    check: str = "",
) -> StoredEpisode:
    return StoredEpisode(
        id=id_,
        model=model,
        model_version=model_version,
        window=window,
        feature=feature,
        reference="r1",
        since=opened - 5,
        opened=opened,
        updated=opened if updated is None else updated,
        is_open=is_open,
        severity="medium",
        peak=peak,
        windows=2,
        family=family,
        check=check,
    )


def a_notice(id_: str, *, decided_ms: int = 5, model: str = "fraud") -> StoredNotice:
    return StoredNotice(id=id_, model=model, channel="mail", decided_ms=decided_ms, body=b"{}")


def an_acknowledgement(
    episode: str, *, model: str = "fraud", by: str = "ann", at_ms: int = 7, note: str = ""
) -> Acknowledgement:
    return Acknowledgement(model=model, episode=episode, by=by, at_ms=at_ms, note=note)


def a_key(
    feature: str = "amount", *, model: str = "fraud", metric: str = "psi", segment: str = ""
) -> SeriesKey:
    return SeriesKey(
        model=model, model_version="1", window="1h", feature=feature, segment=segment, metric=metric
    )


def ids(events: list[StoredEvent]) -> list[str]:
    return [event.id for event in events]
