"""Errors of the user that only show when a command has begun."""

from detectors.base import DriftflowError


class UsageError(DriftflowError):
    """A command was asked for something it cannot do; the message says what to ask instead."""
