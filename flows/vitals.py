"""Asks workers how they are: reads the metrics that each of them serves."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from prometheus_client.parser import text_string_to_metric_families

from alerts.vitals import Worker

TIMEOUT_S = 5.0
"""How long a worker may take to answer, for each step of it."""
MOST_BYTES = 8 * 1024 * 1024
"""Longest answer that is read; a worker with the most series it may have stays far below."""

_CHUNK = 64 * 1024
_MOST_TOGETHER = 16
_OK = 200


class ScrapedVitals:
    """Vitals by the ``/metrics`` of workers.

    Parameters
    ----------
    addresses
        ``(host, port)`` of each.
    clock
        Seconds that never go back.
    """

    def __init__(
        self,
        addresses: Sequence[tuple[str, int]],
        *,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._addresses = tuple(addresses)
        self._timeout_s = timeout_s
        self._clock = clock

    def workers(self) -> tuple[Worker, ...]:
        """See `Vitals.workers`: all are asked at once."""
        if not self._addresses:
            return ()
        with ThreadPoolExecutor(min(_MOST_TOGETHER, len(self._addresses)), "vitals") as pool:
            return tuple(pool.map(self._ask, self._addresses))

    def _ask(self, address: tuple[str, int]) -> Worker:
        named = f"{address[0]}:{address[1]}"
        try:
            return parsed_worker(named, self._read(*address))
        except (OSError, HTTPException, ValueError) as error:
            return Worker(address=named, error=str(error) or type(error).__name__)

    def _read(self, host: str, port: int) -> str:
        """Read the page.

        Raises
        ------
        OSError, HTTPException
            Nothing listens there, or it does not speak HTTP, or not in time.
        ValueError
            It is another service's answer.
        """
        until = self._clock() + 2 * self._timeout_s
        connection = HTTPConnection(host, port, timeout=self._timeout_s)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            if answer.status != _OK:
                raise ValueError(f"it answers /metrics with {answer.status}, wanted 200")
            body = bytearray()
            while chunk := answer.read1(_CHUNK):
                body += chunk
                if len(body) > MOST_BYTES or self._clock() > until:
                    raise ValueError("its answer is too long, or takes too long")
        finally:
            connection.close()
        return body.decode()


def parsed_worker(address: str, page: str) -> Worker:
    """Read what a worker says of itself.

    Parameters
    ----------
    page
        Metrics in Prometheus' text format.

    Raises
    ------
    ValueError
        They are not those of a worker.
    """
    watermarks: dict[str, int] = {}
    lags: dict[str, int] = {}
    rows, refused = 0, 0
    age_s: float | None = None
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            match sample.name:
                case "driftflow_watermark_seconds":
                    watermarks[sample.labels["partition"]] = round(sample.value * 1_000)
                case "driftflow_lag":
                    lags[sample.labels["partition"]] = round(sample.value)
                case "driftflow_events_total":
                    rows += round(sample.value)
                case "driftflow_dead_letters_total":
                    refused += round(sample.value)
                case "driftflow_epoch_age_seconds":
                    age_s = sample.value
                case _:
                    pass
    if age_s is None:
        raise ValueError("what it serves are not the metrics of a driftflow worker")
    return Worker(
        address=address, watermarks=watermarks, lags=lags, rows=rows, refused=refused, epoch_age_s=age_s
    )
