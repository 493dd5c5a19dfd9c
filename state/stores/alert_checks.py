"""What every store refuses to keep of alerts, so that all of them give back the same."""

from collections.abc import Iterable
from dataclasses import replace

from state.stores.alerts import Acknowledgement, Progress, StoredNotice
from state.stores.base import NotFoundError, StoreError
from state.stores.checks import require_bytes, require_texts, whole


def checked_notices(model: str, notices: Iterable[StoredNotice]) -> list[StoredNotice]:
    """Return the notices of a model with plain numbers, the first of each id.

    Raises
    ------
    StoreError
        A field holds what not every store could give back, or a notice is another model's.
    """
    checked: dict[str, StoredNotice] = {}
    for notice in notices:
        name = f"notice {notice.id!r}"
        require_texts(name, notice.id, notice.model, notice.channel, notice.delivery, notice.reason)
        require_bytes(name, notice.body)
        if notice.model != model:
            raise StoreError(f"{name}: it is of model {notice.model!r}; wanted one of {model!r}")
        plain = replace(
            notice,
            decided_ms=whole(f"{name}: decided_ms", notice.decided_ms),
            attempts=whole(f"{name}: attempts", notice.attempts),
            next_ms=whole(f"{name}: next_ms", notice.next_ms),
            settled_ms=None if notice.settled_ms is None else whole(f"{name}: settled_ms", notice.settled_ms),
        )
        checked.setdefault(plain.id, plain)
    return list(checked.values())


def checked_progress(model: str, progress: Progress) -> Progress:
    """Return the progress with a plain number; raises `StoreError` like `checked_notices`."""
    name = f"progress of alerts of model {model!r}"
    require_texts(name, model)
    require_bytes(name, progress.body)
    return replace(progress, revision=whole(f"{name}: revision", progress.revision))


def checked_claim(model: str, owner: str, now_ms: int, until_ms: int) -> tuple[int, int]:
    """Return both times as plain numbers; raises `StoreError` like `checked_notices`."""
    name = f"claim of {owner!r} on alerts of model {model!r}"
    require_texts(name, model, owner)
    return whole(f"{name}: now_ms", now_ms), whole(f"{name}: until_ms", until_ms)


def checked_acknowledgement(acknowledgement: Acknowledgement) -> Acknowledgement:
    """Return it with a plain number; raises `StoreError` like `checked_notices`."""
    name = f"acknowledgement of {acknowledgement.episode!r}"
    texts = (acknowledgement.model, acknowledgement.episode, acknowledgement.by, acknowledgement.note)
    require_texts(name, *texts)
    return replace(acknowledgement, at_ms=whole(f"{name}: at_ms", acknowledgement.at_ms))


def overtaken(model: str, found: int, wanted: int) -> StoreError:
    """Tell that another process has committed."""
    return StoreError(
        f"alerts of model {model!r} stand at commit {found}, not at {wanted - 1}: another process sends them "
        "too; stop one of the two"
    )


def no_notice(model: str, notice_id: str) -> NotFoundError:
    """Tell that a model has no notice of an id."""
    return NotFoundError(f"model {model!r} has no notice {notice_id!r}")


def settled(stored: StoredNotice, now: StoredNotice) -> StoredNotice:
    """Return what is stored with what has become of it now."""
    return replace(
        stored,
        delivery=now.delivery,
        attempts=now.attempts,
        next_ms=now.next_ms,
        settled_ms=now.settled_ms,
        reason=now.reason,
    )
