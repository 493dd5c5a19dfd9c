"""What the exit code of a command means."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of all commands."""

    DONE = 0
    FAILED = 1
    """An error while running."""
    USAGE = 2
    """Bad usage or a bad configuration: nothing was done."""
    DRIFT = 3
    """Drift was found, where --fail-on drift asks for it."""
