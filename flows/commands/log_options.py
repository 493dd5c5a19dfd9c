"""The options of every command that writes a log."""

from typing import Annotated, Literal

import typer

LogFormat = Annotated[
    Literal["text", "json"],
    typer.Option(envvar="DRIFTFLOW_LOG_FORMAT", help="How log lines are written."),
]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    typer.Option(envvar="DRIFTFLOW_LOG_LEVEL", help="Least important log lines to write."),
]
