"""No secret of a channel, a store or Kafka is said anywhere, however its other side fails."""

import html
import json
import logging
import socket
import threading
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import quote, quote_plus, unquote

import pytest
from prometheus_client import generate_latest

from alerts.alerting import Alerting
from alerts.channels.apprise import AppriseChannel
from alerts.channels.base import Channel, TryAgainError
from alerts.channels.mail import MailChannel, MailServer
from alerts.channels.mail_security import MailSecurity
from alerts.channels.opsgenie import OpsgenieChannel
from alerts.channels.pagerduty import PagerDutyChannel
from alerts.channels.secrets import Secret, scrubbed
from alerts.channels.slack import Bot, SlackChannel
from alerts.channels.sns import SnsChannel, sns_client
from alerts.channels.webhook import WebhookChannel
from alerts.deciding import Rules
from alerts.delivery import Outlet
from alerts.rules import AlertRules, Route
from alerts.templating import load_templates
from flows.alert_metrics import AlertMetrics
from flows.alert_topic import TopicPublisher
from flows.kafka.base import KafkaSettings, SaslMechanism, SecurityProtocol
from flows.kafka.connect import Library, connect
from state.stores.alerts import Delivery
from state.stores.base import StoreError
from state.stores.memory import MemoryStore
from state.stores.redis import RedisStore
from tests.alerts.events import opened
from tests.alerts.receivers import Mood, Request, Web, web_service
from tests.alerts.world import T0, AlwaysHeld, Log
from tests.leaks import spellings

TEMPLATES = load_templates()
TIMEOUT_S = 0.25

KINDS = (
    "hook",
    "hookkey",
    "signed",
    "slackhook",
    "slackbot",
    "smtp",
    "pager",
    "genie",
    "chat",
    "aws",
    "kafka",
    "redis",
)
SECRETS = {kind: f"{kind}-s3cr3t+{kind}/&\"'<ü>" for kind in KINDS}
"""Each with characters that addresses, JSON, HTML and base64 write in another way."""
ASCII = {kind: secret.replace("ü", "u") for kind, secret in SECRETS.items()}
"""For headers, which carry nothing else."""


def leaks(said: str) -> list[tuple[str, str]]:
    secrets = {f"{kind} in ASCII": secret for kind, secret in ASCII.items()} | SECRETS
    return [(kind, each) for kind, secret in secrets.items() for each in spellings(secret) if each in said]


def quoted(request: Request) -> bytes:
    """Say all of a request again, in every form that a careless server may use."""
    parts = [request.path, unquote(request.path), request.body.decode(errors="replace")]
    parts += [value for name, value in request.headers.items() if name not in {"content-length", "host"}]
    text = " ".join(parts)
    short = unquote(request.path).rpartition("=")[2]
    forms = (short, text, quote(text), html.escape(text), json.dumps(text))
    return " ".join(forms).encode() + b" " + b" ".join(b64encode(part.encode()) for part in parts)


