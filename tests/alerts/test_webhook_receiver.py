"""The receiver of webhooks in docs/alerts.md, run against messages that were really sent."""

import base64
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.channels.secrets import Secret
from alerts.channels.webhook import WebhookChannel
from alerts.notices import Cause
from alerts.samples import sample_notice
from tests.alerts.receivers import Request, web_service

PAGE = Path(__file__).parents[2] / "docs" / "alerts.md"
PLAIN = "a-secret-of-thirty-characters!"
STANDARD = "whsec_" + base64.b64encode(b"a secret of 24 bytes ...").decode()

Checked = Callable[[str, dict[str, str], bytes], str]


@pytest.fixture(scope="module")
def checked() -> Checked:
    (snippet,) = [
        each for each in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if "hmac" in each
    ]
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102 - that is what the page tells people to run
    found: Checked = names["checked"]
    return found


def sent(secret: str, *, age_s: float = 0.0) -> tuple[str, Request]:
    notice = sample_notice("hook", cause=Cause.OPENED, model="модель")
    with web_service() as web:
        channel = WebhookChannel("hook", Secret(web.url), Secret(secret), now=lambda: time.time() - age_s)
        with closing(channel):
            channel.send(notice)
        (request,) = web.seen
    return notice.id, request


@pytest.mark.parametrize("secret", [PLAIN, STANDARD])
def test_what_was_sent_is_taken_with_its_id(checked: Checked, secret: str) -> None:
    identity, request = sent(secret)
    assert checked(secret, request.headers, request.body) == identity
    # While a secret is changed both signatures stand there.
    two = request.headers | {"webhook-signature": "v1,b3RoZXI= " + request.headers["webhook-signature"]}
    assert checked(secret, two, request.body) == identity


def test_what_is_not_ours_or_old_is_refused(checked: Checked) -> None:
    _, request = sent(PLAIN)
    for secret, headers, body in (
        ("another", request.headers, request.body),
        (PLAIN, request.headers, request.body + b" "),
        (PLAIN, request.headers | {"webhook-id": "another"}, request.body),
    ):
        with pytest.raises(ValueError, match="another secret"):
            checked(secret, headers, body)
    _, old = sent(PLAIN, age_s=301)
    with pytest.raises(ValueError, match="too old"):
        checked(PLAIN, old.headers, old.body)
