"""Notices by e-mail: text, HTML, and a picture inside."""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from alerts.channels.base import TIMEOUT_S, RefusedError, TryAgainError
from alerts.channels.mail_security import MailSecurity
from alerts.channels.secrets import Secret, scrubbed
from alerts.notices import Notice
from alerts.pictures import picture_of
from alerts.templating import Templates
from alerts.wording import one_line, view_of

MOST_SUBJECT = 200
"""Characters; the standard has no limit, mail programs show less."""

_MOST_SIGNALS = 20
_PERMANENT = range(500, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in.

    Attributes
    ----------
    username, password
        None: no login.
    ca_file
        PEM file of who may have signed the server's certificate; None: whom the system trusts.
    """

    host: str
    port: int
    security: MailSecurity = MailSecurity.STARTTLS
    username: str | None = None
    password: Secret | None = None
    ca_file: str | None = None


class MailChannel:
    """Sends by SMTP. Messages on one incident are one thread.

    Parameters
    ----------
    sender
        Address of the sender.
    recipients
        Addresses; one message goes to all of them.
    """

    def __init__(
        self,
        name: str,
        server: MailServer,
        templates: Templates,
        *,
        sender: str,
        recipients: tuple[str, ...],
        dashboard: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._name = name
        self._server = server
        self._templates = templates
        self._sender = sender
        self._recipients = recipients
        self._dashboard = dashboard
        self._timeout_s = timeout_s
        self._said = f"mail server {server.host}:{server.port} ({name})"

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """See `Channel.send`; a message that some recipients get and others do not counts as sent."""
        message = self._message(notice)
        failure = _failure_of(lambda: self._hand_in(message), self._server)
        # Raised here and not above: errors of smtplib hold what was sent.
        if failure is not None:
            permanent, told = failure
            said = f"{self._said}: {told}"
            raise RefusedError(said) if permanent else TryAgainError(said)

    def _hand_in(self, message: EmailMessage) -> None:
        server = self._server
        trusted = ssl.create_default_context(cafile=server.ca_file)
        client: smtplib.SMTP
        if server.security is MailSecurity.TLS:
            client = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_s, context=trusted)
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        try:
            if server.security is MailSecurity.STARTTLS:
                client.starttls(context=trusted)
            if server.username is not None and server.password is not None:
                client.login(server.username, server.password.reveal())
            client.send_message(message, from_addr=self._sender, to_addrs=self._recipients)
        finally:
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()

    def _message(self, notice: Notice) -> EmailMessage:
        view = view_of(notice, dashboard=self._dashboard, most=_MOST_SIGNALS)
        domain = self._sender.rpartition("@")[2]
        thread = f"<incident.{notice.incident}@{domain}>"
        message = EmailMessage(policy=SMTP)
        message["Subject"] = one_line(self._templates.title(view), MOST_SUBJECT)
        message["From"] = Address("driftflow", addr_spec=self._sender)
        message["To"] = ", ".join(self._recipients)
        message["Date"] = format_datetime(datetime.fromtimestamp(notice.decided_ms / 1000, tz=UTC))
        message["Message-ID"] = f"<{notice.id}@{domain}>"
        # No message has this id; mail programs keep together what refers to the same one.
        message["In-Reply-To"] = thread
        message["References"] = thread
        message["Auto-Submitted"] = "auto-generated"
        message["X-Driftflow-Notice"] = notice.id
        message.set_content(self._templates.text(view))
        picture = picture_of(notice.signals)
        source = f"picture.{notice.id}@{domain}"
        html = self._templates.html(view, picture=f"cid:{source}" if picture else "")
        message.add_alternative(html, subtype="html")
        if picture is not None:
            parts: Any = message.get_payload()
            parts[1].add_related(
                picture,
                maintype="image",
                subtype="png",
                cid=f"<{source}>",
                filename="drift.png",
                disposition="inline",
            )
        return message

    def close(self) -> None:
        """See `Channel.close`; each message has a connection of its own."""


def _failure_of(attempt: Callable[[], None], server: MailServer) -> tuple[bool, str] | None:
    """Try, and tell what went wrong: whether for good, and in words without a secret."""
    secrets = () if server.password is None else (server.password,)
    try:
        attempt()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        permanent = all(code in _PERMANENT for code in codes)
        return permanent, f"refused all recipients ({', '.join(map(str, sorted(set(codes))))})"
    except smtplib.SMTPResponseException as error:
        raw = error.smtp_error
        said = scrubbed(raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw), secrets)
        return error.smtp_code in _PERMANENT, f"answered {error.smtp_code}: {said}"
    except smtplib.SMTPNotSupportedError:
        return True, "does not offer what is configured (STARTTLS, login, or addresses beyond ASCII)"
    except TimeoutError:
        return False, "no answer in time"
    except (smtplib.SMTPException, OSError) as error:
        return False, f"no connection, or it broke ({type(error).__name__})"
    return None
