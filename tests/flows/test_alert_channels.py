"""Channels as the configuration names them."""

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flows.alert_channels import open_channel
from flows.alert_topic import TopicPublisher
from flows.config_values import ConfigError
from flows.sections.channels import ChannelConfig
from tests.flows.fake_kafka import FakeClient, FakeKafka

SECRET = "s3cr3t-s3cr3t"  # noqa: S105 - of no real service
ENVIRON = {
    "URL": f"https://hooks.example.org/{SECRET}",
    "KEY": SECRET,
    "APPRISE": f"json://hooks.example.org/{SECRET}",
    "PLAIN": f"http://example.org/{SECRET}",
}
MAIL = {"type": "email", "host": "mail.example.org", "sender": "a@b.org", "recipients": ["c@d.org"]}


def opened(given: dict[str, Any], folder: Path) -> str:
    made = msgspec.convert(given, ChannelConfig)
    channel = open_channel(
        "team",
        made,
        folder=folder,
        environ=ENVIRON,
        stream=io.StringIO(),
        # Nothing is asked of a cluster before something is sent.
        kafka=lambda channel, topic: TopicPublisher(
            FakeClient(FakeKafka(away=True)), topic, transactional_id=channel
        ),
    )
    channel.close()
    return type(channel).__name__


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "stdout", "json": True}, "StdoutChannel"),
        ({"type": "webhook", "url_env": "URL", "secret_env": "KEY"}, "WebhookChannel"),
        ({"type": "slack", "url_env": "URL"}, "SlackChannel"),
        ({"type": "slack", "token_env": "KEY", "channel": "C1"}, "SlackChannel"),
        (MAIL, "MailChannel"),
        ({"type": "pagerduty", "routing_key_env": "KEY"}, "PagerDutyChannel"),
        ({"type": "opsgenie", "api_key_env": "KEY"}, "OpsgenieChannel"),
        (
            {"type": "sns", "topic_arn": "arn:aws:sns:eu-central-1:1:t", "region": "eu-central-1"},
            "SnsChannel",
        ),
        ({"type": "apprise", "url_env": "APPRISE"}, "AppriseChannel"),
        ({"type": "kafka", "topic": "alerts"}, "KafkaChannel"),
    ],
)
def test_every_type_is_made(given: dict[str, Any], expected: str, tmp_path: Path) -> None:
    assert opened(given, tmp_path) == expected


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"type": "webhook", "url_env": "NONE"}, r"alerts\.channels\.team\.url_env.*NONE"),
        ({"type": "webhook", "url_env": "PLAIN"}, "wanted https"),
        ({"type": "slack"}, "either `url_env`, or `token_env`"),
        (MAIL | {"security": "none"}, r"team\.security"),
        (MAIL | {"username": "x"}, "together, or neither"),
        ({"type": "pagerduty", "routing_key_env": "KEY", "base": "http://example.org"}, r"team\.base"),
        ({"type": "apprise", "url_env": "KEY"}, r"team\.url_env.*Apprise does not know"),
        ({"type": "stdout", "templates": "nowhere"}, r"team\.templates"),
        ({"type": "stdout", "dashboard": "drift"}, r"team\.dashboard"),
    ],
)
def test_what_cannot_work_is_refused_at_start(given: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        opened(given, tmp_path)
    assert SECRET not in str(caught.value)
