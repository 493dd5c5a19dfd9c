"""The command line: all commands, what errors look like, and exit codes."""

import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer
from rich.text import Text

from flows.commands import (
    alert,
    compare,
    completion,
    config_explain,
    config_schema,
    demo,
    doctor,
    episodes,
    explain,
    generate,
    init,
    reference_activate,
    reference_build,
    reference_list,
    reference_show,
    run,
    serve,
    state_reset,
    state_show,
    tail,
    up,
)
from flows.commands.console import messages
from flows.commands.exits import ExitCode

_START, _WATCH, _ONCE = "Start here", "Watch a model", "Look once"

_REPORT = "This is a fault in driftflow: please report it with the lines above and the command you ran."

app = typer.Typer(
    name="driftflow",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="New here? [bold]driftflow demo[/bold] shows all of it in a minute.",
)
reference = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
alerts = typer.Typer(cls=alert.AlertGroup, no_args_is_help=True, rich_markup_mode="rich")
config = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
state = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")

app.command("demo", epilog=demo.EXAMPLE, rich_help_panel=_START)(demo.demo)
app.command("generate", epilog=generate.EXAMPLE, rich_help_panel=_START)(generate.generate)
app.command("init", epilog=init.EXAMPLE, rich_help_panel=_START)(init.init)
app.add_typer(
    reference,
    name="reference",
    rich_help_panel=_WATCH,
    help="Build, list, show and activate what windows are compared with.",
    epilog=reference_build.EXAMPLE,
)
reference.command("build", epilog=reference_build.EXAMPLE)(reference_build.build)
reference.command("list", epilog=reference_list.EXAMPLE)(reference_list.list_references)
reference.command("show", epilog=reference_show.EXAMPLE)(reference_show.show_reference)
reference.command("activate", epilog=reference_activate.EXAMPLE)(reference_activate.activate)
app.command("run", epilog=run.EXAMPLE, rich_help_panel=_WATCH)(run.run)
app.add_typer(
    alerts,
    name="alert",
    rich_help_panel=_WATCH,
    help="Tell people and jobs of drifts and faults: alert CONFIG runs it.",
    epilog=alert.EXAMPLE,
)
alerts.command("run", epilog=alert.EXAMPLE)(alert.run)
alerts.command("test", epilog=alert.TEST_EXAMPLE)(alert.test)
alerts.command("status", epilog=alert.STATUS_EXAMPLE)(alert.status)
alerts.command("explain", epilog=alert.EXPLAIN_EXAMPLE)(alert.explain)
alerts.command("retry", epilog=alert.RETRY_EXAMPLE)(alert.retry)
app.command("tail", epilog=tail.EXAMPLE, rich_help_panel=_WATCH)(tail.tail)
app.command("episodes", epilog=episodes.EXAMPLE, rich_help_panel=_WATCH)(episodes.episodes)
app.command("explain", epilog=explain.EXAMPLE, rich_help_panel=_WATCH)(explain.explain)
app.command("serve", epilog=serve.EXAMPLE, rich_help_panel=_WATCH)(serve.serve)
app.command("up", epilog=up.EXAMPLE, rich_help_panel=_WATCH)(up.up)
app.command("doctor", epilog=doctor.EXAMPLE, rich_help_panel=_WATCH)(doctor.doctor)
app.add_typer(
    config,
    name="config",
    rich_help_panel=_WATCH,
    help="Show what a configuration may say, and what it turns into.",
    epilog=config_explain.EXAMPLE,
)
config.command("explain", epilog=config_explain.EXAMPLE)(config_explain.explain_config)
config.command("schema", epilog=config_schema.EXAMPLE)(config_schema.print_schema)
app.add_typer(
    state,
    name="state",
    rich_help_panel=_WATCH,
    help="Show and drop the snapshots that a run goes on from.",
    epilog=state_show.EXAMPLE,
)
state.command("show", epilog=state_show.EXAMPLE)(state_show.show_state)
state.command("reset", epilog=state_reset.EXAMPLE)(state_reset.reset_state)
app.command("compare", epilog=compare.EXAMPLE, rich_help_panel=_ONCE)(compare.compare)
app.command("completion", epilog=completion.EXAMPLE, rich_help_panel=_START)(completion.completion)


def _show_version(asked: bool) -> None:  # noqa: FBT001  # typer calls it with the flag's value
    if asked:
        typer.echo(f"driftflow {version('driftflow')}")
        raise typer.Exit


@app.callback()
def driftflow(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Tell when the data of a model in production drifts away from what it was built on."""


def main() -> None:
    """Run the command line; an error is one red line, a fault of ours keeps its traceback."""
    try:
        app()
    except Exception as error:  # noqa: BLE001  # the last one to see it
        sys.exit(_tell(error))


def _tell(error: Exception) -> ExitCode:
    # Imported here because it loads NumPy, and help must not wait for that.
    from detectors.base import DriftflowError  # noqa: PLC0415
    from flows.commands.usage import UsageError  # noqa: PLC0415
    from flows.config_values import ConfigError  # noqa: PLC0415
    from flows.decode.setup import DecodeSetupError  # noqa: PLC0415
    from flows.recovery_note import OtherSettingsError  # noqa: PLC0415
    from service.security import BadKeysError  # noqa: PLC0415

    if isinstance(error, DriftflowError):
        _print_error(str(error))
        usage = isinstance(
            error, BadKeysError | ConfigError | DecodeSetupError | OtherSettingsError | UsageError
        )
        return ExitCode.USAGE if usage else ExitCode.FAILED
    if isinstance(error, OSError) and error.filename is not None:
        _print_error(f"{error.filename}: {error.strerror}")
        return ExitCode.FAILED
    traceback.print_exception(error)
    _print_error(_REPORT)
    return ExitCode.FAILED


def _print_error(message: str) -> None:
    line = Text("error: ", "bold red").append(" ".join(message.split()), "red")
    messages().print(line, soft_wrap=True)


if __name__ == "__main__":
    main()
