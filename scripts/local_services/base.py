"""What a service is to the stack, and the errors that people read."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class ServiceError(Exception):
    """A service cannot be brought up, found or ended; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A command line, and what it needs in its environment besides the caller's."""

    argv: Sequence[str]
    environment: Mapping[str, str]


class Service(Protocol):
    """A server that can be downloaded, configured, started and asked whether it works."""

    @property
    def name(self) -> str:
        """What people type."""

    @property
    def variable(self) -> str:
        """The environment variable that holds its address."""

    @property
    def n_ports(self) -> int:
        """How many ports it listens on; clients use the first."""

    def address(self, port: int) -> str:
        """What the environment variable is set to."""

    def install(self, cache: Path) -> Path:
        """Download what is missing; where it was put."""

    def prepare(self, installed: Path, data: Path, ports: Sequence[int]) -> Launch:
        """Write configuration and storage where they are missing; how to start."""

    def check(self, port: int) -> None:
        """Return when the server does its work; raise any exception when it does not."""


def say(line: str) -> None:
    """Tell the person at the terminal; standard output is for answers."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
