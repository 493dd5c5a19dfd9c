"""One bounded attempt over HTTP, and what its answer means."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from alerts.channels.base import TIMEOUT_S, RefusedError, TryAgainError
from alerts.channels.secrets import Secret, SetupError, hush, scrubbed

try:
    import httpx
except ModuleNotFoundError as error:
    raise SetupError("channels over HTTP need the extra 'alerts': pip install 'driftflow[alerts]'") from error

MOST_ANSWER_BYTES = 64 << 10
"""An answer says whether it was taken; nobody needs more."""

_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
# Not compressed: a small answer could unfold into a large one.
_HEADERS = {"User-Agent": "driftflow", "Accept-Encoding": "identity"}

_LONGEST_WAIT_S = 3600.0
"""A wrong clock on the other side must not silence a channel for a year."""

hush("httpx", "httpcore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the other side said: its status, its headers and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Sends one request at a time, and classifies what comes back.

    Redirects are not followed: they would carry the message, and a secret in its headers, to somebody else.

    Parameters
    ----------
    service
        What errors call the other side.
    secrets
        What must not be repeated when the other side quotes it.
    timeout_s
        Seconds for the whole attempt.
    now
        The wall clock, in seconds since the epoch, for a ``Retry-After`` that is a date.
    """

    def __init__(
        self,
        service: str,
        secrets: tuple[Secret, ...] = (),
        *,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._secrets = secrets
        self._timeout_s = timeout_s
        self._now = now
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False, headers=_HEADERS)

    def post(
        self, url: Secret, body: bytes | dict[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a body, or the fields of a form.

        Raises
        ------
        TryAgainError, RefusedError
            It was not taken.
        """
        failure = ""
        answer: Answer | None = None
        try:
            answer = self._exchange(url, body, headers or {})
        except httpx.TimeoutException:
            failure = f"no answer within {self._timeout_s:g} s"
        except httpx.ConnectError:
            failure = "no connection: nothing listens there, or its name or certificate is wrong"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = f"the connection broke ({type(error).__name__})"
        # Raised here and not above: errors of httpx hold the address, and would stay in the chain.
        if answer is None:
            raise TryAgainError(f"{self._service}: {failure}")
        self._classify(answer)
        return answer

    def _exchange(self, url: Secret, body: bytes | dict[str, str], headers: Mapping[str, str]) -> Answer:
        until = time.monotonic() + self._timeout_s
        content, form = (body, None) if isinstance(body, bytes) else (None, body)
        with self._client.stream(
            "POST", url.reveal(), content=content, data=form, headers=dict(headers)
        ) as response:
            found = b""
            for part in response.iter_raw():
                found += part
                if len(found) >= MOST_ANSWER_BYTES or time.monotonic() > until:
                    break
            return Answer(
                status=response.status_code, headers=response.headers, body=found[:MOST_ANSWER_BYTES]
            )

    def _classify(self, answer: Answer) -> None:
        status = answer.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        said = scrubbed(answer.body.decode(errors="replace"), self._secrets)
        message = f"{self._service}: answered {status}" + (f": {said}" if said else "")
        if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TryAgainError(
                message, wait_s=retry_after(answer.headers.get("retry-after", ""), self._now())
            )
        if status < HTTPStatus.BAD_REQUEST:
            raise RefusedError(f"{message} (redirects are not followed: give the address it leads to)")
        raise RefusedError(message)

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def retry_after(header: str, now_s: float) -> float | None:
    """Read ``Retry-After``, seconds or a date (RFC 9110, 10.2.3), in seconds from now; at most an hour.

    Examples
    --------
    >>> retry_after("30", 0.0)
    30.0
    >>> retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 100.0)
    20.0
    >>> retry_after("soon", 0.0) is None
    True
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment.timestamp() - now_s, 0.0), _LONGEST_WAIT_S)
