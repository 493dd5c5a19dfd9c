"""Opens what the events are read from, and prints them."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from flows.commands.console import results, say, shown, warn
from flows.commands.exits import ExitCode
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.connections import kafka_connector
from flows.event_sources import EventSource, TopicTail, event_paths, file_tails
from flows.kafka.reader import Begin, Start
from flows.render.findings import EventsFileError
from flows.render.tailing import Widths, event_line, type_names
from flows.tailing import follow
from state.events import EventType

_PAUSE_S = 0.2
_WIDEST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class TailAsked:
    """What the command line asks for; `types` None: all."""

    config: Path
    since: str
    json: bool
    types: str | None
    follow: bool


@dataclass(slots=True)
class _Foreign:
    """Tells once of records that are not events."""

    told: bool = False

    def __call__(self) -> None:
        """Take note of one."""
        if not self.told:
            self.told = True
            warn("there are records that are not events of driftflow; they are left out")


def tail_and_tell(asked: TailAsked) -> ExitCode:
    """Print events until there are no more, or for ever.

    Raises
    ------
    UsageError
        `--since` or `--types` is none of what it may be.
    EventsFileError
        There is no file of events yet, and it is not to be waited for.
    """
    config = load_config(asked.config)
    since, types = _last(asked.since), _types(asked.types)
    console = results()
    widths = Widths(
        feature=min(_WIDEST, max(len(column.name) for column in config.columns)),
        window=min(_WIDEST, max(map(len, config.file.windows))),
    )
    with _opened(config, asked, since) as (source, last):
        for event in follow(
            source,
            model=config.file.model.name,
            last=last,
            types=types,
            forever=asked.follow,
            wait=lambda: time.sleep(_PAUSE_S),
            on_foreign=_Foreign(),
        ):
            if asked.json:
                typer.echo(event.body)
            else:
                console.print(event_line(event.type, event.body, widths), soft_wrap=True)
    return ExitCode.DONE


@contextmanager
def _opened(config: Config, asked: TailAsked, last: int | None) -> Iterator[tuple[EventSource, int | None]]:
    """Open the topic or the file; give it with how many of the events at its start are wanted (None: all)."""
    topic = config.file.output.topics.events
    if topic is None:
        path = config.output / config.file.output.events
        if not path.exists() and not asked.follow:
            raise EventsFileError(
                f"{shown(path)} does not exist: begin with 'driftflow run {asked.config}', or leave out "
                "--no-follow to wait for it"
            )
        _tell_place(asked, shown(path))
        with closing(file_tails(event_paths(config), None)) as files:
            yield files, last
        return
    with closing(kafka_connector(config, os.environ)()) as client:
        _tell_place(asked, f"topic {topic}")
        latest = last == 0
        begin = Start(begin=Begin.LATEST if latest else Begin.EARLIEST)
        with closing(TopicTail(client, topic, begin)) as tail:
            # What comes behind the end is all wanted.
            yield tail, None if latest else last


def _tell_place(asked: TailAsked, place: str) -> None:
    if asked.follow and not asked.json:
        say(f"Following {place}; Ctrl-C ends it.", "dim")


def _last(text: str) -> int | None:
    """Return how many of the events that are there at the start are wanted, None for all."""
    match text:
        case "earliest":
            return None
        case "latest":
            return 0
    # ASCII only: isdigit is true of superscripts, which no number is read from.
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"--since is {text!r}, wanted earliest, latest or a number of events")
    return int(text)


def _types(text: str | None) -> frozenset[EventType]:
    known = type_names()
    names = list(known) if text is None else [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"--types: found {unknown[0]!r}, wanted some of {', '.join(known)}")
    return frozenset[EventType]().union(*(known[name] for name in names))