@contextmanager
def mail_that_quotes_the_login() -> Iterator[int]:
    """Refuse every login, and say it again as it came and decoded."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with suppress(OSError), connection, connection.makefile("rwb", buffering=0) as lines:
                lines.write(b"220 here\r\n")
                for line in lines:
                    word = line.split(b" ")[-1].strip()
                    decoded = b64decode(word + b"==") if line.startswith(b"AUTH") else b""
                    said = {b"EHLO": b"250-here\r\n250 AUTH PLAIN", b"QUIT": b"221 bye"}
                    answer = said.get(
                        line[:4].upper(), b"535 wrong: " + word + b" " + decoded.replace(b"\0", b" ")
                    )
                    lines.write(answer + b"\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def web_channels(base: str, *, web: Web | None, scheme: str = "json") -> dict[str, Channel]:
    """Make every channel that speaks HTTP, with secrets of its own, to one address."""
    hook = f"{base}/hook/{quote(SECRETS['hook'], safe='')}?key={quote(SECRETS['hookkey'], safe='')}"
    if web is not None:
        web.answers["/api/"] = b'{"ok": true}'
    bot = Bot(token=Secret(ASCII["slackbot"]), channel="C1", api=f"{base}/api")
    client = sns_client(region="eu-central-1", endpoint=base, timeout_s=TIMEOUT_S)
    host = base.partition("://")[2]
    user = quote(ASCII["chat"], safe="")
    chat = Secret(f"{scheme}://user:{user}@{host}/?cto={TIMEOUT_S}&rto={TIMEOUT_S}&redirect=no")
    return {
        "hook": WebhookChannel("hook", Secret(hook), Secret(SECRETS["signed"]), timeout_s=TIMEOUT_S),
        "slackhook": SlackChannel(
            "slackhook", Secret(f"{base}/services/T0/{ASCII['slackhook']}"), TEMPLATES, timeout_s=TIMEOUT_S
        ),
        "slackbot": SlackChannel("slackbot", bot, TEMPLATES, timeout_s=TIMEOUT_S),
        "pager": PagerDutyChannel(
            "pager", Secret(SECRETS["pager"]), TEMPLATES, base=base, timeout_s=TIMEOUT_S
        ),
        "genie": OpsgenieChannel("genie", Secret(ASCII["genie"]), TEMPLATES, base=base, timeout_s=TIMEOUT_S),
        "chat": AppriseChannel("chat", chat, TEMPLATES, key="alerts.channels.chat.url_env"),
        "aws": SnsChannel("aws", client, "arn:aws:sns:eu-central-1:1:drift", TEMPLATES),
    }


def mail_channel(port: int, security: MailSecurity) -> MailChannel:
    server = MailServer(
        host="127.0.0.1", port=port, security=security, username="drift", password=Secret(ASCII["smtp"])
    )
    return MailChannel(
        "smtp", server, TEMPLATES, sender="a@b.org", recipients=("c@d.org",), timeout_s=TIMEOUT_S
    )


def attempted(channels: dict[str, Channel]) -> tuple[str, MemoryStore]:
    """Let alerting try each channel until it gives up; return all that it keeps and shows."""
    store, log, metrics = MemoryStore(), Log(lines=[opened("amount")]), AlertMetrics()
    now_ms = T0
    names = tuple(channels)
    alerting = Alerting(
        store,
        Rules(
            alerts=AlertRules(
                model="fraud",
                routes=(Route(name="all", channels=names, group_wait_ms=0),),
                caps=dict.fromkeys(names, 20),
            )
        ),
        {name: Outlet(channel=each, max_attempts=2, cap_per_hour=20) for name, each in channels.items()},
        log.at,
        lease=AlwaysHeld(),
        from_start=True,
        now_ms=lambda: now_ms,
        random=lambda: 0.0,
        heard=metrics,
    )
    for _ in range(3):
        alerting.turn(flush=True)
        now_ms += 3_600_000
    for each in channels.values():
        each.close()
    progress = store.alert_progress("fraud")
    kept = [repr(store.notices("fraud")), repr(progress), generate_latest(metrics.registry).decode()]
    return "\n".join([*kept, *(f"{each!r} {vars(each)}" for each in channels.values())]), store


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Give all that was logged, at any level, and written to standard output and error by now."""
    caplog.set_level(logging.DEBUG)

    def said() -> str:
        written = capfd.readouterr()
        return "\n".join([caplog.text, *(repr(record.args) for record in caplog.records), *written])

    return said


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["aws"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", ASCII["aws"])


def test_the_search_finds_what_is_said() -> None:
    """Otherwise the tests below could not fail."""
    said = quoted(Request(f"/x?key={quote(SECRETS['hookkey'])}", {"authorization": ASCII["genie"]}, b""))
    assert {kind for kind, _ in leaks(said.decode())} >= {"hookkey", "genie in ASCII"}


@pytest.mark.parametrize("kind", ["hookkey", "genie"])
def test_every_form_of_a_secret_is_hidden_wherever_it_stands(kind: str) -> None:
    secret = SECRETS[kind]
    address = Secret(f"https://example.org/{quote(secret, safe='')}?key={quote_plus(secret)}&team=1")
    carried = [f"{before}{secret}{behind}" for before in ("", "x", "xx") for behind in ("", "y", "yy")]
    forms = [quote(secret), quote_plus(secret), html.escape(secret), json.dumps(secret), secret, *carried]
    forms += [encode(each.encode()).decode() for each in carried for encode in (b64encode, urlsafe_b64encode)]
    for form in forms:
        for given in (Secret(secret), address):
            said = scrubbed(f"no: {form}!", [given], most=10_000)
            assert said.startswith("no: ")
            assert [each for each in spellings(secret) if each in said] == []
    # Only what is one: other words of the answer stay.
    assert scrubbed("no such team", [address]) == "no such team"


@pytest.mark.parametrize("mood", [Mood.FAILS, Mood.REFUSES, Mood.BUSY, Mood.HANGS, Mood.CLOSES, Mood.BABBLES])
def test_a_web_service_that_fails_and_quotes_what_it_was_sent(
    mood: Mood, everything: Callable[[], str]
) -> None:
    with web_service() as web:
        web.mood, web.quote = mood, quoted
        kept, store = attempted(web_channels(web.url, web=web))
    dead = {each.channel: each for each in store.notices("fraud", delivery=Delivery.DEAD)}
    assert len(dead) == 7
    if mood in {Mood.FAILS, Mood.REFUSES}:
        # What it says is passed on, only not the secrets in it.
        assert "[hidden]" in dead["hook"].reason
    assert leaks(kept + everything()) == []


def test_a_web_service_that_speaks_no_tls(everything: Callable[[], str]) -> None:
    with web_service() as web:
        secure = web.url.replace("http:", "https:")
        kept, store = attempted(web_channels(secure, web=None, scheme="jsons"))
    assert len(store.notices("fraud", delivery=Delivery.DEAD)) == 7
    assert leaks(kept + everything()) == []


def test_a_web_service_that_is_away(everything: Callable[[], str]) -> None:
    with web_service() as web:
        gone = web.url
    kept, store = attempted(web_channels(gone, web=None))
    assert len(store.notices("fraud", delivery=Delivery.DEAD)) == 7
    assert leaks(kept + everything()) == []


def test_a_mail_server_that_quotes_the_login(everything: Callable[[], str]) -> None:
    with mail_that_quotes_the_login() as port:
        channels: dict[str, Channel] = {
            "quoting": mail_channel(port, MailSecurity.NONE),
            "no STARTTLS": mail_channel(port, MailSecurity.STARTTLS),
            "no TLS": mail_channel(port, MailSecurity.TLS),
            "away": mail_channel(9, MailSecurity.NONE),
        }
        kept, store = attempted(channels)
    dead = {each.channel: each.reason for each in store.notices("fraud", delivery=Delivery.DEAD)}
    assert set(dead) == set(channels)
    # Once as it came, in base64, and once decoded.
    assert "answered 535" in dead["quoting"]
    assert dead["quoting"].count("[hidden]") == 2
    assert leaks(kept + everything()) == []


@pytest.mark.parametrize("library", ["kafka-python", "librdkafka"])
def test_brokers_that_are_away(library: Library, everything: Callable[[], str]) -> None:
    settings = KafkaSettings(
        bootstrap="127.0.0.1:9",
        security_protocol=SecurityProtocol.SASL_PLAINTEXT,
        sasl_mechanism=SaslMechanism.PLAIN,
        sasl_username="drift",
        sasl_password=SECRETS["kafka"],
        patience_s=TIMEOUT_S,
    )
    to = TopicPublisher(connect(settings, library), "alerts", transactional_id="x")
    with closing(to), pytest.raises(TryAgainError) as caught:
        to.publish(b"fraud", b"{}", {})
    assert leaks(f"{caught.value!r} {settings!r} {everything()}") == []


def test_a_store_that_is_away(everything: Callable[[], str]) -> None:
    url = f"redis://drift:{quote(SECRETS['redis'], safe='')}@127.0.0.1:9/0"
    with pytest.raises(StoreError) as caught:
        RedisStore(url, timeout_s=TIMEOUT_S).notices("fraud")
    assert leaks(f"{caught.value!r} {everything()}") == []
