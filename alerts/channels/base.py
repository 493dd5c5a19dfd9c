"""What a channel is: it sends one notice, or says whether to try again."""

from typing import Protocol

from alerts.notices import Notice
from detectors.base import DriftflowError

TIMEOUT_S = 10.0
"""Seconds that one attempt may take."""


class TryAgainError(DriftflowError):
    """The other side did not take it now, and may take it later.

    Parameters
    ----------
    message
        What happened, for people; never with a secret in it.
    wait_s
        How long the other side asks to be left alone (429 with ``Retry-After``); None where it says nothing.
    """

    def __init__(self, message: str, *, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class RefusedError(DriftflowError):
    """The other side will never take this one: trying again is of no use."""


class Channel(Protocol):
    """One place that notices are sent to."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    def send(self, notice: Notice) -> None:
        """Send it; return once the other side has taken it.

        Bounded in time. The id of the notice goes with it, so that a repeat can be recognized.

        Raises
        ------
        TryAgainError
            It was not taken now.
        RefusedError
            It will never be taken.
        """
        ...

    def close(self) -> None:
        """Release connections; called once."""
        ...
