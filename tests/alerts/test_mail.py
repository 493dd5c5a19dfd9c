"""Mail against a server on this machine."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from alerts.channels.base import Channel, RefusedError, TryAgainError
from alerts.channels.mail import MailChannel, MailServer
from alerts.channels.mail_security import MailSecurity
from alerts.channels.secrets import Secret
from alerts.notices import Cause
from alerts.samples import sample_notice, sample_signals
from alerts.templating import load_templates
from tests.alerts.receivers import Mood, Post, mail_service
from tests.contracts.channel import SECRET, TIMEOUT_S, ChannelContract, outcome

TEMPLATES = load_templates()


@dataclass
class MailStation:
    channel: Channel
    post: Post
    stop: Callable[[], None]
    moods: frozenset[Mood] = frozenset(Mood) - {Mood.REDIRECTS, Mood.BABBLES}

    def behave(self, mood: Mood) -> None:
        self.post.mood = mood

    def received(self) -> list[str]:
        return [f"{_headers(each)}\n{_part(each, 'plain')}" for each in self.post.seen]

    def leave(self) -> None:
        self.stop()


def _headers(message: EmailMessage) -> str:
    return "\n".join(f"{name}: {value}" for name, value in message.items())


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def _channel(post: Post, **server: object) -> MailChannel:
    given = {"host": "127.0.0.1", "port": post.port, "security": MailSecurity.NONE} | server
    return MailChannel(
        "mail",
        MailServer(**cast("dict[str, Any]", given)),
        TEMPLATES,
        sender="drift@example.org",
        recipients=("a@example.org", "b@example.org"),
        timeout_s=TIMEOUT_S,
    )


@pytest.fixture
def station() -> Iterator[MailStation]:
    service = mail_service()
    post = service.__enter__()
    left = list[bool]()

    def stop() -> None:
        if not left:
            left.append(True)
            service.__exit__(None, None, None)

    yield MailStation(_channel(post), post, stop)
    stop()


class TestMail(ChannelContract):
    def test_text_html_and_a_picture_are_in_it(self, station: MailStation) -> None:
        notice = sample_notice("mail", cause=Cause.OPENED)
        station.channel.send(notice)
        (message,) = station.post.seen
        assert message["To"] == "a@example.org, b@example.org"
        assert message["Subject"] == "[New, high] sample: amount drifts"
        html = _part(message, "html")
        (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
        assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
        content = picture.get_payload(decode=True)
        assert isinstance(content, bytes)
        assert content.startswith(b"\x89PNG")

    def test_an_incident_is_a_thread(self, station: MailStation) -> None:
        for cause in (Cause.OPENED, Cause.CLOSED):
            station.channel.send(sample_notice("mail", cause=cause))
        first, second = station.post.seen
        assert first["References"] == second["References"]
        assert first["Message-ID"] != second["Message-ID"]

    def test_html_from_data_is_text(self, station: MailStation) -> None:
        (drift, _) = sample_signals("m")
        hostile = type(drift)(
            event="e", model="m", model_version="1", kind=drift.kind, change=drift.change, episode="e",
            window="w", feature="<img src=x>", told="<script>1</script>",
        )  # fmt: skip
        station.channel.send(sample_notice("mail", cause=Cause.OPENED, signals=(hostile,)))
        html = _part(station.post.seen[0], "html")
        assert "&lt;img src=x&gt;" in html
        assert "<script>" not in html


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, and its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    command += ["-keyout", str(path.with_suffix(".key")), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".key").read_text())
    return path


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _login(*asked: object) -> AuthResult:
    given = asked[-1]
    assert isinstance(given, LoginPassword)
    return AuthResult(success=given.password == SECRET.encode(), handled=False)


def test_starttls_and_login(certificate: Path) -> None:
    with mail_service(
        tls_context=_context(certificate), require_starttls=True, auth_required=True, authenticator=_login
    ) as post:
        given = {"security": MailSecurity.STARTTLS, "ca_file": str(certificate), "username": "drift"}
        _channel(post, **given, password=Secret(SECRET)).send(sample_notice("mail"))
        assert len(post.seen) == 1
        wrong = "another-s3cr3t"
        error = outcome(_channel(post, **given, password=Secret(wrong)), sample_notice("mail"))
        assert isinstance(error, RefusedError)
        assert "535" in str(error)
        assert wrong not in str(error)


def test_a_certificate_that_nobody_signed_is_not_trusted(certificate: Path) -> None:
    with mail_service(tls_context=_context(certificate)) as post:
        error = outcome(_channel(post, security=MailSecurity.STARTTLS), sample_notice("mail"))
        assert isinstance(error, TryAgainError)
        assert "SSLCertVerificationError" in str(error)
        assert post.seen == []


def test_a_password_is_not_sent_in_the_clear() -> None:
    with mail_service() as post:
        channel = _channel(post, security=MailSecurity.STARTTLS, username="drift", password=Secret(SECRET))
        assert isinstance(outcome(channel, sample_notice("mail")), RefusedError)
        assert post.seen == []
