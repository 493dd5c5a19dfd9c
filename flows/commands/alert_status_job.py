"""What has become of notices, and sending again what was given up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from alerts.notices import decode_notice
from flows.commands.console import results, say, show, shown
from flows.commands.document import print_json
from flows.commands.exits import ExitCode
from flows.commands.stored import open_store
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.render.alert_explained import SHORT
from flows.render.grid import Field, Row, grid
from state.stores.alerts import Delivery, StoredNotice
from state.stores.base import Store

_FIELDS = (
    Field(title="notice"),
    Field(title="channel", least=8),
    Field(title="decided (UTC)"),
    Field(title="tries", right=True),
)


def show_status(path: Path, *, json: bool, limit: int) -> ExitCode:
    """Print notices, the newest of each kind first."""
    config = load_config(path)
    with opened(config) as store:
        found = {
            delivery: store.notices(config.file.model.name, delivery=delivery, newest_first=True, limit=limit)
            for delivery in Delivery
        }
    if json:
        print_json({name: [_document(each) for each in of] for name, of in found.items()})
        return ExitCode.DONE
    if not any(found.values()):
        say(f"No alert was decided yet: begin with 'driftflow alert {shown(path)}'.")
        return ExitCode.DONE
    console = results()
    for delivery, notices in found.items():
        if notices:
            show(console, _table(delivery, notices, console.width))
    if found[Delivery.DEAD]:
        say(f"'driftflow alert retry {shown(path)} --all' sends again what was given up.")
    return ExitCode.DONE


def retry_dead(path: Path, notice: str | None, *, everything: bool) -> ExitCode:
    """Put notices that were given up back to those that wait.

    Raises
    ------
    UsageError
        Neither an id nor all are asked for, or both; or no notice that was given up has this id.
    """
    if (notice is None) != everything:
        raise UsageError("wanted the id of a notice, or --all")
    config = load_config(path)
    model = config.file.model.name
    with opened(config) as store:
        dead = store.notices(model, delivery=Delivery.DEAD)
        chosen = [each for each in dead if everything or each.id.startswith(str(notice))]
        if notice is not None and len(chosen) != 1:
            raise UsageError(
                f"NOTICE is {notice!r}: {len(chosen)} that were given up begin so; "
                f"'driftflow alert status {shown(path)}' lists them"
            )
        for each in chosen:
            again = replace(each, delivery=Delivery.WAITING, attempts=0, next_ms=0, settled_ms=None)
            store.settle_notice(again)
    say(f"{len(chosen)} to be sent again.")
    return ExitCode.DONE


@contextmanager
def opened(config: Config) -> Iterator[Store]:
    """Open the store.

    Raises
    ------
    UsageError
        There is none yet: looking must not leave an empty one behind.
    """
    if isinstance(config.store, Path) and not config.store.exists():
        raise UsageError(f"{shown(config.store)} does not exist yet: nothing has run")
    with open_store(config) as store:
        yield store


def _table(delivery: Delivery, notices: Sequence[StoredNotice], width: int) -> Iterator[Text]:
    yield Text(f" {delivery} ({len(notices)})", "bold")
    yield grid(_FIELDS, [_row(each) for each in notices], width)
    yield Text()


def _row(stored: StoredNotice) -> Row:
    title = decode_notice(stored.body).title
    when = datetime.fromtimestamp(stored.decided_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return Row(
        (stored.id[:SHORT], stored.channel, when, str(stored.attempts)),
        note=f"{title}: {stored.reason}" if stored.reason else title,
    )


def _document(stored: StoredNotice) -> dict[str, object]:
    notice = decode_notice(stored.body)
    return {
        "id": stored.id,
        "channel": stored.channel,
        "route": notice.route,
        "cause": notice.cause,
        "title": notice.title,
        "episodes": [signal.episode for signal in notice.signals],
        "decided_ms": stored.decided_ms,
        "attempts": stored.attempts,
        "next_ms": stored.next_ms,
        "settled_ms": stored.settled_ms,
        "reason": stored.reason,
    }
