"""Metrics and health over HTTP, from a thread beside the run."""

import errno
import json
import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

from detectors.base import DriftflowError

MAX_EPOCH_AGE_S = 60.0
"""Age of the last epoch from which a process is not healthy."""

_CLIENT_TIMEOUT_S = 10.0

_App = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


class MetricsError(DriftflowError):
    """Metrics cannot be served."""


class Served(Protocol):
    """What is served: a registry, and how long ago the process last came on with its work."""

    registry: CollectorRegistry

    @property
    def epoch_age_s(self) -> float:
        """Seconds since the last epoch, or turn, ended."""
        ...


class MetricsServer:
    """A server that runs; it ends with the process, or with `close`."""

    def __init__(self, server: WSGIServer) -> None:
        self._server = server
        self._thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve_metrics(
    metrics: Served,
    port: int,
    host: str = "127.0.0.1",
    *,
    max_epoch_age_s: float = MAX_EPOCH_AGE_S,
) -> MetricsServer:
    """Serve ``/metrics`` and ``/healthz`` on a daemon thread.

    Parameters
    ----------
    port
        0: any that is free.
    host
        There is no password: loopback or a private network.
    max_epoch_age_s
        ``/healthz`` answers 200 while the last epoch is younger, 503 from there on.

    Raises
    ------
    MetricsError
        The address cannot be listened on.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        server = make_server(host, port, _app(metrics, max_epoch_age_s), _server_class(family), _Handler)
    except (OSError, OverflowError) as error:
        raise MetricsError(_message(host, port, error)) from error
    return MetricsServer(server)


def _app(metrics: Served, max_epoch_age_s: float) -> _App:
    exposition = make_wsgi_app(metrics.registry)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            found: Iterable[bytes] = exposition(environ, start_response)
            return found
        if path == "/healthz":
            age_s = metrics.epoch_age_s
            well = age_s < max_epoch_age_s
            status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
            body: dict[str, object] = {
                "status": "ok" if well else "stalled",
                "epoch_age_seconds": round(age_s, 3),
                "limit_seconds": max_epoch_age_s,
            }
        else:
            status = HTTPStatus.NOT_FOUND
            body = {"status": "not found", "paths": ["/metrics", "/healthz"]}
        content = json.dumps(body).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
        ]
        start_response(f"{status.value} {status.phrase}", headers)
        return [content]

    return answer


class _Handler(WSGIRequestHandler):
    timeout = _CLIENT_TIMEOUT_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the library's signature
        """Say nothing: a scrape every few seconds is no news."""


def _server_class(family: socket.AddressFamily) -> type[WSGIServer]:
    class Server(ThreadingMixIn, WSGIServer):
        address_family = family
        daemon_threads = True

    return Server


def _message(host: str, port: int, error: Exception) -> str:
    where = f"metrics cannot be served on {host}:{port}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"{where}: another process listens there; name a free port, or end that process"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"{where}: this user may not listen on port {port}; name one from 1024 to 65535"
    return f"{where}: {error}; wanted a host of this machine and a port from 1024 to 65535"
