"""Secrets of channels: read from the environment, shown to nobody."""

import base64
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from ipaddress import ip_address
from urllib.parse import quote, quote_plus, unquote, urlsplit

from alerts.wording import one_line
from detectors.base import DriftflowError

_SHORTEST_PART = 8
"""A part of an address that is shorter tells nothing: ``services``, ``v2``."""
_HIDDEN = "[hidden]"
_SEPARATORS = re.compile(r"[/?&=#@:;,]+")
_URL_SAFE = str.maketrans("+/", "-_")


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
    """Return what somebody else said on one line, cut, without secrets and parts of their addresses.

    They are found as they are, and as a server may quote what it was sent: escaped as in addresses, JSON or
    HTML, and inside base64, as a login carries them.
    """
    parts = {part for secret in secrets for part in _parts(secret.reveal())}
    spelled = {spelling for part in parts for spelling in _spellings(part)}
    for each in sorted(spelled, key=len, reverse=True):
        text = text.replace(each, _HIDDEN)
    return one_line(text, most)


def _parts(value: str) -> Iterator[str]:
    yield value
    for form in (value, unquote(value)):
        yield from (part for part in _SEPARATORS.split(form) if len(part) >= _SHORTEST_PART)


def _spellings(value: str) -> Iterator[str]:
    yield from (value, quote(value), quote(value, safe=""), quote_plus(value), escape(value))
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    for before in range(3):
        yield from _in_base64(value.encode(), before)


def _in_base64(value: bytes, before: int) -> Iterator[str]:
    """Give what base64 makes of bytes wherever they stand, less what depends on their neighbours.

    Parameters
    ----------
    before
        Bytes in front of them, modulo 3.
    """
    bits = 8 * (before + len(value))
    whole = base64.b64encode(bytes(before) + value).decode()
    # Six bits a character: those that hold bits of a neighbour are left out.
    inner = whole[-(-8 * before // 6) : bits // 6]
    if len(inner) >= _SHORTEST_PART:
        yield from (inner, inner.translate(_URL_SAFE))


def hush(*names: str) -> None:
    """Keep libraries from logging addresses and headers: they do at level INFO and below."""
    for name in names:
        logging.getLogger(name).setLevel(logging.WARNING)
