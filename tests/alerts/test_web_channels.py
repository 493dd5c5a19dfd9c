"""Channels over HTTP against a web service on this machine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote_plus

import pytest

from alerts.channels.apprise import AppriseChannel
from alerts.channels.base import Channel, RefusedError, TryAgainError
from alerts.channels.opsgenie import OpsgenieChannel
from alerts.channels.pagerduty import PagerDutyChannel
from alerts.channels.secrets import Secret
from alerts.channels.slack import Bot, SlackChannel, sections
from alerts.channels.sns import SnsChannel, sns_client
from alerts.channels.webhook import SignatureError, WebhookChannel, verify
from alerts.notices import Cause
from alerts.samples import sample_notice, sample_signals
from alerts.templating import load_templates
from tests.alerts.receivers import Mood, Web, web_service
from tests.contracts.channel import SECRET, TIMEOUT_S, ChannelContract, outcome

TEMPLATES = load_templates()
DASHBOARD = "https://drift.example.org"
ALL = frozenset(Mood)
SLACK_ANSWERS = {
    "/api/files.getUploadURLExternal": b'{"ok": true, "upload_url": "%s/upload", "file_id": "F1"}',
    "/api/": b'{"ok": true}',
}


@dataclass
class WebStation:
    channel: Channel
    web: Web
    stop: Callable[[], None]
    moods: frozenset[Mood] = ALL
    counted: str = ""
    """Requests whose path holds this are messages; others prepare one."""

    def behave(self, mood: Mood) -> None:
        self.web.mood = mood

    def received(self) -> list[str]:
        return [
            "\n".join(f"{name}: {value}" for name, value in each.headers.items())
            + "\n"
            + unquote_plus(each.body.decode())
            for each in self.web.seen
            if self.counted in each.path
        ]

    def leave(self) -> None:
        self.stop()


class WebContract(ChannelContract):
    moods = ALL
    counted = ""

    def make(self, web: Web) -> Channel:
        raise NotImplementedError

    @pytest.fixture
    def station(self) -> Iterator[WebStation]:
        service = web_service()
        web = service.__enter__()
        left = list[bool]()

        def stop() -> None:
            if not left:
                left.append(True)
                service.__exit__(None, None, None)

        channel = self.make(web)
        yield WebStation(channel, web, stop, moods=self.moods, counted=self.counted)
        channel.close()
        stop()


class TestWebhook(WebContract):
    def make(self, web: Web) -> Channel:
        url = Secret(f"{web.url}/hook?key={SECRET}")
        return WebhookChannel("hook", url, Secret(SECRET), timeout_s=TIMEOUT_S, now=lambda: 1000.0)

    def test_the_receiver_can_verify_it(self, station: WebStation) -> None:
        notice = sample_notice("hook", cause=Cause.OPENED)
        station.channel.send(notice)
        (seen,) = station.web.seen
        assert verify(Secret(SECRET), seen.headers, seen.body, now_s=1200.0) == notice.id
        event = seen.json()
        assert (event["specversion"], event["id"]) == ("1.0", notice.id)
        assert event["type"] == "io.driftflow.alert.opened"
        for headers, body, now_s in (
            (seen.headers, seen.body + b" ", 1000.0),
            (seen.headers, seen.body, 1301.0),
            (seen.headers | {"webhook-id": "another"}, seen.body, 1000.0),
            ({"webhook-id": "x"}, seen.body, 1000.0),
        ):
            with pytest.raises(SignatureError):
                verify(Secret(SECRET), headers, body, now_s=now_s)
        with pytest.raises(SignatureError):
            verify(Secret("another"), seen.headers, seen.body, now_s=1000.0)

    def test_the_other_side_says_how_long_to_wait(self, station: WebStation) -> None:
        station.behave(Mood.BUSY)
        with pytest.raises(TryAgainError) as caught:
            station.channel.send(sample_notice("hook"))
        assert caught.value.wait_s == 7.0


class TestSlackWebhook(WebContract):
    def make(self, web: Web) -> Channel:
        url = Secret(f"{web.url}/services/T0/{SECRET}")
        return SlackChannel("team", url, TEMPLATES, dashboard=DASHBOARD, timeout_s=TIMEOUT_S)

    def test_blocks_keep_the_limits(self, station: WebStation) -> None:
        many = sample_signals("m" * 5000) * 500
        station.channel.send(sample_notice("team", cause=Cause.DIGEST, signals=many))
        blocks = station.web.seen[0].json()["blocks"]
        assert len(blocks) <= 50
        assert blocks[0]["type"] == "header"
        assert len(blocks[0]["text"]["text"]) <= 150
        assert all(len(each["text"]["text"]) <= 3000 for each in blocks if each["type"] == "section")

    def test_mentions_and_links_from_data_are_text(self, station: WebStation) -> None:
        (drift, _) = sample_signals("m")
        hostile = type(drift)(
            event="e", model="m", model_version="1", kind=drift.kind, change=drift.change, episode="e",
            window="w", feature="<!channel>", told="<https://evil|click> & `code`",
        )  # fmt: skip
        station.channel.send(sample_notice("team", cause=Cause.OPENED, signals=(hostile,)))
        body = station.web.seen[0].body.decode()
        assert "<!channel>" not in body
        assert "&lt;!channel&gt;" in body
        assert "&lt;https://evil|click&gt; &amp; 'code'" in body


class TestSlackBot(WebContract):
    counted = "chat.postMessage"

    def make(self, web: Web) -> Channel:
        web.answers |= {path: said.replace(b"%s", web.url.encode()) for path, said in SLACK_ANSWERS.items()}
        bot = Bot(token=Secret(SECRET), channel="C1", api=f"{web.url}/api")
        return SlackChannel("bot", bot, TEMPLATES, timeout_s=TIMEOUT_S)

    def test_the_picture_is_uploaded_and_shown(self, station: WebStation) -> None:
        station.channel.send(sample_notice("bot", cause=Cause.OPENED))
        paths = [each.path.removeprefix("/api/") for each in station.web.seen]
        assert paths == [
            "files.getUploadURLExternal",
            "/upload",
            "files.completeUploadExternal",
            "chat.postMessage",
        ]
        assert station.web.seen[1].body.startswith(b"\x89PNG")
        assert station.web.seen[3].json()["blocks"][-1]["slack_file"] == {"id": "F1"}

    def test_a_picture_that_is_refused_does_not_hold_the_message_back(self, station: WebStation) -> None:
        station.web.answers["/api/files.getUploadURLExternal"] = b'{"ok": false, "error": "missing_scope"}'
        station.channel.send(sample_notice("bot", cause=Cause.OPENED))
        assert [block["type"] for block in station.web.seen[-1].json()["blocks"]].count("image") == 0

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            (b'{"ok": false, "error": "channel_not_found"}', RefusedError),
            (b'{"ok": false, "error": "ratelimited"}', TryAgainError),
            (b"<html>proxy</html>", TryAgainError),
            (b"[]", TryAgainError),
        ],
    )
    def test_an_answer_of_200_may_still_be_a_no(
        self, station: WebStation, said: bytes, expected: type[Exception]
    ) -> None:
        station.web.answers |= dict.fromkeys(station.web.answers, said)
        with pytest.raises(expected):
            station.channel.send(sample_notice("bot"))


class TestPagerDuty(WebContract):
    def make(self, web: Web) -> Channel:
        return PagerDutyChannel("pager", Secret(SECRET), TEMPLATES, base=web.url, timeout_s=TIMEOUT_S)

    def test_an_incident_is_opened_and_resolved_by_one_key(self, station: WebStation) -> None:
        for cause in (Cause.OPENED, Cause.ESCALATED, Cause.CLOSED):
            station.channel.send(sample_notice("pager", cause=cause))
        events = [each.json() for each in station.web.seen]
        assert [event["event_action"] for event in events] == ["trigger", "trigger", "resolve"]
        assert {event["dedup_key"] for event in events} == {sample_notice("pager").incident}
        assert events[0]["payload"]["severity"] == "critical"

    def test_limits(self, station: WebStation) -> None:
        (drift, _) = sample_signals("ж" * 3000)
        big = type(drift)(
            event="e", model="m", model_version="1", kind=drift.kind, change=drift.change, episode="e",
            window="w", feature="f" * 9000, told="ж" * 9000, segments=("s" * 900,) * 200,
        )  # fmt: skip
        station.channel.send(sample_notice("pager", cause=Cause.DIGEST, signals=(big,) * 3000))
        assert len(station.web.seen[0].body) <= 512_000
        assert len(station.web.seen[0].json()["payload"]["summary"]) <= 1024


class TestOpsgenie(WebContract):
    def make(self, web: Web) -> Channel:
        return OpsgenieChannel("ops", Secret(SECRET), TEMPLATES, base=web.url, timeout_s=TIMEOUT_S)

    def test_an_alert_is_opened_and_closed_by_its_alias(self, station: WebStation) -> None:
        opened = sample_notice("ops", cause=Cause.OPENED)
        station.channel.send(opened)
        station.channel.send(sample_notice("ops", cause=Cause.CLOSED))
        first, second = station.web.seen
        assert first.path == "/v2/alerts"
        assert first.json()["alias"] == opened.incident
        assert len(first.json()["message"]) <= 130
        assert second.path == f"/v2/alerts/{opened.incident}/close?identifierType=alias"
        assert first.headers["authorization"] == f"GenieKey {SECRET}"


class TestApprise(WebContract):
    # It tells nothing but yes and no, so nothing is refused; its own limit of time is 4 s.
    moods = frozenset({Mood.WELL, Mood.FAILS, Mood.BUSY, Mood.CLOSES, Mood.BABBLES})

    def make(self, web: Web) -> Channel:
        url = Secret(f"json://user:{SECRET}@127.0.0.1:{web.port}/")
        return AppriseChannel("chat", url, TEMPLATES, key="alerts.channels.chat.url_env")

    def test_a_redirect_is_not_followed(self, station: WebStation) -> None:
        station.behave(Mood.REDIRECTS)
        assert isinstance(outcome(station.channel, sample_notice("chat")), TryAgainError)
        assert len(station.web.seen) == 1


class TestSns(WebContract):
    moods = ALL - {Mood.REDIRECTS}

    @pytest.fixture(autouse=True)
    def _credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)

    def make(self, web: Web) -> Channel:
        web.answers["/"] = (
            b"<PublishResponse xmlns='http://sns.amazonaws.com/doc/2010-03-31/'><PublishResult><MessageId>1"
            b"</MessageId></PublishResult></PublishResponse>"
        )
        web.refusal = (
            b"<ErrorResponse xmlns='http://sns.amazonaws.com/doc/2010-03-31/'><Error><Type>Sender</Type>"
            b"<Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>"
        )
        client = sns_client(region="eu-central-1", endpoint=web.url, timeout_s=TIMEOUT_S)
        return SnsChannel("sns", client, "arn:aws:sns:eu-central-1:1:drift.fifo", TEMPLATES)

    def test_an_answer_of_somebody_else_is_tried_again(self, station: WebStation) -> None:
        station.web.refusal = b"<html>a proxy says no"
        station.behave(Mood.REFUSES)
        assert isinstance(outcome(station.channel, sample_notice("sns")), TryAgainError)

    def test_limits_and_the_id_for_topics_in_order(self, station: WebStation) -> None:
        (drift, _) = sample_signals("m")
        big = type(drift)(
            event="e", model="m", model_version="1", kind=drift.kind, change=drift.change, episode="e",
            window="w", feature="ж" * 90, told="ж" * 9000, segments=("ж" * 900,) * 900,
        )  # fmt: skip
        notice = sample_notice("sns", cause=Cause.DIGEST, signals=(big,) * 3000)
        station.channel.send(notice)
        sent = parse_qs(station.web.seen[0].body.decode())
        assert len(sent["Message"][0].encode()) <= 262_144
        assert len(sent["Subject"][0]) <= 100
        assert sent["Subject"][0].isascii()
        assert sent["MessageDeduplicationId"] == [notice.id]


def test_sections_are_cut_at_ends_of_lines() -> None:
    text = "\n".join(["a" * 1000] * 5 + ["b" * 9000])
    parts = sections(text)
    assert [len(part) for part in parts] == [2002 - 1, 2001, 1000, 3000]
    assert parts[-1] == "b" * 2999 + "…"
