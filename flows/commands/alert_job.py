"""Runs alerting, and sends samples."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alerts.channels.base import RefusedError, TryAgainError
from alerts.samples import sample_notice
from flows.alert_channels import open_channel
from flows.alert_metrics import AlertMetrics
from flows.alert_topic import publisher_opener
from flows.alerting import AlertRun, now_ms, opened_outlets
from flows.commands.console import say, warn
from flows.commands.exits import ExitCode
from flows.commands.stored import make_folder
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.metrics_server import serve_metrics
from flows.sections.alerts import alert_channels
from flows.workers.requests import stops


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAsked:
    """What the command line asks for."""

    config: Path
    from_start: bool
    once: bool
    metrics_port: int | None
    metrics_host: str


def alert(asked: AlertAsked) -> ExitCode:
    """Alert until there is no more, or until it is stopped."""
    config = load_config(asked.config)
    names = ", ".join(alert_channels(config.file.alerts))
    # It may be started before the first run.
    make_folder(config)
    with (
        opened_outlets(config, os.environ, sys.stdout) as outlets,
        _metrics(asked) as metrics,
        stops() as stopped,
    ):
        run = AlertRun(
            config,
            outlets,
            os.environ,
            from_start=asked.from_start,
            stopped=lambda: stopped.asked > 0,
            heard=metrics,
        )
        if not asked.once:
            say(f"Alerts of {config.file.model.name} go to {names}; Ctrl-C ends it.", "dim")
            run.follow()
            return ExitCode.DONE
        ended = run.once()
    said = f"{ended.sent} sent, {ended.died} given up, {ended.waiting} waiting"
    if not (ended.died or ended.waiting):
        say(f"{said}.")
        return ExitCode.DONE
    warn(f"{said}: see 'driftflow alert status {asked.config}'")
    return ExitCode.FAILED


@contextmanager
def _metrics(asked: AlertAsked) -> Iterator[AlertMetrics]:
    metrics = AlertMetrics()
    if asked.metrics_port is None:
        yield metrics
        return
    server = serve_metrics(metrics, asked.metrics_port, asked.metrics_host)
    try:
        say(f"Metrics at http://{asked.metrics_host}:{server.port}/metrics.", "dim")
        yield metrics
    finally:
        server.close()


def send_sample(path: Path, name: str) -> ExitCode:
    """Send a sample to a channel.

    Raises
    ------
    UsageError
        There is no such channel.
    """
    config = load_config(path)
    channels = alert_channels(config.file.alerts)
    if name not in channels:
        raise UsageError(f"CHANNEL is {name!r}, wanted one of {', '.join(channels)} (`alerts.channels`)")
    return _sample(config, name)


def _sample(config: Config, name: str) -> ExitCode:
    given = alert_channels(config.file.alerts)[name]
    channel = open_channel(
        name,
        given,
        folder=config.folder,
        environ=os.environ,
        stream=sys.stdout,
        kafka=publisher_opener(config, os.environ),
    )
    notice = sample_notice(name, model=config.file.model.name, decided_ms=now_ms())
    try:
        channel.send(notice)
    except TryAgainError as error:
        warn(f"channel {name} did not take it now: {error}; try again, or look whether the other side is up")
        return ExitCode.FAILED
    except RefusedError as error:
        warn(f"channel {name} refuses it: {error}; look at `alerts.channels.{name}` and its secrets")
        return ExitCode.FAILED
    finally:
        channel.close()
    say(f"Channel {name} took notice {notice.id}.")
    return ExitCode.DONE
