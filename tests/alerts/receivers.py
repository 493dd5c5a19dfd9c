"""Servers on this machine that take notices, or misbehave as real ones do."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HANG_S = 1.5
"""Longer than channels under test wait."""


class Mood(StrEnum):
    """How the other side behaves."""

    WELL = "well"
    FAILS = "fails"
    BUSY = "busy"
    """It asks to be left alone for 7 s."""
    REFUSES = "refuses"
    HANGS = "hangs"
    CLOSES = "closes"
    BABBLES = "babbles"
    """It answers what belongs to no protocol."""
    REDIRECTS = "redirects"


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.body))


@dataclass
class Web:
    """A web service; `answers` by the beginning of a path, `{}` for others."""

    port: int = 0
    mood: Mood = Mood.WELL
    seen: list[Request] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    refusal: bytes = b""
    """What it says with a 4xx or 5xx; empty: it quotes the request, with all secrets that are in it."""
    quote: Callable[[Request], bytes] | None = None
    """How it quotes the request, where not as it came."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_POST(self) -> None:
        web = self.web
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, body)
        web.seen.append(request)
        if web.mood is Mood.HANGS:
            time.sleep(HANG_S)
            return
        if web.mood is Mood.CLOSES:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if web.mood is Mood.BABBLES:
            self.wfile.write(b"\x00\xff nonsense\r\n\r\n")
            return
        status = {Mood.FAILS: 500, Mood.BUSY: 429, Mood.REFUSES: 400, Mood.REDIRECTS: 302}.get(web.mood, 200)
        quoted = web.refusal or f"{self.path} {headers.get('authorization', '')} ".encode() + body
        if web.quote is not None:
            quoted = web.quote(request)
        well = [answer for path, answer in web.answers.items() if self.path.startswith(path)]
        said = quoted if status != 200 else (well or [b"{}"])[0]
        self.send_response(status)
        if web.mood is Mood.BUSY:
            self.send_header("Retry-After", "7")
        if web.mood is Mood.REDIRECTS:
            self.send_header("Location", f"{web.url}/elsewhere")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    # A client that follows a redirect asks so.
    do_GET = do_POST  # noqa: N815 - as the base names it

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@contextmanager
def web_service() -> Iterator[Web]:
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": web}))
    web.port = server.server_port
    # What hangs must not hold up the end of a test.
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Post:
    """A mail server that keeps what it takes."""

    port: int = 0
    mood: Mood = Mood.WELL
    seen: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self,
        server: SMTP,
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        if self.mood is Mood.HANGS:
            await asyncio.sleep(HANG_S)
        if self.mood is Mood.CLOSES:
            assert server.transport is not None
            server.transport.close()
        refused = {Mood.FAILS: "451 later", Mood.BUSY: "421 busy", Mood.REFUSES: "554 never"}
        if self.mood in refused:
            return refused[self.mood]
        if self.mood is Mood.BABBLES:
            return "\x00 nonsense"
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        self.seen.append(message)
        return "250 taken"


@contextmanager
def mail_service(**options: object) -> Iterator[Post]:
    post = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        post.port = free.getsockname()[1]
    controller = Controller(post, hostname="127.0.0.1", port=post.port, **cast("dict[str, Any]", options))
    controller.start()
    try:
        yield post
    finally:
        controller.stop()
