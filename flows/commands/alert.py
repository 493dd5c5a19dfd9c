"""driftflow alert: from drift events to people and jobs."""

# ruff: noqa: PLC0415  # heavy modules load when the command runs, so that help does not wait for them

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flows.commands.log_options import LogFormat, LogLevel

EXAMPLE = "Example: [cyan]driftflow alert driftflow.yaml[/cyan]"
TEST_EXAMPLE = "Example: [cyan]driftflow alert test driftflow.yaml oncall[/cyan]"
STATUS_EXAMPLE = "Example: [cyan]driftflow alert status driftflow.yaml[/cyan]"
EXPLAIN_EXAMPLE = "Example: [cyan]driftflow alert explain driftflow.yaml 3f2a9c[/cyan]"
RETRY_EXAMPLE = "Example: [cyan]driftflow alert retry driftflow.yaml --all[/cyan]"

_Config = Annotated[Path, typer.Argument(help="Configuration file.", show_default=False)]


class AlertGroup(TyperGroup):
    """Takes what is none of its commands for a file: ``alert CONFIG`` is ``alert run CONFIG``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer has a click of its own
        """Put `run` before a file."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


def run(
    config: _Config,
    from_start: Annotated[
        bool,
        typer.Option(
            "--from-start",
            help="At the first start tell all that is in the log, not only what is open at its end.",
        ),
    ] = False,
    once: Annotated[
        bool,
        typer.Option("--once", help="Tell of what there is, then end: for cron and scripts."),
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Serve /metrics and /healthz at this port.", show_default=False),
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics.")] = "127.0.0.1",
    log_format: LogFormat = "text",
    log_level: LogLevel = "info",
) -> None:
    """Tell channels of drifts and faults as they are found, each once, until Ctrl-C or SIGTERM.

    Events come from the topic for events where one is configured, otherwise from files.

    What was decided is kept in the store before it is sent, so a crash loses nothing.
    """
    from flows.commands.alert_job import AlertAsked, alert
    from flows.logs import LogFormat, LogLevel, set_up_logging

    set_up_logging(level=LogLevel(log_level), log_format=LogFormat(log_format), environ=os.environ)
    asked = AlertAsked(
        config=config,
        from_start=from_start,
        once=once,
        metrics_port=metrics_port,
        metrics_host=metrics_host,
    )
    raise typer.Exit(alert(asked))


def test(
    config: _Config,
    channel: Annotated[str, typer.Argument(help="Its name in `alerts.channels`.", show_default=False)],
) -> None:
    """Send a sample to one channel, and say what it answered."""
    from flows.commands.alert_job import send_sample

    raise typer.Exit(send_sample(config, channel))


def status(
    config: _Config,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Notices of each kind that are listed.")] = 20,
) -> None:
    """Show what waits, what was given up and why, and what was sent last."""
    from flows.commands.alert_status_job import show_status

    raise typer.Exit(show_status(config, json=json, limit=limit))


def explain(
    config: _Config,
    event: Annotated[
        str, typer.Argument(help="Id of an event or of an episode, or its beginning.", show_default=False)
    ],
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say of one event who was told and who was not, and why: routes, groups, what is held back, messages."""
    from flows.commands.alert_explain_job import explain_alert

    raise typer.Exit(explain_alert(config, event, json=json))


def retry(
    config: _Config,
    notice: Annotated[
        str | None, typer.Argument(help="Id of a notice that was given up.", show_default=False)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
) -> None:
    """Let notices that were given up be sent after all, by the process that runs or by the next one."""
    from flows.commands.alert_status_job import retry_dead

    raise typer.Exit(retry_dead(config, notice, everything=everything))
