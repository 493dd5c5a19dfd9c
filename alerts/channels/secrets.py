"""Secrets of channels: read from the environment, shown to nobody."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from alerts.wording import one_line
from detectors.base import DriftflowError

_SHORTEST_PART = 8
"""A part of an address that is shorter tells nothing: ``services``, ``v2``."""
_HIDDEN = "[hidden]"


class SetupError(DriftflowError):
    """A channel cannot be made of what is given; the message names the key or variable, never a secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no `repr`, log or error shows."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the text, for the one place that sends it."""
        return self._value


def secret_from(environ: Mapping[str, str], variable: str, key: str) -> Secret:
    """Read a secret from the variable that a key of the configuration names.

    Raises
    ------
    SetupError
        The variable is not set, or empty.
    """
    value = environ.get(variable, "").strip()
    if not value:
        raise SetupError(
            f"`{key}`: the environment variable {variable} is not set or empty; "
            f"set it where driftflow runs (export {variable}=...)"
        )
    return Secret(value)


def checked_url(address: Secret, key: str) -> Secret:
    """Return an address that is safe to send to: https, or http on this machine.

    Raises
    ------
    SetupError
        It is none; the message does not repeat it.
    """
    try:
        parts = urlsplit(address.reveal())
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        # Nothing of it may stand in the chain of errors.
        parts, host = None, ""
    if parts is None or not host or parts.scheme not in {"http", "https"}:
        raise SetupError(f"`{key}`: found no web address, wanted one such as https://host/path")
    if parts.scheme == "http" and not is_loopback(host):
        raise SetupError(f"`{key}`: found an address with http, wanted https (http only on this machine)")
    return address


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def scrubbed(text: str, secrets: Iterable[Secret], *, most: int = 200) -> str:
    """Return what somebody else said on one line, cut, without secrets and parts of their addresses."""
    for secret in secrets:
        value = secret.reveal()
        parts = [part for part in value.replace("?", "/").split("/") if len(part) >= _SHORTEST_PART]
        for each in [value, *sorted(parts, key=len, reverse=True)]:
            text = text.replace(each, _HIDDEN)
    return one_line(text, most)


def hush(*names: str) -> None:
    """Keep libraries from logging addresses and headers: they do at level INFO and below."""
    for name in names:
        logging.getLogger(name).setLevel(logging.WARNING)
