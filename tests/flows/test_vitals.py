import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from alerts.watches import MonitorRules
from flows.config_values import ConfigError
from flows.metrics import Metrics
from flows.metrics_server import serve_metrics
from flows.sections.monitor import MonitorConfig, checked_monitor, worker_addresses
from flows.vitals import ScrapedVitals, parsed_worker
from tests.evidence import grid_of
from tests.flows.test_metrics import Clock

PAGE = """\
driftflow_watermark_seconds{partition="t:0"} 1.7723232e+09
driftflow_lag{partition="t:0"} 17.0
driftflow_lag{partition="t:1"} 3.0
driftflow_events_total{model="credit"} 1200.0
driftflow_dead_letters_total{reason="no_time"} 3.0
driftflow_dead_letters_total{reason="not_json"} 4.0
driftflow_epoch_age_seconds 0.25
"""


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """Answer each connection with these bytes, whatever is asked; with none, take it and say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []  # until it ends: a client that is dropped is closed

        def serve() -> None:
            for answer in answers:
                client, _ = server.accept()
                client.recv(4096)
                if answer:
                    client.sendall(answer)
                    client.close()
                held.append(client)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_the_metrics_of_a_worker_are_read() -> None:
    found = parsed_worker("a:1", PAGE)
    assert found.watermarks == {"t:0": 1_772_323_200_000}
    assert (found.lags, found.rows, found.refused) == ({"t:0": 17, "t:1": 3}, 1_200, 7)
    assert (found.epoch_age_s, found.error) == (0.25, "")


def test_a_real_worker_is_asked_over_http() -> None:
    server = serve_metrics(Metrics(CollectorRegistry(), Clock(), model="credit", grid=grid_of()), 0)
    try:
        (found,) = ScrapedVitals([("127.0.0.1", server.port)]).workers()
    finally:
        server.close()
    assert found.error == ""
    (gone,) = ScrapedVitals([("127.0.0.1", server.port)]).workers()
    assert "refused" in gone.error


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.0 503 Busy\r\n\r\n", "answers /metrics with 503"),
        (b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "with 302"),
        (b"HTTP/1.0 200 OK\r\n\r\nup 1\n", "not the metrics of a driftflow worker"),
        (b"HTTP/1.0 200 OK\r\n\r\n\xff\xfe", "utf-8"),
        (b"SSH-2.0-OpenSSH\r\n", "SSH-2.0"),
        (b"", "timed out"),
    ],
)
def test_what_is_no_worker_counts_as_away_and_says_why(answer: bytes, told: str) -> None:
    with answering(answer) as port:
        (found,) = ScrapedVitals([("127.0.0.1", port)], timeout_s=0.5).workers()
    assert told in found.error


def checked(**keys: Any) -> MonitorRules:  # noqa: ANN401 - any key of it
    return checked_monitor(msgspec.convert(keys, MonitorConfig), model=("credit", "7"))


def test_the_section_gives_rules_and_addresses() -> None:
    found = checked(watermark="1h", lag=None, dead_letters=0.2)
    assert (found.watermark_ms, found.lag_ms, found.refused_share) == (3_600_000, None, 0.2)
    assert found == MonitorRules(
        model="credit", model_version="7", watermark_ms=3_600_000, lag_ms=None, refused_share=0.2
    )
    given = MonitorConfig(workers=("127.0.0.1:9090", "http://[::1]:9091/metrics"))
    assert worker_addresses(given) == (("127.0.0.1", 9090), ("::1", 9091))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"workers": ["worker"]}, "workers`: found 'worker', wanted a host and a port"),
        ({"workers": ["a:0"]}, "wanted a host and a port"),
        ({"workers": ["a:1", "a:1"]}, "found an address twice"),
        ({"watermark": "0s"}, "watermark`: found '0s', wanted a span above 0"),
        ({"silence": "long"}, "silence`: found 'long'"),
        ({"interval": "10ms"}, "wanted at least '1s'"),
    ],
)
def test_what_cannot_be_meant_is_refused(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        checked(**keys)
