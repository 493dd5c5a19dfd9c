"""Notices to an address of one's own, signed."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping
from hashlib import sha256

from alerts.channels.base import TIMEOUT_S
from alerts.channels.cloud_event import CONTENT_TYPE, cloud_event
from alerts.channels.http import Http
from alerts.channels.secrets import Secret
from alerts.notices import Notice
from detectors.base import DriftflowError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_S = 300
"""How old or how far ahead a message may be; what is older may be a replay."""

_PREFIX = "whsec_"


class SignatureError(DriftflowError):
    """A message was not signed with this secret, was changed, or is too old."""


class WebhookChannel:
    """Sends CloudEvents as JSON, with headers of Standard Webhooks.

    Parameters
    ----------
    url
        Where to.
    secret
        What messages are signed with; None: they are not.
    now
        The wall clock, in seconds since the epoch.

    References
    ----------
    Standard Webhooks 1.0.0: headers, and HMAC-SHA256 of ``id.timestamp.body``.
    """

    def __init__(
        self,
        name: str,
        url: Secret,
        secret: Secret | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._url = url
        self._secret = secret
        self._now = now
        secrets = (url,) if secret is None else (url, secret)
        self._http = Http(f"webhook {name}", secrets, timeout_s=timeout_s, now=now)

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        body = cloud_event(notice)
        sent = str(int(self._now()))
        headers = {"Content-Type": CONTENT_TYPE, ID: notice.id, TIMESTAMP: sent}
        if self._secret is not None:
            headers[SIGNATURE] = signature(self._secret, notice.id, sent, body)
        self._http.post(self._url, body, headers)

    def close(self) -> None:
        """See `Channel.close`."""
        self._http.close()


def signature(secret: Secret, message_id: str, timestamp: str, body: bytes) -> str:
    """Sign a message; a secret that starts with ``whsec_`` is base64, any other is taken as text."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key(secret), signed, sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def verify(secret: Secret, headers: Mapping[str, str], body: bytes, *, now_s: float) -> str:
    """Check a message that came in, and return its id.

    Parameters
    ----------
    headers
        With names in lower case.
    body
        The bytes as they came, before any parsing.
    now_s
        The wall clock, in seconds since the epoch.

    Raises
    ------
    SignatureError
        It is not to be trusted.
    """
    missing = [name for name in (ID, TIMESTAMP, SIGNATURE) if name not in headers]
    if missing:
        raise SignatureError(f"headers are missing: {', '.join(missing)}")
    sent = headers[TIMESTAMP]
    if not (sent.isascii() and sent.isdigit()) or abs(now_s - int(sent)) > TOLERANCE_S:
        raise SignatureError(f"{TIMESTAMP} is more than {TOLERANCE_S} s from now: a replay, or a wrong clock")
    wanted = signature(secret, headers[ID], sent, body).encode()
    # Several stand there, apart by spaces, while a secret is changed.
    if not any(hmac.compare_digest(wanted, each.encode()) for each in headers[SIGNATURE].split(" ")):
        raise SignatureError("the signature does not match: another secret, or the body was changed")
    return headers[ID]


def _key(secret: Secret) -> bytes:
    value = secret.reveal()
    if value.startswith(_PREFIX):
        try:
            return base64.b64decode(value.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            return value.encode()
    return value.encode()
