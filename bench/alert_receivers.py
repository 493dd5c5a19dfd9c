"""Web services on this machine that take alerts, or misbehave for a while as real ones do."""

import json
import socket
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Trouble(StrEnum):
    """What a service does until it is well."""

    NONE = "well"
    FAILS = "answers 500"
    HANGS = "hangs"
    CLOSES = "closes"
    BUSY = "answers 429"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message that was answered with 200; `at_s` by the monotonic clock."""

    at_s: float
    event: dict[str, Any]


@dataclass
class Receiver:
    """One service.

    Attributes
    ----------
    slow_s
        How long it takes to answer, so that there is time to kill the sender between request and answer.
    hang_s
        How long it hangs.
    asked
        Set whenever a request has come and is not answered yet.
    """

    trouble: Trouble
    slow_s: float
    hang_s: float
    retry_after_s: int
    port: int = 0
    requests: int = 0
    taken: list[Taken] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    _server: ThreadingHTTPServer | None = None

    def __post_init__(self) -> None:
        """Take a port; one that is away gives it back."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        if self.trouble is not Trouble.AWAY:
            self._listen()

    @property
    def url(self) -> str:
        """Where it takes messages."""
        return f"http://127.0.0.1:{self.port}/alerts"

    def recover(self) -> None:
        """Be well from now on."""
        was, self.trouble = self.trouble, Trouble.NONE
        if was is Trouble.AWAY:
            self._listen()

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _listen(self) -> None:
        handler = type("Handler", (_Handler,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads, self._server.block_on_close = True, False
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        receiver = self.receiver
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        receiver.requests += 1
        match receiver.trouble:
            case Trouble.HANGS:
                time.sleep(receiver.hang_s)
            case Trouble.CLOSES:
                self.connection.shutdown(socket.SHUT_RDWR)
            case Trouble.FAILS:
                self._answer(500)
            case Trouble.BUSY:
                self._answer(429)
            case _:
                receiver.asked.set()
                # It is taken even if the sender does not live to read the answer.
                receiver.taken.append(Taken(at_s=time.monotonic(), event=event))
                time.sleep(receiver.slow_s)
                self._answer(200)

    def _answer(self, status: int) -> None:
        try:
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", str(self.receiver.retry_after_s))
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            # The sender was killed.
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass
