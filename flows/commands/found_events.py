"""Events by their id or its beginning, in a store, or in the log or topic that a run writes."""

import os
from collections.abc import Sequence
from contextlib import suppress

from flows.commands.usage import UsageError
from flows.config import Config
from flows.event_sources import event_sources
from flows.tailing import follow
from state.stores.base import NotFoundError, Store

_LISTED = 5

Found = tuple[str, bytes]
"""Id and body."""


def stored_events(store: Store, model: str, beginning: str) -> list[Found]:
    """Return events whose id begins so; where there is none, those that opened an episode whose id does."""
    # Only the beginning of an id needs a look at all of them.
    with suppress(NotFoundError):
        event = store.event(model, beginning)
        return [(event.id, event.body)]
    events = store.events(model)
    found = [event for event in events if event.id.startswith(beginning)]
    if not found:
        # Events come in their order, so the first of an episode is the one that opened it.
        of_episode = {e.episode: e for e in reversed(events) if (e.episode or "").startswith(beginning)}
        found = list(of_episode.values())
    return [(event.id, event.body) for event in found]


def logged_events(config: Config, beginning: str) -> list[Found]:
    """Return the events of the topic, or of the logs, whose id begins so; all of it is read."""
    with event_sources(config, os.environ) as opened:
        events = follow(opened(None), model=config.file.model.name, forever=False, wait=lambda: None)
        return [(event.id, event.body) for event in events if event.id.startswith(beginning)]


def the_one(found: Sequence[Found], model: str, beginning: str) -> bytes:
    """Return the body of the only one.

    Raises
    ------
    UsageError
        There is none, or there are several.
    """
    if not found:
        raise UsageError(
            f"no event or episode of model {model!r} begins with {beginning!r}; 'driftflow tail' prints "
            "events as they come, and with --json their ids"
        )
    if len(found) > 1:
        listed = ", ".join(identity for identity, _ in found[:_LISTED])
        raise UsageError(f"{len(found)} ids begin with {beginning!r}, wanted one: {listed}")
    return found[0][1]
