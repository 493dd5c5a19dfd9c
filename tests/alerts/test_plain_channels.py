"""Standard output, and a topic whose writer is a stand-in; the real one is in tests/integration."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from alerts.channels.base import RefusedError, TryAgainError
from alerts.channels.kafka import KafkaChannel
from alerts.channels.stdout import StdoutChannel
from alerts.notices import Cause
from alerts.samples import sample_notice
from alerts.templating import load_templates
from tests.alerts.receivers import Mood
from tests.contracts.channel import ChannelContract

TEMPLATES = load_templates()


class _Stream(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.messages = list[str]()
        self.mood = Mood.WELL

    def write(self, text: str) -> int:
        if self.mood is not Mood.WELL:
            raise BrokenPipeError("broken pipe")
        self.messages.append(text)
        return len(text)


@dataclass
class StreamStation:
    channel: StdoutChannel
    stream: _Stream
    moods = frozenset({Mood.WELL, Mood.FAILS})

    def behave(self, mood: Mood) -> None:
        self.stream.mood = mood

    def received(self) -> list[str]:
        return self.stream.messages

    def leave(self) -> None:
        self.stream.mood = Mood.CLOSES


class TestStdout(ChannelContract):
    @pytest.fixture
    def station(self) -> StreamStation:
        stream = _Stream()
        return StreamStation(StdoutChannel("out", stream, TEMPLATES), stream)


class TestStdoutJson(ChannelContract):
    @pytest.fixture
    def station(self) -> StreamStation:
        stream = _Stream()
        return StreamStation(StdoutChannel("out", stream, TEMPLATES, json=True), stream)

    def test_a_line_is_an_event(self, station: StreamStation) -> None:
        station.channel.send(sample_notice("out", cause=Cause.OPENED))
        (line,) = station.received()
        assert line.count("\n") == 1
        assert json.loads(line)["data"]["signals"][0]["feature"] == "amount"


@dataclass
class _Publisher:
    mood: Mood = Mood.WELL
    seen: list[tuple[bytes, bytes, Mapping[str, bytes]]] = field(default_factory=list)

    def publish(self, key: bytes, value: bytes, headers: Mapping[str, bytes]) -> None:
        if self.mood is Mood.REFUSES:
            raise RefusedError("no such topic")
        if self.mood is not Mood.WELL:
            raise TryAgainError("away")
        self.seen.append((key, value, headers))

    def close(self) -> None:
        pass


@dataclass
class TopicStation:
    channel: KafkaChannel
    publisher: _Publisher
    moods = frozenset(Mood) - {Mood.REDIRECTS}

    def behave(self, mood: Mood) -> None:
        self.publisher.mood = mood

    def received(self) -> list[str]:
        return [f"{headers} {value.decode()}" for _, value, headers in self.publisher.seen]

    def leave(self) -> None:
        self.publisher.mood = Mood.CLOSES


class TestKafka(ChannelContract):
    @pytest.fixture
    def station(self) -> TopicStation:
        publisher = _Publisher()
        return TopicStation(KafkaChannel("topic", publisher), publisher)

    def test_the_key_is_the_model(self, station: TopicStation) -> None:
        station.channel.send(sample_notice("topic", model="fraud"))
        assert station.publisher.seen[0][0] == b"fraud"
