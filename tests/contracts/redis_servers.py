"""For tests of Redis: keys of one's own on the real server, and a server that answers as it is told."""

import socketserver
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

_OPENING = {b"CLIENT": b"+OK\r\n", b"SELECT": b"+OK\r\n", b"AUTH": b"+OK\r\n", b"PING": b"+PONG\r\n"}
"""What a client sends first, and its answers."""


@contextmanager
def own_prefix(url: str) -> Iterator[str]:
    """Give a prefix that nobody else has, and delete its keys afterwards."""
    prefix = f"driftflow-test-{uuid.uuid4().hex}"
    try:
        yield prefix
    finally:
        with Redis.from_url(url) as client:
            for key in client.scan_iter(match=f"{prefix}*", count=1000):
                client.delete(key)


@contextmanager
def scripted_server(answer: bytes) -> Iterator[str]:
    """Serve `answer` to every command but those that open a connection; give the URL."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            # RESP: '*2', then '$6' and a text for each part (https://redis.io/docs/latest/develop/reference/protocol-spec/)
            while line := self.rfile.readline():
                if not line.startswith(b"*"):
                    return
                parts = []
                for _ in range(int(line[1:])):
                    size = int(self.rfile.readline()[1:])
                    parts.append(self.rfile.read(size + 2)[:-2])
                self.wfile.write(_OPENING.get(parts[0].upper(), answer))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
