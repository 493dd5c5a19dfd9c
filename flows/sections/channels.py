"""The section `alerts.channels`: where notices go."""

from typing import Annotated

import msgspec

from alerts.channels.mail_security import MailSecurity
from flows.sections.base import Section


class ChannelSection(Section, frozen=True, kw_only=True, tag_field="type"):
    """What all channels have in common.

    Attributes
    ----------
    cap_per_hour
        most messages in any hour; what is above comes in one digest, once there is room again
    max_attempts
        how often a message is tried; then it is a dead letter
    templates
        folder with `title.j2`, `text.j2`, `mail.html.j2` or `slack.j2` that replace ours, beside the file
    dashboard
        address of `driftflow serve`, for links; no links without it
    """

    cap_per_hour: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 20
    max_attempts: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 40
    templates: str | None = None
    dashboard: str | None = None


class StdoutConfig(ChannelSection, frozen=True, kw_only=True, tag="stdout"):
    """Standard output.

    Attributes
    ----------
    json
        a CloudEvent a line in place of a block for people
    """

    json: bool = False


class WebhookConfig(ChannelSection, frozen=True, kw_only=True, tag="webhook"):
    """An address of one's own.

    Attributes
    ----------
    url_env
        variable of the environment with the address
    secret_env
        variable with what messages are signed with; `null`: they are not signed
    """

    url_env: str
    secret_env: str | None = None


class SlackConfig(ChannelSection, frozen=True, kw_only=True, tag="slack"):
    """Slack: an incoming webhook, or a bot that can upload pictures.

    Attributes
    ----------
    url_env
        variable with the address of an incoming webhook
    token_env
        variable with the token of a bot, in place of `url_env`
    channel
        where the bot posts to: an id or a name
    """

    url_env: str | None = None
    token_env: str | None = None
    channel: str | None = None


class EmailConfig(ChannelSection, frozen=True, kw_only=True, tag="email"):
    """Mail by SMTP.

    Attributes
    ----------
    host
        the server that mail is handed to
    port
        587 for `starttls`, 465 for `tls`
    security
        `starttls`, `tls`, or `none` to a server on this machine
    sender
        address of the sender
    recipients
        addresses; one message goes to all
    username
        for a login; `null`: none
    password_env
        variable with the password
    """

    host: str
    sender: Annotated[str, msgspec.Meta(pattern=r"^[^@\s]+@[^@\s]+$")]
    recipients: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 587
    security: MailSecurity = MailSecurity.STARTTLS
    username: str | None = None
    password_env: str | None = None


class PagerDutyConfig(ChannelSection, frozen=True, kw_only=True, tag="pagerduty"):
    """PagerDuty, Events API v2.

    Attributes
    ----------
    routing_key_env
        variable with the integration key
    base
        address of the API
    """

    routing_key_env: str
    base: str = "https://events.pagerduty.com"


class OpsgenieConfig(ChannelSection, frozen=True, kw_only=True, tag="opsgenie"):
    """Opsgenie.

    Attributes
    ----------
    api_key_env
        variable with the key of an API integration
    base
        address of the API; `https://api.eu.opsgenie.com` in Europe
    """

    api_key_env: str
    base: str = "https://api.opsgenie.com"


class SnsConfig(ChannelSection, frozen=True, kw_only=True, tag="sns"):
    """Amazon SNS, with AWS's own credentials.

    Attributes
    ----------
    topic_arn
        the topic
    region
        `null`: as AWS's own settings say
    endpoint
        for tests and gateways; `null`: that of AWS
    json
        a CloudEvent in place of text
    """

    topic_arn: str
    region: str | None = None
    endpoint: str | None = None
    json: bool = False


class AppriseConfig(ChannelSection, frozen=True, kw_only=True, tag="apprise"):
    """Whatever Apprise speaks to.

    Attributes
    ----------
    url_env
        variable with the address, in Apprise's form
    """

    url_env: str


class TopicConfig(ChannelSection, frozen=True, kw_only=True, tag="kafka"):
    """A topic of Kafka, on the brokers of the section `kafka`.

    Attributes
    ----------
    topic
        it has to be there; what runs find goes to `output.topics.events`, this is what people are told
    """

    topic: Annotated[str, msgspec.Meta(min_length=1)]


ChannelConfig = (
    StdoutConfig
    | WebhookConfig
    | SlackConfig
    | EmailConfig
    | PagerDutyConfig
    | OpsgenieConfig
    | SnsConfig
    | AppriseConfig
    | TopicConfig
)
"""Any of them, told apart by `type`."""
