"""What every channel must do; a class of tests to inherit, given a fixture `station`."""

import logging
import traceback
from typing import Protocol

import pytest

from alerts.channels.base import Channel, RefusedError, TryAgainError
from alerts.notices import Cause, Notice
from alerts.samples import sample_notice, sample_signals
from tests.alerts.receivers import Mood

SECRET = "s3cr3t-0f-the-channel"  # noqa: S105 - of no real service
"""Stands in every secret that a station gives its channel."""

TIMEOUT_S = 0.5
"""Of channels under test."""


class Station(Protocol):
    """A channel with its other side."""

    channel: Channel
    moods: frozenset[Mood]
    """How the other side can behave."""

    def behave(self, mood: Mood) -> None: ...

    def received(self) -> list[str]:
        """All that has been taken, each message as one text with its headers."""
        ...

    def leave(self) -> None:
        """Be away from now on."""
        ...


def outcome(channel: Channel, notice: Notice) -> TryAgainError | RefusedError | None:
    try:
        channel.send(notice)
    except (TryAgainError, RefusedError) as error:
        return error
    return None


class ChannelContract:
    def test_every_cause_arrives_with_its_id(self, station: Station) -> None:
        for count, cause in enumerate(Cause, start=1):
            notice = sample_notice(station.channel.name, cause=cause, decided_ms=count)
            station.channel.send(notice)
            received = station.received()
            assert len(received) == count
            # A request to retrain is a CloudEvent with an id of its own, and may be all that is sent.
            assert notice.id in received[-1] or (notice.payload and notice.payload in received[-1])

    def test_a_repeat_carries_the_same_id(self, station: Station) -> None:
        notice = sample_notice(station.channel.name, cause=Cause.OPENED)
        station.channel.send(notice)
        station.channel.send(notice)
        assert [notice.id in each for each in station.received()] == [True, True]

    def test_names_from_data_do_no_harm(self, station: Station) -> None:
        (drift, check) = sample_signals("модель 模型")
        name = "amount\r\nBcc: eve@example.org <script>alert(1)</script> {{ 7 * 7 }} <!channel> \u202e`x`"
        hostile = type(drift)(
            **{field: getattr(drift, field) for field in drift.__dataclass_fields__}
            | {"feature": name, "told": name, "segments": (name,)}
        )
        notice = sample_notice(station.channel.name, cause=Cause.OPENED, signals=(hostile, check))
        station.channel.send(notice)
        (received,) = station.received()
        assert "\nBcc:" not in received
        assert "{{ 7 * 7 }}" in received or "7 * 7" in received

    def test_long_messages_are_cut_to_what_is_taken(self, station: Station) -> None:
        signals = sample_signals("m")[:1] * 3000
        station.channel.send(sample_notice(station.channel.name, cause=Cause.DIGEST, signals=signals))
        assert len(station.received()) == 1

    @pytest.mark.parametrize("mood", [Mood.FAILS, Mood.BUSY, Mood.HANGS, Mood.CLOSES, Mood.BABBLES])
    def test_what_may_pass_is_tried_again(self, station: Station, mood: Mood) -> None:
        if mood not in station.moods:
            # A channel whose other side cannot behave so says it by `moods`.
            assert mood is not Mood.FAILS
            return
        station.behave(mood)
        notice = sample_notice(station.channel.name)
        assert isinstance(outcome(station.channel, notice), TryAgainError)
        station.behave(Mood.WELL)
        station.channel.send(notice)
        assert notice.id in station.received()[-1]

    def test_a_station_that_is_away_is_tried_again(self, station: Station) -> None:
        station.leave()
        assert isinstance(outcome(station.channel, sample_notice(station.channel.name)), TryAgainError)

    @pytest.mark.parametrize("mood", [Mood.REFUSES, Mood.REDIRECTS])
    def test_what_is_refused_is_not_tried_again(self, station: Station, mood: Mood) -> None:
        if mood in station.moods:
            station.behave(mood)
            assert isinstance(outcome(station.channel, sample_notice(station.channel.name)), RefusedError)

    @pytest.mark.parametrize("mood", [*Mood, None], ids=str)
    def test_no_secret_is_said(
        self, station: Station, mood: Mood | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        if mood is None:
            station.leave()
        elif mood in station.moods:
            station.behave(mood)
        error = outcome(station.channel, sample_notice(station.channel.name))
        said = [caplog.text, repr(station.channel), str(vars(station.channel))]
        while error is not None:
            said += [str(error), repr(error), *traceback.format_exception(error)]
            following = error.__cause__ or error.__context__
            assert not following, "an error of a library may hold the secret"
            error = None
        assert not [each for each in said if SECRET in each]
