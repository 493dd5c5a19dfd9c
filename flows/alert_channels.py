"""Channels as the configuration names them, with secrets from the environment."""

# ruff: noqa: PLC0415  # a channel's libraries are loaded when one is configured

from collections.abc import Mapping
from pathlib import Path
from typing import TextIO, assert_never

from alerts.channels.base import Channel
from alerts.channels.kafka import KafkaChannel
from alerts.channels.secrets import Secret, SetupError, checked_url, is_loopback, secret_from
from alerts.templating import Templates, load_templates
from flows.alert_topic import OpenPublisher
from flows.config_values import ConfigError
from flows.sections.channels import (
    AppriseConfig,
    ChannelConfig,
    EmailConfig,
    OpsgenieConfig,
    PagerDutyConfig,
    SlackConfig,
    SnsConfig,
    StdoutConfig,
    TopicConfig,
    WebhookConfig,
)


def open_channel(
    name: str,
    given: ChannelConfig,
    *,
    folder: Path,
    environ: Mapping[str, str],
    stream: TextIO,
    kafka: OpenPublisher,
) -> Channel:
    """Make a channel; nothing is sent, and no connection is made.

    Parameters
    ----------
    folder
        That of the configuration file; `templates` are beside it.
    stream
        Where standard output goes.
    kafka
        Makes what writes to a topic.

    Raises
    ------
    ConfigError
        A variable is missing, an address is not safe, a template is broken, or an extra is not installed.
    """
    key = f"alerts.channels.{name}"
    try:
        if given.dashboard is not None:
            checked_url(Secret(given.dashboard), f"{key}.dashboard")
        where = None if given.templates is None else folder / given.templates
        templates = load_templates(where, key=f"{key}.templates")
        return _made(name, key, given, templates, environ, stream, kafka)
    except SetupError as error:
        raise ConfigError(str(error)) from error


def _made(
    name: str,
    key: str,
    given: ChannelConfig,
    templates: Templates,
    environ: Mapping[str, str],
    stream: TextIO,
    kafka: OpenPublisher,
) -> Channel:
    match given:
        case StdoutConfig() | WebhookConfig():
            return _own(name, key, given, templates, environ, stream)
        case SlackConfig():
            return _slack(name, key, given, templates, environ)
        case EmailConfig():
            return _mail(name, key, given, templates, environ)
        case PagerDutyConfig() | OpsgenieConfig():
            return _on_call(name, key, given, templates, environ)
        case SnsConfig() | AppriseConfig():
            return _relayed(name, key, given, templates, environ)
        case TopicConfig():
            return KafkaChannel(name, kafka(name, given.topic))
        case _:
            assert_never(given)


def _own(
    name: str,
    key: str,
    given: StdoutConfig | WebhookConfig,
    templates: Templates,
    environ: Mapping[str, str],
    stream: TextIO,
) -> Channel:
    if isinstance(given, StdoutConfig):
        from alerts.channels.stdout import StdoutChannel

        return StdoutChannel(name, stream, templates, json=given.json, dashboard=given.dashboard or "")
    from alerts.channels.webhook import WebhookChannel

    url = checked_url(secret_from(environ, given.url_env, f"{key}.url_env"), f"{key}.url_env")
    if given.secret_env is None:
        return WebhookChannel(name, url)
    return WebhookChannel(name, url, secret_from(environ, given.secret_env, f"{key}.secret_env"))


def _on_call(
    name: str,
    key: str,
    given: PagerDutyConfig | OpsgenieConfig,
    templates: Templates,
    environ: Mapping[str, str],
) -> Channel:
    base = checked_url(Secret(given.base), f"{key}.base").reveal()
    dashboard = given.dashboard or ""
    if isinstance(given, PagerDutyConfig):
        from alerts.channels.pagerduty import PagerDutyChannel

        routing = secret_from(environ, given.routing_key_env, f"{key}.routing_key_env")
        return PagerDutyChannel(name, routing, templates, base=base, dashboard=dashboard)
    from alerts.channels.opsgenie import OpsgenieChannel

    api_key = secret_from(environ, given.api_key_env, f"{key}.api_key_env")
    return OpsgenieChannel(name, api_key, templates, base=base, dashboard=dashboard)


def _relayed(
    name: str,
    key: str,
    given: SnsConfig | AppriseConfig,
    templates: Templates,
    environ: Mapping[str, str],
) -> Channel:
    dashboard = given.dashboard or ""
    if isinstance(given, AppriseConfig):
        from alerts.channels.apprise import AppriseChannel

        address = secret_from(environ, given.url_env, f"{key}.url_env")
        return AppriseChannel(name, address, templates, key=f"{key}.url_env", dashboard=dashboard)
    from alerts.channels.sns import SnsChannel, sns_client

    if given.endpoint is not None:
        checked_url(Secret(given.endpoint), f"{key}.endpoint")
    client = sns_client(region=given.region, endpoint=given.endpoint)
    return SnsChannel(name, client, given.topic_arn, templates, json=given.json, dashboard=dashboard)


def _slack(
    name: str, key: str, given: SlackConfig, templates: Templates, environ: Mapping[str, str]
) -> Channel:
    from alerts.channels.slack import Bot, SlackChannel

    target: Secret | Bot
    if given.url_env is not None and given.token_env is None:
        target = checked_url(secret_from(environ, given.url_env, f"{key}.url_env"), f"{key}.url_env")
    elif given.token_env is not None and given.url_env is None and given.channel:
        target = Bot(token=secret_from(environ, given.token_env, f"{key}.token_env"), channel=given.channel)
    else:
        raise SetupError(f"`{key}`: wanted either `url_env`, or `token_env` with `channel`")
    return SlackChannel(name, target, templates, dashboard=given.dashboard or "")


def _mail(
    name: str, key: str, given: EmailConfig, templates: Templates, environ: Mapping[str, str]
) -> Channel:
    from alerts.channels.mail import MailChannel, MailServer
    from alerts.channels.mail_security import MailSecurity

    if given.security is MailSecurity.NONE and not is_loopback(given.host):
        raise SetupError(f"`{key}.security`: found 'none', wanted 'starttls' or 'tls' to {given.host}")
    if (given.username is None) != (given.password_env is None):
        raise SetupError(f"`{key}`: wanted `username` and `password_env` together, or neither")
    password = (
        None
        if given.password_env is None
        else secret_from(environ, given.password_env, f"{key}.password_env")
    )
    server = MailServer(
        host=given.host,
        port=given.port,
        security=given.security,
        username=given.username,
        password=password,
    )
    return MailChannel(
        name,
        server,
        templates,
        sender=given.sender,
        recipients=given.recipients,
        dashboard=given.dashboard or "",
    )
