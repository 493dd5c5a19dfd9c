"""What the command line asks of a run: where snapshots go, and which process of a set this is."""

import os
from dataclasses import dataclass
from pathlib import Path

from flows.commands.usage import UsageError
from flows.config import Config
from flows.config_values import span_of
from flows.engine import Member, Recovery
from flows.sections.output import RecoveryConfig
from flows.workers.environment import SUPERVISED, member_from_environment
from state.durations import Axis

_DEFAULT_INTERVAL = "2s"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAsked:
    """What the command line asks for; `process_id` is None where one process runs alone."""

    config: Path
    input: Path | None = None
    events: Path | None = None
    recovery: Path | None = None
    overwrite: bool = False
    process_id: int | None = None
    addresses: tuple[str, ...] = ()
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    log_options: tuple[str, ...] = ()


def recovery_of(config: Config, folder: Path | None) -> Recovery | None:
    """Return where snapshots go: a folder of the command line, or the configured one; None: nowhere.

    Raises
    ------
    ConfigError
        The interval is no span of time.
    """
    given = config.file.recovery
    if folder is None:
        if given is None:
            return None
        folder = config.folder / given.folder
    return Recovery(folder=folder, interval_s=_interval_s(given))


def _interval_s(given: RecoveryConfig | None) -> float:
    text = _DEFAULT_INTERVAL if given is None else given.interval
    return span_of(text, Axis.MILLISECONDS, "recovery.interval") / 1_000


def member_of(asked: RunAsked) -> Member | None:
    """Return which process of a set this is; None where it runs alone.

    Raises
    ------
    UsageError
        There are fewer addresses than its number needs.
    """
    if asked.process_id is None:
        return member_from_environment(os.environ)
    if asked.process_id >= len(asked.addresses):
        raise UsageError(
            f"--process-id is {asked.process_id}, and --addresses names {len(asked.addresses)}: "
            "wanted one address per process, the first is process 0"
        )
    return Member(process_id=asked.process_id, addresses=asked.addresses, supervised=SUPERVISED in os.environ)
