"""Keeps the run, alerting and the service of one model going together."""

import os
import shutil
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from flows.commands.console import shown
from flows.commands.exits import ExitCode
from flows.commands.listening import address_of, listening_at
from flows.commands.run_asked import recovery_of
from flows.commands.serve_job import check_installed
from flows.commands.stored import make_folder
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.engine import RunError, check_outputs
from flows.supervisor import DEFAULT_TIMING
from flows.workers.processes import write_line
from flows.workers.program_process import ProgramProcess, environment
from flows.workers.programs import Program, Programs
from flows.workers.requests import stops
from service.security import VARIABLE, check_address, read_keys

_RUN, _ALERT, _SERVICE, _OWN = "run", "alert", "service", "up"
_WIDTH = len(f"{_SERVICE} | ")

_MARGIN_S = 5.0
"""A run gets longer to stop than it gives its own members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpAsked:
    """What the command line asks for.

    Attributes
    ----------
    workers
        As `driftflow run` takes it; None: one process.
    alerts
        Whether to alert; None: where a channel is configured.
    """

    config: Path
    workers: str | None
    recovery: Path | None
    host: str
    port: int
    alerts: bool | None


def run_together(asked: UpAsked) -> ExitCode:
    """Run until a signal asks to stop.

    Raises
    ------
    UsageError
        A run of this configuration could not go on where an earlier one was.
    ServiceMissingError
        The extra `service` is not installed, or something listens at the address already.
    BadKeysError
        The address can be reached by other machines, and no key is set.
    """
    check_installed()
    config = load_config(asked.config)
    keys = read_keys(os.environ.get(VARIABLE))
    check_address(asked.host, keys)
    folder = _recovery_folder(config, asked)
    make_folder(config)
    # Held here, so that the address stays, and who asks waits, while the service is started again.
    with listening_at(asked.host, asked.port) as listening:
        programs = _programs(config, asked, folder, fd=listening.fileno())
        _say(f"pages and API at {address_of(listening)}, once the service has started; Ctrl-C ends all")
        if all(program.name != _ALERT for program in programs):
            why = (
                "the configuration names no channel (`alerts.channels`)"
                if asked.alerts is None
                else "--no-alerts"
            )
            _say(f"no alerts: {why}")
        if not keys.callers:
            _say(f"no API key is set ({VARIABLE}): everyone on this machine may do everything")
        width = shutil.get_terminal_size().columns - _WIDTH
        with stops() as stopped:
            return Programs(
                programs=programs,
                start=partial(_started, environ=environment(os.environ, width=width), fd=listening.fileno()),
                say=_say,
                stops=stopped,
                rng=np.random.default_rng(),
            ).run()


def _recovery_folder(config: Config, asked: UpAsked) -> Path:
    """Return where snapshots go: what is started again must go on where it was."""
    found = recovery_of(
        config, asked.recovery or (None if config.file.recovery else config.output / "recovery")
    )
    assert found is not None
    events, name = config.output / config.file.output.events, asked.config
    try:
        check_outputs(events, found)
    except RunError as error:
        snapshots = shown(found.folder)
        anew = f"driftflow run {name} --recovery {snapshots} --overwrite"
        raise UsageError(
            f"{shown(events)} holds the events of an earlier run, and {snapshots} no snapshots to go on "
            f"from: look at them with 'driftflow serve {name}', or begin anew with '{anew}' and go on with up"
        ) from error
    return found.folder


def _programs(config: Config, asked: UpAsked, recovery: Path, *, fd: int) -> list[Program]:
    own = (sys.executable, "-m", "flows.cli")
    path = str(asked.config)
    workers = () if asked.workers is None else ("--workers", asked.workers)
    programs = [
        Program(
            name=_RUN,
            command=(*own, "run", path, "--recovery", str(recovery), *workers),
            may_end=True,
            stop_s=DEFAULT_TIMING.stop_s + _MARGIN_S,
        )
    ]
    if bool(config.file.alerts.channels) if asked.alerts is None else asked.alerts:
        programs.append(Program(name=_ALERT, command=(*own, "alert", "run", path)))
    programs.append(Program(name=_SERVICE, command=(*own, "serve", path, "--fd", str(fd))))
    return programs


def _started(program: Program, *, environ: dict[str, str], fd: int) -> ProgramProcess:
    keep = (fd,) if program.name == _SERVICE else ()
    return ProgramProcess(program, _prefix(program.name), environ=environ, keep=keep)


def _prefix(name: str) -> str:
    return f"{name:{len(_SERVICE)}} | "


def _say(line: str) -> None:
    write_line(f"{_prefix(_OWN)}{line}".encode(), sys.stderr)
